//! The `claims` parameter (OpenID Connect Core 1.0 §5.5): which claims a client asks for, and where. It is bounded as
//! every parameter is.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::response::AuthorizationError;
use crate::models::claims::{RequestedClaim, RequestedClaims};
use crate::models::client::Client;
use crate::token::ACR;
use crate::values::{ErrorCode, Scope, UserClaim, json};

/// What the parameter asks for.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Claims {
    /// About the user.
    pub(super) requested: RequestedClaims,
    /// The users whose `sub` the client can use; `None` is any.
    pub(super) subjects: Option<Vec<Uuid>>,
}

/// How one claim is asked for (§5.5.1).
struct Asked<'a> {
    is_essential: bool,
    /// The values that the client can use; `None` is any.
    values: Option<&'a [Value]>,
}

/// What `client` asks for. A claim that no scope in its list gives is left out, and so is one that this server does
/// not know: "any Claims used that are not understood MUST be ignored" (§5.5).
pub(super) fn read(client: &Client, text: Option<&str>) -> Result<Claims, AuthorizationError> {
    let Some(text) = text else { return Ok(Claims::default()) };
    let Ok(Value::Object(members)) = json::parse(text.as_bytes()) else {
        return Err(invalid("claims must be one JSON object that has no member twice"));
    };
    let (userinfo, id_token) = (place(&members, "userinfo")?, place(&members, "id_token")?);
    check_acr(id_token)?;
    let allowed = client.scope();
    Ok(Claims {
        requested: RequestedClaims {
            userinfo: about_user(userinfo, allowed)?,
            id_token: about_user(id_token, allowed)?,
        },
        subjects: both(subjects(userinfo)?, subjects(id_token)?),
    })
}

fn invalid(description: &'static str) -> AuthorizationError {
    AuthorizationError::new(ErrorCode::InvalidRequest, description)
}

/// What is asked for at one place. Members of other names are not understood, and ignored.
fn place<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, AuthorizationError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(claims)) => Ok(Some(claims)),
        Some(_) => Err(invalid("claims must have JSON objects as userinfo and id_token")),
    }
}

/// How `name` is asked for; `None` where it is not.
fn asked<'a>(
    claims: Option<&'a Map<String, Value>>,
    name: &str,
) -> Result<Option<Asked<'a>>, AuthorizationError> {
    let request = match claims.and_then(|claims| claims.get(name)) {
        None => return Ok(None),
        // "This is the default … requested in the default manner … Voluntary Claim".
        Some(Value::Null) => return Ok(Some(Asked { is_essential: false, values: None })),
        Some(Value::Object(request)) => request,
        Some(_) => return Err(invalid("claims must have null or a JSON object for each claim")),
    };
    let member = |name| request.get(name).filter(|value| !value.is_null());
    let is_essential = match member("essential") {
        None => false,
        Some(Value::Bool(is_essential)) => *is_essential,
        Some(_) => return Err(invalid("claims must have true or false as essential")),
    };
    let values = match (member("value"), member("values")) {
        (None, None) => None,
        (Some(value), None) => Some(std::slice::from_ref(value)),
        (None, Some(Value::Array(values))) if !values.is_empty() => Some(values.as_slice()),
        (None, Some(_)) => {
            return Err(invalid("claims must have a list that is not empty as values"));
        }
        (Some(_), Some(_)) => return Err(invalid("claims must not have both value and values")),
    };
    Ok(Some(Asked { is_essential, values }))
}

/// The claims about the user that are asked for, and that a scope of `allowed` gives.
fn about_user(
    claims: Option<&Map<String, Value>>,
    allowed: &Scope,
) -> Result<Vec<RequestedClaim>, AuthorizationError> {
    let mut requested = Vec::new();
    for name in UserClaim::ALL {
        let Some(Asked { is_essential: _, values }) = asked(claims, name.as_str())? else {
            continue;
        };
        if name.is_given_by(allowed) {
            let values = values.unwrap_or_default().iter().map(ToString::to_string).collect();
            requested.push(RequestedClaim { name, values });
        }
    }
    Ok(requested)
}

/// Whom the claim `sub` is asked for with (§5.5.1). A text that is no user's name is nobody's.
fn subjects(claims: Option<&Map<String, Value>>) -> Result<Option<Vec<Uuid>>, AuthorizationError> {
    let Some(values) = asked(claims, "sub")?.and_then(|asked| asked.values) else {
        return Ok(None);
    };
    let mut subjects = Vec::new();
    for value in values {
        let text =
            value.as_str().ok_or_else(|| invalid("claims must have texts as values of sub"))?;
        // As tokens write it, and in no other spelling.
        let user = Uuid::try_parse(text).ok().filter(|user| user.to_string() == text);
        subjects.extend(user);
    }
    Ok(Some(subjects))
}

