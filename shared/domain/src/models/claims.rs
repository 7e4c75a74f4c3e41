//! What a client asks for by the `claims` parameter, claim by claim (OpenID Connect Core 1.0 §5.5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::user::User;
use crate::values::{Scope, UserClaim};

/// A claim that is asked for. Whether it is essential is not kept: a claim that is known and allowed is given, any
/// other is left out, and "the Authorization Server MUST NOT generate an error" for that (§5.5.1).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestedClaim {
    /// The claim.
    pub name: UserClaim,
    /// The values that the client can use, each as the text of its JSON; none is any value. Texts, because not every
    /// number of JSON is one of the store's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// The claims about the user that are asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestedClaims {
    /// At userinfo.
    pub userinfo: Vec<RequestedClaim>,
    /// In the ID token.
    pub id_token: Vec<RequestedClaim>,
}

impl RequestedClaim {
    /// The value of the claim for `user`, if it is known and one that the client can use.
    #[must_use]
    pub fn value_of(&self, user: &User) -> Option<Value> {
        let value = user.claim(self.name)?;
        let is_usable = self.values.is_empty() || self.values.contains(&value.to_string());
        is_usable.then_some(value)
    }
}

impl RequestedClaims {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The claims that `scope` does not give, wherever they are asked for.
    #[must_use]
    pub fn beyond(&self, scope: &Scope) -> Vec<UserClaim> {
        let mut beyond = Vec::new();
        for RequestedClaim { name, values: _ } in self.userinfo.iter().chain(&self.id_token) {
            if !name.is_given_by(scope) && !beyond.contains(name) {
                beyond.push(*name);
            }
        }
        beyond
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

    fn claim(name: UserClaim, values: &[&str]) -> RequestedClaim {
        RequestedClaim { name, values: values.iter().map(|text| (*text).to_owned()).collect() }
    }

    #[rstest]
    #[case(UserClaim::Email, &[], json!("ada@example.com"))]
    #[case(UserClaim::Email, &[r#""ada@example.com""#], json!("ada@example.com"))]
    #[case(UserClaim::Email, &["1", r#""ada@example.com""#], json!("ada@example.com"))]
    #[case(UserClaim::Email, &[r#""bob@example.com""#], Value::Null)]
    #[case(UserClaim::EmailVerified, &["true"], Value::Null)]
    #[case(UserClaim::EmailVerified, &["false"], json!(false))]
    #[case(UserClaim::EmailVerified, &[r#""false""#], Value::Null)]
    #[case(UserClaim::UpdatedAt, &["2"], json!(2))]
    #[case(UserClaim::Name, &[], Value::Null)]
    fn a_claim_is_given_where_it_is_known_and_has_a_value_that_is_asked_for(
        #[case] name: UserClaim,
        #[case] values: &[&str],
        #[case] expected: Value,
    ) {
        let email = Some("ada@example.com".to_owned());
        let user = User {
            id: Uuid::from_u128(7),
            details: UserMetadata { email, ..UserMetadata::default() }.validate().unwrap(),
            password: None,
            browsers: KnownBrowsers::default(),
            created_at: Timestamp::from_seconds(1),
            updated_at: Timestamp::from_seconds(2),
            version: 1,
        };
        let given = claim(name, values).value_of(&user);
        assert_eq!(given.unwrap_or_default(), expected);
    }

    #[test]
    fn what_the_scope_gives_is_not_asked_for_twice() {
        let asked = RequestedClaims {
            userinfo: vec![claim(UserClaim::Name, &[]), claim(UserClaim::Email, &[])],
            id_token: vec![claim(UserClaim::Address, &[]), claim(UserClaim::Email, &["1"])],
        };
        let beyond = |scope| asked.beyond(&Scope::parse(scope).unwrap());
        assert_eq!(beyond("openid profile"), [UserClaim::Email, UserClaim::Address]);
        assert_eq!(beyond("openid profile email address"), []);
    }
}
