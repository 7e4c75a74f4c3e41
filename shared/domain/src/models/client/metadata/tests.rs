use rstest::rstest;

use super::*;

fn named() -> ClientMetadata {
    ClientMetadata { name: Some("Orders".into()), ..ClientMetadata::default() }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for a member that was given")]
fn list(items: &[&str]) -> Option<Vec<String>> {
    Some(items.iter().map(|item| (*item).to_owned()).collect())
}

/// The fields and messages that `metadata` is refused with.
fn refused(metadata: ClientMetadata, kind: ClientType) -> Vec<(String, String)> {
    let errors = metadata.validate(kind).expect_err("must be refused");
    errors.into_iter().map(|error| (error.field, error.message)).collect()
}

/// The one field that `metadata` is refused for.
fn refused_field(metadata: ClientMetadata, kind: ClientType) -> String {
    let mut errors = refused(metadata, kind);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0).0
}

#[rstest]
#[case(ClientType::Public, TokenEndpointAuthMethod::None, true)]
#[case(ClientType::Private, TokenEndpointAuthMethod::ClientSecretBasic, false)]
#[case(ClientType::M2m, TokenEndpointAuthMethod::ClientSecretBasic, false)]
fn a_name_is_enough_and_the_rest_is_the_default_of_the_type(
    #[case] kind: ClientType,
    #[case] method: TokenEndpointAuthMethod,
    #[case] require_pkce: bool,
) {
    let verified = named().validate(kind).unwrap();
    assert_eq!(verified.grants, kind.default_grants());
    assert_eq!(verified.token_endpoint_auth_method, method);
    assert_eq!(verified.require_pkce, require_pkce);
    assert_eq!(verified.lifetimes.access_token, 3600);
    assert_eq!(verified.lifetimes.refresh_token, 1_209_600);
    assert_eq!(verified.lifetimes.refresh_token_absolute, 7_776_000);
    assert_eq!(verified.access_token_signing_alg, SigningAlg::Rs256);
    assert!(verified.is_active && !verified.skip_consent);
}

#[test]
fn verified_metadata_taken_as_metadata_again_verify_to_the_same() {
    let metadata = ClientMetadata {
        redirect_uris: list(&["https://app.example.com/cb"]),
        scopes: list(&["openid", "read:orders"]),
        audiences: list(&["https://api.example.com"]),
        allowed_cors_origins: list(&["https://app.example.com"]),
        id_token_claims: Some(RuleOrList::List(vec!["email".into(), "address".into()])),
        logo_uri: Some("https://app.example.com/logo.png".into()),
        metadata: Some([("team".to_owned(), "orders".to_owned())].into()),
        ..named()
    };
    let verified = metadata.validate(ClientType::Public).unwrap();
    let again = ClientMetadata::from(verified.clone()).validate(ClientType::Public).unwrap();
    assert_eq!(again, verified);
}

#[rstest]
#[case(None)]
#[case(Some(String::new()))]
#[case(Some("   ".into()))]
#[case(Some("n".repeat(101)))]
#[case(Some("line\nbreak".into()))]
#[case(Some("right\u{202e}to left".into()))]
fn a_name_must_be_1_to_100_printable_characters(#[case] name: Option<String>) {
    let metadata = ClientMetadata { name, ..named() };
    assert_eq!(refused_field(metadata, ClientType::M2m), "name");
}

#[test]
fn a_name_of_100_characters_in_any_script_is_taken() {
    let metadata = ClientMetadata { name: Some("é".repeat(100)), ..named() };
    assert!(metadata.validate(ClientType::M2m).is_ok());
}

#[test]
fn an_m2m_client_has_no_redirect_uris() {
    let uris = list(&["https://app.example.com/cb"]);
    let metadata =
        ClientMetadata { redirect_uris: uris.clone(), post_logout_redirect_uris: uris, ..named() };
    let fields: Vec<_> = refused(metadata, ClientType::M2m).into_iter().map(|e| e.0).collect();
    assert_eq!(fields, ["redirectUris", "postLogoutRedirectUris"]);
}

