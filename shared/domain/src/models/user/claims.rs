//! What a client is told of a user, claim by claim.

use serde_json::{Map, Value};

use super::{Address, User};
use crate::values::UserClaim;

/// The claims of ID tokens that are about the sign-in and not about the user (OpenID Connect Core 1.0 §2, §3.1.3.6,
/// OpenID Connect Back-Channel Logout 1.0 §2.1).
pub const SIGN_IN_CLAIMS: [&str; 11] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "at_hash", "sid"];

impl User {
    /// The value of a claim; `None` where it is not known.
    ///
    /// OpenID Connect Core 1.0 §5.3.2: "If a Claim is not returned, that Claim Name SHOULD be omitted".
    #[must_use]
    pub fn claim(&self, claim: UserClaim) -> Option<Value> {
        let details = &self.details;
        let text = match claim {
            UserClaim::Name => &details.name,
            UserClaim::FamilyName => &details.family_name,
            UserClaim::GivenName => &details.given_name,
            UserClaim::MiddleName => &details.middle_name,
            UserClaim::Nickname => &details.nickname,
            UserClaim::PreferredUsername => &details.preferred_username,
            UserClaim::Profile => &details.profile,
            UserClaim::Picture => &details.picture,
            UserClaim::Website => &details.website,
            UserClaim::Gender => &details.gender,
            UserClaim::Birthdate => &details.birthdate,
            UserClaim::Zoneinfo => &details.zoneinfo,
            UserClaim::Locale => &details.locale,
            UserClaim::PhoneNumber => &details.phone_number,
            UserClaim::UpdatedAt => return Some(self.updated_at.seconds().into()),
            UserClaim::Email => return Some(details.email.as_str().into()),
            UserClaim::EmailVerified => return Some(details.email_verified.into()),
            UserClaim::Address => return details.address.as_ref().map(address_claim),
            UserClaim::PhoneNumberVerified => {
                return details.phone_number.as_ref().map(|_| details.phone_number_verified.into());
            }
        };
        text.as_deref().map(Value::from)
    }
}

/// OpenID Connect Core 1.0 §5.1.1.
fn address_claim(address: &Address) -> Value {
    let Address { formatted, street_address, locality, region, postal_code, country } = address;
    let members = [
        ("formatted", formatted),
        ("street_address", street_address),
        ("locality", locality),
        ("region", region),
        ("postal_code", postal_code),
        ("country", country),
    ];
    let known = members.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
    known.map(|(name, text)| (name.to_owned(), Value::from(text))).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::models::device::KnownBrowsers;
    use crate::models::user::UserMetadata;
    use crate::values::{Scope, Timestamp};

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
        let scope = Scope::parse(scope).unwrap();
        let given = UserClaim::ALL.into_iter().filter(|claim| claim.is_given_by(&scope));
        let known = given.filter_map(|claim| Some((claim.to_string(), user.claim(claim)?)));
        Value::Object(known.collect())
    }

    #[rstest]
    #[case("openid", json!({}))]
    #[case("openid email", json!({
        "email": "Ada@example.com", "email_verified": true,
    }))]
    #[case("openid phone", json!({
        "phone_number": "+4930123456", "phone_number_verified": true,
    }))]
    #[case("openid address", json!({
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
    #[case("openid orders:read offline_access", json!({}))]
    fn a_scope_gives_its_claims_and_no_other(#[case] scope: &str, #[case] expected: Value) {
        assert_eq!(claims_for(&full(), scope), expected);
    }

    #[test]
    fn no_claim_about_the_user_has_the_name_of_one_about_the_sign_in() {
        for claim in UserClaim::ALL {
            assert!(!SIGN_IN_CLAIMS.contains(&claim.as_str()), "{claim}");
        }
    }

    #[test]
    fn a_claim_without_value_is_left_out() {
        let expected = json!({
                "updated_at": 2,
            "email": "Ada@example.com",
            "email_verified": false,
        });
        let scope = "openid profile email address phone";
        assert_eq!(claims_for(&user(UserMetadata::default()), scope), expected);
    }
}
