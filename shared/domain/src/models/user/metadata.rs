//! What somebody says of a user, and the rules that make it fit to be told to others.

use std::collections::BTreeMap;

use url::Url;

use super::{Address, EmailAddress, UserDetails};
use crate::values::FieldError;
use crate::values::rules::{self, MAX_TEXT};
use crate::values::text::{is_blank, is_printable};

/// The longest name of a time zone or a language, in characters.
const MAX_NAME: usize = 64;
/// How many digits a telephone number has, country code included (ITU-T E.164; short ones exist).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// The details of a user as they come from outside: nothing in here is to be believed.
///
/// A member that is `None` was not given.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(missing_docs, reason = "the members are those of UserDetails")]
pub struct UserMetadata {
    pub email: Option<String>,
    pub email_verified: Option<bool>,
    pub phone_number: Option<String>,
    pub phone_number_verified: Option<bool>,
    pub name: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub middle_name: Option<String>,
    pub nickname: Option<String>,
    pub preferred_username: Option<String>,
    pub profile: Option<String>,
    pub picture: Option<String>,
    pub website: Option<String>,
    pub gender: Option<String>,
    pub birthdate: Option<String>,
    pub zoneinfo: Option<String>,
    pub locale: Option<String>,
    pub address: Option<Address>,
    pub is_active: Option<bool>,
    pub metadata: Option<BTreeMap<String, String>>,
}

impl UserMetadata {
    /// Checks every member.
    ///
    /// # Errors
    /// All broken rules at once, each with the member that breaks it.
    pub fn validate(self) -> Result<UserDetails, Vec<FieldError>> {
        // Destructured whole, so that a member which nobody checks does not compile.
        let Self {
            email,
            email_verified,
            phone_number,
            phone_number_verified,
            name,
            given_name,
            family_name,
            middle_name,
            nickname,
            preferred_username,
            profile,
            picture,
            website,
            gender,
            birthdate,
            zoneinfo,
            locale,
            address,
            is_active,
            metadata,
        } = self;
        let mut check = Check::default();
        let email = check.email(email.as_deref());
        let details = UserDetails {
            email_verified: email_verified.unwrap_or(false),
            phone_number_verified: check
                .phone_number_verified(phone_number_verified, phone_number.is_some()),
            phone_number: check.shape("phoneNumber", phone_number, is_phone_number, PHONE_RULE),
            name: check.text("name", name),
            given_name: check.text("givenName", given_name),
            family_name: check.text("familyName", family_name),
            middle_name: check.text("middleName", middle_name),
            nickname: check.text("nickname", nickname),
            preferred_username: check.text("preferredUsername", preferred_username),
            profile: check.shape("profile", profile, is_page, PAGE_RULE),
            picture: check.shape("picture", picture, is_page, PAGE_RULE),
            website: check.shape("website", website, is_page, PAGE_RULE),
            gender: check.text("gender", gender),
            birthdate: check.shape("birthdate", birthdate, is_birthdate, BIRTHDATE_RULE),
            zoneinfo: check.shape("zoneinfo", zoneinfo, is_time_zone, ZONE_RULE),
            locale: check.shape("locale", locale, is_locale, LOCALE_RULE),
            address: address.and_then(|address| check.address(address)),
            is_active: is_active.unwrap_or(true),
            metadata: check.pairs(metadata),
            // Refused above where there is none.
            email: match email {
                Some(email) => email,
                None => return Err(check.errors),
            },
        };
        if check.errors.is_empty() { Ok(details) } else { Err(check.errors) }
    }
}

impl From<UserDetails> for UserMetadata {
    /// Everything given, for a change to lie on top of.
    fn from(details: UserDetails) -> Self {
        Self {
            email: Some(details.email.as_str().to_owned()),
            email_verified: Some(details.email_verified),
            phone_number: details.phone_number,
            phone_number_verified: Some(details.phone_number_verified),
            name: details.name,
            given_name: details.given_name,
            family_name: details.family_name,
            middle_name: details.middle_name,
            nickname: details.nickname,
            preferred_username: details.preferred_username,
            profile: details.profile,
            picture: details.picture,
            website: details.website,
            gender: details.gender,
            birthdate: details.birthdate,
            zoneinfo: details.zoneinfo,
            locale: details.locale,
            address: details.address,
            is_active: Some(details.is_active),
            metadata: Some(details.metadata),
        }
    }
}

const EMAIL_RULE: &str = "must be an e-mail address such as ada@example.com, with no space nor invisible character in it";
const TEXT_RULE: &str = "must be 1 to 512 printable characters";
const PAGE_RULE: &str = "must be an http or https URL of at most 512 characters";
const PHONE_RULE: &str = "must be a telephone number with its country code, such as +4930123456";
const BIRTHDATE_RULE: &str =
    "must be a date such as 1990-12-31, 0000-12-31 without the year, or 1990";