#[test]
fn the_redirect_uri_that_is_wrong_is_named_by_its_index() {
    let metadata = ClientMetadata {
        redirect_uris: list(&["https://app.example.com/cb", "http://app.example.com/cb"]),
        ..named()
    };
    assert_eq!(refused_field(metadata, ClientType::Public), "redirectUris[1]");
}

#[rstest]
#[case("openid")]
#[case("offline_access")]
fn scopes_of_users_are_not_for_m2m_clients(#[case] scope: &str) {
    let metadata = ClientMetadata { scopes: list(&["read", scope]), ..named() };
    assert!(metadata.clone().validate(ClientType::Private).is_ok());
    assert_eq!(refused_field(metadata, ClientType::M2m), "scopes[1]");
}

#[test]
fn the_name_of_a_grant_among_the_scopes_is_refused() {
    let metadata = ClientMetadata { scopes: list(&["client_credentials"]), ..named() };
    let errors = refused(metadata, ClientType::M2m);
    assert!(errors[0].1.contains("grants"), "{errors:?}");
}

#[rstest]
#[case(ClientType::Public, "client_credentials")]
#[case(ClientType::Public, "urn:ietf:params:oauth:grant-type:token-exchange")]
#[case(ClientType::Private, "client_credentials")]
#[case(ClientType::Private, "urn:ietf:params:oauth:grant-type:token-exchange")]
#[case(ClientType::M2m, "urn:ietf:params:oauth:grant-type:token-exchange")]
#[case(ClientType::M2m, "authorization_code")]
#[case(ClientType::M2m, "refresh_token")]
#[case(ClientType::M2m, "anything")]
fn a_grant_outside_the_type_is_refused(#[case] kind: ClientType, #[case] grant: &str) {
    let metadata = ClientMetadata { grants: list(&[grant]), ..named() };
    assert_eq!(refused_field(metadata, kind), "grants[0]");
}

#[rstest]
#[case("password")]
#[case("implicit")]
fn grants_that_oauth_2_1_dropped_are_refused_with_that_reason(#[case] grant: &str) {
    let metadata = ClientMetadata { grants: list(&[grant]), ..named() };
    let errors = refused(metadata, ClientType::Private);
    assert_eq!(errors, [("grants[0]".into(), format!("{grant} does not exist in OAuth 2.1"))]);
}

#[rstest]
#[case(4)]
#[case(86_401)]
#[case(u64::MAX)]
fn an_access_token_lives_5_to_86400_seconds(#[case] lifetime: u64) {
    let metadata = ClientMetadata { access_token_lifetime: Some(lifetime), ..named() };
    let errors = refused(metadata, ClientType::M2m);
    assert_eq!(errors[0].0, "accessTokenLifetime");
    assert!(!errors[0].1.contains("milliseconds"), "{errors:?}");
}

#[test]
fn a_lifetime_that_looks_like_milliseconds_is_told_about_seconds() {
    let metadata = ClientMetadata { access_token_lifetime: Some(3_600_000), ..named() };
    let errors = refused(metadata, ClientType::M2m);
    assert!(errors[0].1.contains("milliseconds"), "{errors:?}");
}

#[test]
fn the_absolute_lifetime_is_at_least_the_sliding_one() {
    let year = Some(31_536_000);
    let metadata = ClientMetadata { refresh_token_lifetime: year, ..named() };
    let verified = metadata.clone().validate(ClientType::Public).unwrap();
    assert_eq!(verified.lifetimes.refresh_token_absolute, 31_536_000);
    let metadata = ClientMetadata { refresh_token_absolute_lifetime: Some(60), ..metadata };
    assert_eq!(refused_field(metadata, ClientType::Public), "refreshTokenAbsoluteLifetime");
}

