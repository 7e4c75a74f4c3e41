//! What a client is told of a user, which follows from the scope that the user allowed it.

use serde_json::{Map, Value};

use super::{Address, User};
use crate::values::Scope;

/// Every claim that a scope may give, and those of ID tokens (OpenID Connect Core 1.0 §2, §5.1).
pub const CLAIMS: [&str; 30] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "acr",
    "amr",
    "nonce",
    "at_hash",
    "sid",
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "email",
    "email_verified",
    "address",
    "phone_number",
    "phone_number_verified",
];

/// The claims of `user` for `scope` (OpenID Connect Core 1.0 §5.4): always `sub`, and for each of
/// `profile`, `email`, `address` and `phone` its claims, as far as they are known.
///
/// §5.3.2: "If a Claim is not returned, that Claim Name SHOULD be omitted".
#[must_use]
pub fn claims(user: &User, scope: &Scope) -> Map<String, Value> {
    let details = &user.details;
    let mut claims = Claims(Map::new());
    claims.add("sub", user.id.to_string());
    if scope.contains("profile") {
        for (name, value) in [
            ("name", &details.name),
            ("family_name", &details.family_name),
            ("given_name", &details.given_name),
            ("middle_name", &details.middle_name),
            ("nickname", &details.nickname),
            ("preferred_username", &details.preferred_username),
            ("profile", &details.profile),
            ("picture", &details.picture),
            ("website", &details.website),
            ("gender", &details.gender),
            ("birthdate", &details.birthdate),
            ("zoneinfo", &details.zoneinfo),
            ("locale", &details.locale),
        ] {
            claims.add_known(name, value.as_deref());
        }
        claims.add("updated_at", user.updated_at.seconds());
    }
    if scope.contains("email") {
        claims.add("email", details.email.as_str());
        claims.add("email_verified", details.email_verified);
    }
    if let (true, Some(address)) = (scope.contains("address"), &details.address) {
        claims.add("address", address_claim(address));
    }
    if let (true, Some(number)) = (scope.contains("phone"), &details.phone_number) {
        claims.add("phone_number", number.as_str());
        claims.add("phone_number_verified", details.phone_number_verified);
    }
    claims.0
}

/// OpenID Connect Core 1.0 §5.1.1.
fn address_claim(address: &Address) -> Value {
    let Address { formatted, street_address, locality, region, postal_code, country } = address;
    let mut members = Claims(Map::new());
    members.add_known("formatted", formatted.as_deref());
    members.add_known("street_address", street_address.as_deref());
    members.add_known("locality", locality.as_deref());
    members.add_known("region", region.as_deref());
    members.add_known("postal_code", postal_code.as_deref());
    members.add_known("country", country.as_deref());
    Value::Object(members.0)
}

struct Claims(Map<String, Value>);

impl Claims {
    fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn add_known(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::models::device::KnownBrowsers;
    use crate::models::user::UserMetadata;
    use crate::values::Timestamp;

    fn user(metadata: UserMetadata) -> User {
        let email = Some("Ada@example.com".to_owned());
        User {
            id: Uuid::from_u128(7),
            details: UserMetadata { email, ..metadata }.validate().unwrap(),
            password: None,
            browsers: KnownBrowsers::default(),
            created_at: Timestamp::from_seconds(1),
            updated_at: Timestamp::from_millis(2500),
            version: 1,
        }
    }

    fn full() -> User {
        let text = |text: &str| Some(text.to_owned());
        user(UserMetadata {
            email: None,
            email_verified: Some(true),
            phone_number: text("+4930123456"),
            phone_number_verified: Some(true),
            name: text("Ada Lovelace"),
            given_name: text("Ada"),
            family_name: text("Lovelace"),
            middle_name: text("King"),
            nickname: text("Countess"),
            preferred_username: text("ada"),
            profile: text("https://example.com/ada"),
            picture: text("https://example.com/ada.png"),
            website: text("https://ada.example.com/"),
            gender: text("female"),
            birthdate: text("1815-12-10"),
            zoneinfo: text("Europe/London"),
            locale: text("en-GB"),
            address: Some(Address {
                formatted: text("12 St James's Square\nLondon"),
                street_address: text("12 St James's Square"),
                locality: text("London"),
                region: text("Greater London"),
                postal_code: text("SW1Y 4JH"),
                country: text("GB"),
            }),
            is_active: None,
            metadata: Some([("team".to_owned(), "engines".to_owned())].into()),
        })
    }

    fn claims_for(user: &User, scope: &str) -> Value {
        Value::Object(claims(user, &Scope::parse(scope).unwrap()))
    }

    const SUB: &str = "00000000-0000-0000-0000-000000000007";

    #[rstest]
    #[case("openid", json!({ "sub": SUB }))]
    #[case("openid email", json!({
        "sub": SUB, "email": "Ada@example.com", "email_verified": true,
    }))]
    #[case("openid phone", json!({
        "sub": SUB, "phone_number": "+4930123456", "phone_number_verified": true,
    }))]
    #[case("openid address", json!({
        "sub": SUB,
        "address": {
            "formatted": "12 St James's Square\nLondon",
            "street_address": "12 St James's Square",
            "locality": "London",
            "region": "Greater London",
            "postal_code": "SW1Y 4JH",
            "country": "GB",
        },
    }))]
    #[case("openid profile", json!({
        "sub": SUB,
        "name": "Ada Lovelace",
        "family_name": "Lovelace",
        "given_name": "Ada",
        "middle_name": "King",
        "nickname": "Countess",
        "preferred_username": "ada",
        "profile": "https://example.com/ada",
        "picture": "https://example.com/ada.png",
        "website": "https://ada.example.com/",
        "gender": "female",
        "birthdate": "1815-12-10",
        "zoneinfo": "Europe/London",
        "locale": "en-GB",
        "updated_at": 2,
    }))]
    #[case("openid orders:read offline_access", json!({ "sub": SUB }))]
    fn a_scope_gives_its_claims_and_no_other(#[case] scope: &str, #[case] expected: Value) {
        assert_eq!(claims_for(&full(), scope), expected);
    }

    #[test]
    fn a_claim_without_value_is_left_out() {
        let expected = json!({
            "sub": SUB,
            "updated_at": 2,
            "email": "Ada@example.com",
            "email_verified": false,
        });
        let scope = "openid profile email address phone";
        assert_eq!(claims_for(&user(UserMetadata::default()), scope), expected);
    }
}