const ZONE_RULE: &str = "must be the name of a time zone such as Europe/Berlin";
const LOCALE_RULE: &str = "must be a language tag such as en or de-CH";

/// One pass over the metadata: collects what is wrong.
#[derive(Default)]
struct Check {
    errors: Vec<FieldError>,
}

impl Check {
    fn refuse(&mut self, field: &str, message: &str) {
        self.errors.push(FieldError::new(field, message));
    }

    fn email(&mut self, email: Option<&str>) -> Option<EmailAddress> {
        let Some(email) = email else {
            self.refuse("email", "is required");
            return None;
        };
        let parsed = EmailAddress::parse(email);
        if parsed.is_none() {
            self.refuse("email", EMAIL_RULE);
        }
        parsed
    }

    fn phone_number_verified(&mut self, verified: Option<bool>, has_number: bool) -> bool {
        let verified = verified.unwrap_or(false);
        if verified && !has_number {
            self.refuse("phoneNumberVerified", "must be false where there is no phoneNumber");
        }
        verified
    }

    fn text(&mut self, field: &str, text: Option<String>) -> Option<String> {
        self.shape(field, text, |text| is_short(text) && is_printable(text), TEXT_RULE)
    }

    fn shape(
        &mut self,
        field: &str,
        text: Option<String>,
        is_fine: impl FnOnce(&str) -> bool,
        rule: &str,
    ) -> Option<String> {
        let text = text?;
        if !is_fine(&text) {
            self.refuse(field, rule);
        }
        Some(text)
    }

    /// Empty members are none, and so is an address without members: forms send them so.
    fn address(&mut self, address: Address) -> Option<Address> {
        let Address { formatted, street_address, locality, region, postal_code, country } = address;
        let address = Address {
            formatted: self.lines("address.formatted", formatted),
            street_address: self.lines("address.streetAddress", street_address),
            locality: self.text("address.locality", not_empty(locality)),
            region: self.text("address.region", not_empty(region)),
            postal_code: self.text("address.postalCode", not_empty(postal_code)),
            country: self.text("address.country", not_empty(country)),
        };
        (address != Address::default()).then_some(address)
    }

    /// OpenID Connect Core 1.0 §5.1.1: these two "MAY contain multiple lines, separated by newlines".
    fn lines(&mut self, field: &str, text: Option<String>) -> Option<String> {
        let is_fine = |text: &str| is_short(text) && text.lines().all(is_printable);
        self.shape(field, not_empty(text), is_fine, TEXT_RULE)
    }

    fn pairs(&mut self, pairs: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
        let pairs = pairs.unwrap_or_default();
        rules::check_pairs(&pairs, &mut self.errors);
        pairs
    }
}

fn not_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

fn is_short(text: &str) -> bool {
    !is_blank(text) && text.chars().count() <= MAX_TEXT
}

fn is_page(text: &str) -> bool {
    text.len() <= MAX_TEXT
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A `+`, digits with the usual signs between them, and an extension (RFC 3966 §3) or none.
fn is_phone_number(text: &str) -> bool {
    let (number, extension) = text.split_once(";ext=").unwrap_or((text, "0"));
    let Some(number) = number.strip_prefix('+') else { return false };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits: String =
        number.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    text.len() <= MAX_NAME
        && is_digits(&digits)
        && !digits.starts_with('0')
        && PHONE_DIGITS.contains(&digits.len())
        && is_digits(extension)
}

/// OpenID Connect Core 1.0 §5.1: `YYYY-MM-DD`, with the year 0000 where it is not told, or `YYYY`.
fn is_birthdate(text: &str) -> bool {
    let number = |text: &str, digits: usize| {
        let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| fits)
    };
    let mut parts = text.split('-');
    let year = parts.next().and_then(|year| number(year, 4));
    match (year, parts.next(), parts.next(), parts.next()) {
        (Some(year), None, ..) => year > 0,
        (Some(year), Some(month), Some(day), None) => {
            let (month, day) = (number(month, 2), number(day, 2));
            month.zip(day).is_some_and(|(month, day)| (1..=days_in(year, month)).contains(&day))
        }
        _ => false,
    }
}

/// The days of a month; in the year 0000, which can be any, February has all that it can have.
fn days_in(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// The shape of a name in the IANA time zone database: `Area/Location`, or one word such as `UTC`.
fn is_time_zone(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    text.len() <= MAX_NAME && text.split('/').all(is_part)
}

/// The shape of a language tag (RFC 5646 §2.1). OpenID Connect Core 1.0 §5.1: some write an underscore
/// for the dash.
fn is_locale(text: &str) -> bool {
    let mut subtags = text.split(['-', '_']);
    let is_language = |tag: &str| {
        (2..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_subtag = |tag: &str| {
        (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.len() <= MAX_NAME && subtags.next().is_some_and(is_language) && subtags.all(is_subtag)
}

#[cfg(test)]
mod tests;