#[rstest]
#[case(ClientType::Public, "client_secret_basic")]
#[case(ClientType::Private, "none")]
#[case(ClientType::M2m, "none")]
#[case(ClientType::M2m, "private_key_jwt")]
fn a_method_that_the_type_or_the_server_does_not_have_is_refused(
    #[case] kind: ClientType,
    #[case] method: &str,
) {
    let metadata = ClientMetadata { token_endpoint_auth_method: Some(method.into()), ..named() };
    assert_eq!(refused_field(metadata, kind), "tokenEndpointAuthMethod");
}

#[rstest]
#[case(ClientType::Public, false)]
#[case(ClientType::M2m, true)]
fn pkce_is_always_for_public_and_never_for_m2m_clients(
    #[case] kind: ClientType,
    #[case] given: bool,
) {
    let metadata = ClientMetadata { require_pkce: Some(given), ..named() };
    assert_eq!(refused_field(metadata, kind), "requirePkce");
}

#[rstest]
#[case("orders")]
#[case("https://api.example.com/#x")]
#[case("https://api.example.com/ü")]
fn an_audience_is_an_absolute_uri_without_fragment(#[case] audience: &str) {
    let metadata = ClientMetadata { audiences: list(&[audience]), ..named() };
    assert_eq!(refused_field(metadata, ClientType::M2m), "audiences[0]");
}

#[rstest]
#[case("*")]
#[case("null")]
#[case("https://app.example.com/")]
#[case("https://app.example.com/path")]
#[case("https://APP.example.com")]
#[case("http://app.example.com")]
fn a_cors_origin_is_exact(#[case] origin: &str) {
    let metadata = ClientMetadata { allowed_cors_origins: list(&[origin]), ..named() };
    assert_eq!(refused_field(metadata, ClientType::Public), "allowedCorsOrigins[0]");
}

#[rstest]
#[case(ClientType::Public, None, &["https://app.example.com", "http://127.0.0.1:8000"])]
#[case(ClientType::Public, list(&[]), &[])]
#[case(ClientType::Public, list(&["https://b.example"]), &["https://b.example"])]
#[case(ClientType::Private, None, &[])]
fn a_public_client_that_names_no_cors_origin_has_those_of_its_redirect_uris(
    #[case] kind: ClientType,
    #[case] allowed_cors_origins: Option<Vec<String>>,
    #[case] expected: &[&str],
) {
    let mut uris = vec!["https://app.example.com/cb", "https://app.example.com:443/other"];
    uris.push("http://127.0.0.1:8000/callback");
    if kind == ClientType::Public {
        uris.push("com.example.app:/cb");
    }
    let metadata = ClientMetadata { redirect_uris: list(&uris), allowed_cors_origins, ..named() };
    assert_eq!(metadata.validate(kind).unwrap().allowed_cors_origins, expected);
}

#[rstest]
#[case("javascript:alert(1)")]
#[case("http://app.example.com/logo.png")]
fn a_logo_is_an_https_uri(#[case] uri: &str) {
    let metadata = ClientMetadata { logo_uri: Some(uri.into()), ..named() };
    assert_eq!(refused_field(metadata, ClientType::Public), "logoUri");
}

#[test]
fn an_algorithm_is_rs256_or_es256() {
    let metadata = ClientMetadata { access_token_signing_alg: Some("none".into()), ..named() };
    assert_eq!(refused_field(metadata, ClientType::M2m), "accessTokenSigningAlg");
}

#[test]
fn metadata_are_at_most_20_pairs_of_short_texts() {
    let many = (0..21).map(|n| (format!("key{n}"), String::new())).collect();
    let metadata = ClientMetadata { metadata: Some(many), ..named() };
    assert_eq!(refused_field(metadata, ClientType::M2m), "metadata");
    let long = [("note".to_owned(), "x".repeat(513))].into();
    let metadata = ClientMetadata { metadata: Some(long), ..named() };
    assert_eq!(refused_field(metadata, ClientType::M2m), "metadata.note");
}

