//! The claims about users.

use super::scope::Scope;
use super::vocabulary::vocabulary;

vocabulary! {
    /// A standard claim about a user (OpenID Connect Core 1.0 §5.1). `sub` is none of them: every answer has it.
    ///
    /// Where there is no room for all, those at the top go first: they are what clients cannot do without.
    pub enum UserClaim {
        /// The e-mail address.
        Email => "email",
        /// Whether the e-mail address is known to be the user's.
        EmailVerified => "email_verified",
        /// The full name.
        Name => "name",
        /// How the user likes to be called at the client.
        PreferredUsername => "preferred_username",
        /// The surname.
        FamilyName => "family_name",
        /// The first name.
        GivenName => "given_name",
        /// The middle name.
        MiddleName => "middle_name",
        /// The casual name.
        Nickname => "nickname",
        /// The URL of the profile page.
        Profile => "profile",
        /// The URL of the picture.
        Picture => "picture",
        /// The URL of the web page or blog.
        Website => "website",
        /// The gender.
        Gender => "gender",
        /// The birthday.
        Birthdate => "birthdate",
        /// The time zone.
        Zoneinfo => "zoneinfo",
        /// The language and region.
        Locale => "locale",
        /// When the user was last changed.
        UpdatedAt => "updated_at",
        /// The postal address.
        Address => "address",
        /// The telephone number.
        PhoneNumber => "phone_number",
        /// Whether the telephone number is known to be the user's.
        PhoneNumberVerified => "phone_number_verified",
    }
}

impl UserClaim {
    /// The scope that gives the claim (OpenID Connect Core 1.0 §5.4).
    #[must_use]
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Name
            | Self::FamilyName
            | Self::GivenName
            | Self::MiddleName
            | Self::Nickname
            | Self::PreferredUsername
            | Self::Profile
            | Self::Picture
            | Self::Website
            | Self::Gender
            | Self::Birthdate
            | Self::Zoneinfo
            | Self::Locale
            | Self::UpdatedAt => "profile",
            Self::Email | Self::EmailVerified => "email",
            Self::Address => "address",
            Self::PhoneNumber | Self::PhoneNumberVerified => "phone",
        }
    }

    /// Whether `scope` gives the claim.
    #[must_use]
    pub fn is_given_by(self, scope: &Scope) -> bool {
        scope.contains(self.scope())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_is_given_by_a_scope_of_users() {
        for claim in UserClaim::ALL {
            assert!(super::super::scope::USER_SCOPES.contains(&claim.scope()), "{claim}");
        }
    }
}
