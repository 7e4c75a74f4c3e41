//! Claims in words.

use identety_domain::user::UserClaim;

/// What a client learns by one claim (OpenID Connect Core 1.0 §5.1), as the consent page says it.
#[must_use]
pub fn claim_in_words(claim: UserClaim) -> &'static str {
    match claim {
        UserClaim::Name => "See your full name",
        UserClaim::FamilyName => "See your family name",
        UserClaim::GivenName => "See your given name",
        UserClaim::MiddleName => "See your middle name",
        UserClaim::Nickname => "See your nickname",
        UserClaim::PreferredUsername => "See your user name",
        UserClaim::Profile => "See the address of your profile page",
        UserClaim::Picture => "See your picture",
        UserClaim::Website => "See the address of your website",
        UserClaim::Gender => "See your gender",
        UserClaim::Birthdate => "See your date of birth",
        UserClaim::Zoneinfo => "See your time zone",
        UserClaim::Locale => "See your language and region",
        UserClaim::UpdatedAt => "See when your details last changed",
        UserClaim::Email => "See your email address",
        UserClaim::EmailVerified => "See whether your email address is verified",
        UserClaim::Address => "See your postal address",
        UserClaim::PhoneNumber => "See your phone number",
        UserClaim::PhoneNumberVerified => "See whether your phone number is verified",
    }
}