#[test]
fn all_broken_rules_are_told_at_once() {
    let metadata = ClientMetadata {
        name: None,
        scopes: list(&["\""]),
        access_token_lifetime: Some(1),
        ..ClientMetadata::default()
    };
    assert_eq!(refused(metadata, ClientType::M2m).len(), 3);
}

#[test]
fn a_list_that_is_too_long_is_refused_by_its_name() {
    let uris = (0..=MAX_URIS).map(|n| format!("https://app.example.com/{n}")).collect();
    let metadata = ClientMetadata { redirect_uris: Some(uris), ..named() };
    assert_eq!(refused_field(metadata, ClientType::Public), "redirectUris");
}

#[rstest]
#[case(" ")]
#[case("line\nbreak")]
#[case(&"x".repeat(513))]
fn a_contact_is_1_to_512_printable_characters(#[case] contact: &str) {
    let metadata = ClientMetadata { contacts: list(&["ops@example.com", contact]), ..named() };
    assert_eq!(refused_field(metadata, ClientType::M2m), "contacts[1]");
}

#[rstest]
#[case(RuleOrList::Rule("scope".into()), IdTokenClaims::Rule(IdTokenRule::Scope))]
#[case(RuleOrList::Rule("none".into()), IdTokenClaims::Rule(IdTokenRule::None))]
#[case(RuleOrList::List(Vec::new()), IdTokenClaims::Listed(Vec::new()))]
#[case(
    RuleOrList::List(vec!["email".into(), "address".into(), "email".into()]),
    IdTokenClaims::Listed(vec![UserClaim::Email, UserClaim::Address])
)]
fn the_claims_of_id_tokens_are_a_rule_or_a_list(
    #[case] given: RuleOrList,
    #[case] expected: IdTokenClaims,
) {
    let metadata = ClientMetadata { id_token_claims: Some(given), ..named() };
    let verified = metadata.validate(ClientType::Private).unwrap();
    assert_eq!(verified.id_token_claims, Some(expected));
}

#[test]
fn by_default_id_tokens_say_what_the_scope_gives_and_an_m2m_client_gets_none() {
    let claims = |kind| named().validate(kind).unwrap().id_token_claims;
    assert_eq!(claims(ClientType::Public), Some(IdTokenClaims::Rule(IdTokenRule::Scope)));
    assert_eq!(claims(ClientType::M2m), None);
    let none = Some(RuleOrList::Rule("none".into()));
    let metadata = ClientMetadata { id_token_claims: none, ..named() };
    assert_eq!(refused_field(metadata, ClientType::M2m), "idTokenClaims");
}

#[rstest]
#[case("sub", "'sub' is no claim")]
#[case("Email", "'Email' is no claim")]
#[case("", "'' is no claim")]
#[case("line\nbreak\"", "'line%0Abreak%22' is no claim")]
#[case(&"x".repeat(9999), "xxx...' is no claim")]
fn a_claim_of_id_tokens_that_is_unknown_is_refused_by_its_name(
    #[case] name: &str,
    #[case] message: &str,
) {
    let list = Some(RuleOrList::List(vec!["email".into(), name.into()]));
    let metadata = ClientMetadata { id_token_claims: list, ..named() };
    let errors = refused(metadata, ClientType::Public);
    assert_eq!(errors[0].0, "idTokenClaims[1]");
    assert!(errors[0].1.contains(message) && errors[0].1.len() < 600, "{errors:?}");
}

#[rstest]
#[case("email")]
#[case("Scope")]
#[case("")]
fn a_rule_for_the_claims_of_id_tokens_is_scope_or_none(#[case] rule: &str) {
    let metadata =
        ClientMetadata { id_token_claims: Some(RuleOrList::Rule(rule.into())), ..named() };
    assert_eq!(refused_field(metadata, ClientType::Public), "idTokenClaims");
}