/// Those whom both places can use.
fn both(userinfo: Option<Vec<Uuid>>, id_token: Option<Vec<Uuid>>) -> Option<Vec<Uuid>> {
    match (userinfo, id_token) {
        (Some(mut some), Some(others)) => {
            some.retain(|user| others.contains(user));
            Some(some)
        }
        (some, None) | (None, some) => some,
    }
}

/// §5.5.1.1: an essential `acr` with values is met, or the authentication has failed. Every sign-in of this server is
/// of the one class, so no sign-in helps where that is not asked for. Without `essential` it is a wish, as `acr_values`.
fn check_acr(id_token: Option<&Map<String, Value>>) -> Result<(), AuthorizationError> {
    let Some(Asked { is_essential: true, values: Some(values) }) = asked(id_token, "acr")? else {
        return Ok(());
    };
    if values.iter().any(|value| value == ACR) {
        return Ok(());
    }
    let description = "claims asks for an acr that no sign-in of this server has";
    Err(AuthorizationError::new(ErrorCode::UnmetAuthenticationRequirements, description))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::models::client::ClientMetadata;
    use crate::values::{ClientId, ClientType, Timestamp};

    fn client(scopes: &[&str]) -> Client {
        let metadata = ClientMetadata {
            name: Some("Photos".into()),
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            ..ClientMetadata::default()
        };
        Client {
            id: Uuid::nil(),
            client_id: ClientId::parse("public_1").unwrap(),
            kind: ClientType::Public,
            metadata: metadata.validate(ClientType::Public).unwrap(),
            secrets: Vec::new(),
            created_at: Timestamp::from_seconds(0),
            updated_at: Timestamp::from_seconds(0),
            version: 1,
        }
    }

    fn read(text: &str) -> Result<Claims, AuthorizationError> {
        super::read(&client(&["openid", "profile", "email"]), Some(text))
    }

    fn names(requested: &[RequestedClaim]) -> Vec<&'static str> {
        requested.iter().map(|claim| claim.name.as_str()).collect()
    }

    #[test]
    fn the_example_of_the_specification_is_understood() {
        let text = r#"{
            "userinfo": {
                "given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
                "email_verified": {"essential": true}, "picture": null,
                "http://example.info/claims/groups": null
            },
            "id_token": {
                "auth_time": {"essential": true},
                "acr": {"values": ["urn:mace:incommon:iap:silver"]}
            }
        }"#;
        let Claims { requested, subjects } = read(text).unwrap();
        let userinfo = ["email", "email_verified", "given_name", "nickname", "picture"];
        assert_eq!(names(&requested.userinfo), userinfo);
        assert_eq!((requested.id_token, subjects), (Vec::new(), None));
    }

    #[test]
    fn what_no_scope_of_the_client_gives_is_left_out() {
        let text =
            r#"{"id_token": {"address": null, "phone_number": {"essential": true}, "name": null}}"#;
        assert_eq!(names(&read(text).unwrap().requested.id_token), ["name"]);
        let requested = super::read(&client(&["openid"]), Some(text)).unwrap().requested;
        assert!(requested.is_empty());
    }

    #[rstest]
    #[case("{}")]
    #[case(r#"{"userinfo": null, "id_token": null, "other": 7}"#)]
    #[case(r#"{"userinfo": {}, "id_token": {}}"#)]
    #[case(r#"{"userinfo": {"iss": null, "nonce": {"value": "x"}, "unknown": 7, "name#de": []}}"#)]
    #[case(r#"{"access_token": {"email": null}}"#)]
    fn what_is_not_understood_asks_for_nothing(#[case] text: &str) {
        assert_eq!(read(text), Ok(Claims::default()));
    }

    #[rstest]
    #[case(r#"{"value": "a"}"#, &[r#""a""#])]
    #[case(r#"{"values": ["b", true, 1, 1e300, {"z": null, "a": []}], "essential": true}"#,
        &[r#""b""#, "true", "1", "1e+300", r#"{"a":[],"z":null}"#])]
    #[case(r#"{"value": null, "values": null, "essential": null, "purpose": "x"}"#, &[])]
    fn the_values_are_kept_as_texts(#[case] request: &str, #[case] expected: &[&str]) {
        let text = format!(r#"{{"userinfo": {{"email": {request}}}}}"#);
        assert_eq!(read(&text).unwrap().requested.userinfo[0].values, expected);
    }

    #[rstest]
    #[case("", "object")]
    #[case("null", "object")]
    #[case("[]", "object")]
    #[case("\"userinfo\"", "object")]
    #[case("{\"userinfo\": {}", "object")]
    #[case(r#"{"userinfo": {}, "userinfo": {}}"#, "twice")]
    #[case(r#"{"userinfo": {"email": null, "email": null}}"#, "twice")]
    #[case(r#"{"x": {"y": {"a": 1, "\u0061": 1}}}"#, "twice")]
    #[case(r#"{"userinfo": []}"#, "userinfo and id_token")]
    #[case(r#"{"id_token": "email"}"#, "userinfo and id_token")]
    #[case(r#"{"userinfo": {"email": true}}"#, "each claim")]
    #[case(r#"{"userinfo": {"phone_number": "x"}}"#, "each claim")]
    #[case(r#"{"id_token": {"acr": ["1"]}}"#, "each claim")]
    #[case(r#"{"id_token": {"email": {"essential": "true"}}}"#, "essential")]
    #[case(r#"{"id_token": {"email": {"values": "x"}}}"#, "values")]
    #[case(r#"{"id_token": {"email": {"values": []}}}"#, "values")]
    #[case(r#"{"id_token": {"email": {"value": "x", "values": ["x"]}}}"#, "both")]
    #[case(r#"{"id_token": {"sub": {"value": 7}}}"#, "sub")]
    #[case(r#"{"userinfo": {"sub": {"values": ["x", null]}}}"#, "sub")]
    fn what_is_malformed_is_invalid_request_and_the_parameter_is_named(
        #[case] text: &str,
        #[case] rule: &str,
    ) {
        let error = read(text).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        let description = error.description;
        assert!(description.starts_with("claims ") && description.contains(rule), "{description}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r#"[{}\[\]":,a-z0-9 ]{0,80}|.*"#) {
            let _ = read(&text);
            let _ = read(&format!(r#"{{"id_token": {text}, "userinfo": {{"acr": {text}, "sub": {text}}}}}"#));
        }
    }

    #[test]
    fn the_depth_is_bounded() {
        let deep = format!(r#"{{"x": {}{}}}"#, "[".repeat(1000), "]".repeat(1000));
        assert_eq!(read(&deep).unwrap_err().code, ErrorCode::InvalidRequest);
    }

    const ANN: &str = "0190a000-0000-7000-8000-00000000000a";
    const BOB: &str = "0190a000-0000-7000-8000-00000000000b";

    #[rstest]
    #[case("null", "null", None)]
    #[case(r#"{"essential": true}"#, "null", None)]
    #[case(r#"{"value": "ANN"}"#, "null", Some("ANN"))]
    #[case("null", r#"{"values": ["BOB", "x", "ANN"]}"#, Some("BOB ANN"))]
    #[case(r#"{"value": "ANN"}"#, r#"{"values": ["BOB", "ANN"]}"#, Some("ANN"))]
    #[case(r#"{"value": "ANN"}"#, r#"{"value": "BOB"}"#, Some(""))]
    #[case(r#"{"value": "alice@example.com"}"#, "null", Some(""))]
    #[case(r#"{"value": "{ANN}"}"#, "null", Some(""))]
    #[case(r#"{"value": "urn:uuid:ANN"}"#, "null", Some(""))]
    fn a_sub_that_is_asked_for_says_who_must_sign_in(
        #[case] id_token: &str,
        #[case] userinfo: &str,
        #[case] expected: Option<&str>,
    ) {
        let text =
            format!(r#"{{"id_token": {{"sub": {id_token}}}, "userinfo": {{"sub": {userinfo}}}}}"#);
        let named = |text: &str| text.replace("ANN", ANN).replace("BOB", BOB);
        let subjects = read(&named(&text)).unwrap().subjects;
        let subjects = subjects.map(|users| users.iter().map(Uuid::to_string).collect::<Vec<_>>());
        assert_eq!(subjects.map(|users| users.join(" ")), expected.map(named));
    }

    #[rstest]
    #[case(r#"{"id_token": {"acr": {"essential": true}}}"#, true)]
    #[case(r#"{"id_token": {"acr": {"values": ["2"]}}}"#, true)]
    #[case(r#"{"id_token": {"acr": {"essential": false, "value": "2"}}}"#, true)]
    #[case(r#"{"id_token": {"acr": {"essential": true, "values": ["2", "1"]}}}"#, true)]
    #[case(r#"{"userinfo": {"acr": {"essential": true, "value": "2"}}}"#, true)]
    #[case(r#"{"id_token": {"acr": {"essential": true, "value": "2"}}}"#, false)]
    #[case(r#"{"id_token": {"acr": {"essential": true, "value": 1}}}"#, false)]
    #[case(r#"{"id_token": {"acr": {"essential": true, "values": ["2", "phr"]}}}"#, false)]
    fn an_essential_acr_must_be_one_that_a_sign_in_has(#[case] text: &str, #[case] is_met: bool) {
        let expected = ErrorCode::UnmetAuthenticationRequirements;
        assert_eq!(read(text).map_err(|error| error.code).err(), (!is_met).then_some(expected));
    }
}
