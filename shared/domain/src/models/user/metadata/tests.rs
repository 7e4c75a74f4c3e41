use rstest::rstest;

use super::*;

fn ada() -> UserMetadata {
    UserMetadata { email: Some("Ada@example.com".into()), ..UserMetadata::default() }
}

/// The fields that `metadata` is refused for.
fn refused(metadata: UserMetadata) -> Vec<String> {
    let errors = metadata.validate().expect_err("must be refused");
    errors.into_iter().map(|error| error.field).collect()
}

#[test]
fn an_email_is_enough_and_the_rest_is_unknown() {
    let details = ada().validate().unwrap();
    assert_eq!(details.email.as_str(), "Ada@example.com");
    assert_eq!(details.email.normalized(), "ada@example.com");
    assert!(details.is_active && !details.email_verified && !details.phone_number_verified);
    assert_eq!(details.name, None);
    assert_eq!(details.address, None);
}

#[test]
fn verified_details_taken_as_metadata_again_verify_to_the_same() {
    let text = |text: &str| Some(text.to_owned());
    let metadata = UserMetadata {
        email_verified: Some(true),
        phone_number: text("+49 (30) 123-456;ext=7"),
        phone_number_verified: Some(true),
        name: text("Ada Lovelace"),
        given_name: text("Ada"),
        family_name: text("Lovelace"),
        middle_name: text("King"),
        nickname: text("Countess"),
        preferred_username: text("ada"),
        profile: text("https://example.com/ada"),
        picture: text("https://example.com/ada.png"),
        website: text("http://example.com/"),
        gender: text("female"),
        birthdate: text("1815-12-10"),
        zoneinfo: text("Europe/London"),
        locale: text("en-GB"),
        address: Some(Address {
            street_address: text("12 St James's Square\nFlat 1"),
            ..Address::default()
        }),
        is_active: Some(false),
        metadata: Some([("team".to_owned(), "engines".to_owned())].into()),
        ..ada()
    };
    let details = metadata.clone().validate().unwrap();
    let again = UserMetadata::from(details.clone());
    assert_eq!(again, metadata);
    assert_eq!(again.validate().unwrap(), details);
}

#[rstest]
#[case(None)]
#[case(Some(""))]
#[case(Some("ada"))]
#[case(Some("@example.com"))]
#[case(Some("ada@"))]
#[case(Some("a da@example.com"))]
#[case(Some("ada@example.com\n"))]
#[case(Some("a\u{202e}da@example.com"))]
#[case(Some("ada@.example.com"))]
#[case(Some("a@b@example.com"))]
fn without_a_valid_email_nobody_is_a_user(#[case] email: Option<&str>) {
    let metadata = UserMetadata { email: email.map(str::to_owned), ..UserMetadata::default() };
    assert_eq!(refused(metadata), ["email"]);
}

#[rstest]
#[case("")]
#[case(" ")]
#[case("two\nlines")]
#[case("right\u{202e}to left")]
fn a_claim_is_printable_and_not_empty(#[case] text: &str) {
    let text = Some(text.to_owned());
    let metadata = UserMetadata {
        name: text.clone(),
        given_name: text.clone(),
        family_name: text.clone(),
        middle_name: text.clone(),
        nickname: text.clone(),
        preferred_username: text.clone(),
        gender: text,
        ..ada()
    };
    let fields = [
        "name",
        "givenName",
        "familyName",
        "middleName",
        "nickname",
        "preferredUsername",
        "gender",
    ];
    assert_eq!(refused(metadata), fields);
}

#[test]
fn a_claim_has_512_characters_of_any_script_and_not_one_more() {
    let named = |length| UserMetadata { name: Some("é".repeat(length)), ..ada() };
    assert!(named(512).validate().is_ok());
    assert_eq!(refused(named(513)), ["name"]);
}

#[rstest]
#[case("ada")]
#[case("javascript:alert(1)")]
#[case("data:image/png;base64,AAAA")]
#[case("https://")]
#[case("https://example.com/ä")]
#[case("//example.com/")]
fn profile_picture_and_website_are_http_urls(#[case] url: &str) {
    let url = Some(url.to_owned());
    let metadata =
        UserMetadata { profile: url.clone(), picture: url.clone(), website: url, ..ada() };
    assert_eq!(refused(metadata), ["profile", "picture", "website"]);
}

#[rstest]
#[case("1990", true)]
#[case("1990-12-31", true)]
#[case("0000-02-29", true)]
#[case("2000-02-29", true)]
#[case("2024-02-29", true)]
#[case("1900-02-29", false)]
#[case("2023-02-29", false)]
#[case("1990-04-31", false)]
#[case("1990-00-10", false)]
#[case("1990-13-10", false)]
#[case("1990-12-00", false)]
#[case("1990-1-1", false)]
#[case("1990-12", false)]
#[case("1990-12-31-1", false)]
#[case("+990-12-31", false)]
#[case("31.12.1990", false)]
#[case("0000", false)]
#[case("90", false)]
#[case("", false)]
fn a_birthdate_is_a_day_that_exists_or_a_year(#[case] date: &str, #[case] fine: bool) {
    assert_eq!(is_birthdate(date), fine);
    let metadata = UserMetadata { birthdate: Some(date.into()), ..ada() };
    assert_eq!(metadata.validate().is_ok(), fine);
}

#[rstest]
#[case("UTC", true)]
#[case("Europe/Berlin", true)]
#[case("America/Argentina/Buenos_Aires", true)]
#[case("Etc/GMT+1", true)]
#[case("", false)]
#[case("Europe/", false)]
#[case("/etc/passwd", false)]
#[case("../Berlin", false)]
#[case("+02:00", false)]
fn a_time_zone_has_the_shape_of_its_database(#[case] zone: &str, #[case] fine: bool) {
    let metadata = UserMetadata { zoneinfo: Some(zone.into()), ..ada() };
    assert_eq!(metadata.validate().is_ok(), fine);
}

#[rstest]
#[case("en", true)]
#[case("de-CH", true)]
#[case("en_US", true)]
#[case("zh-Hant-TW", true)]
#[case("de-CH-1996", true)]
#[case("", false)]
#[case("e", false)]
#[case("en-", false)]
#[case("en US", false)]
#[case("english-language9", false)]
#[case("12", false)]
fn a_locale_has_the_shape_of_a_language_tag(#[case] locale: &str, #[case] fine: bool) {
    let metadata = UserMetadata { locale: Some(locale.into()), ..ada() };
    assert_eq!(metadata.validate().is_ok(), fine);
}

#[rstest]
#[case("+4930123456", true)]
#[case("+1 (425) 555-1212", true)]
#[case("+1.604.555.1234;ext=5678", true)]
#[case("030123456", false)]
#[case("+0301234567", false)]
#[case("+1234", false)]
#[case("+1234567890123456", false)]
#[case("+49 30 abc", false)]
#[case("+4930123456;ext=", false)]
#[case("+", false)]
#[case("", false)]
fn a_telephone_number_begins_with_its_country(#[case] number: &str, #[case] fine: bool) {
    let metadata = UserMetadata { phone_number: Some(number.into()), ..ada() };
    assert_eq!(metadata.validate().is_ok(), fine);
}

#[test]
fn no_number_is_verified_where_there_is_none() {
    let metadata = UserMetadata { phone_number_verified: Some(true), ..ada() };
    assert_eq!(refused(metadata), ["phoneNumberVerified"]);
}

#[test]
fn empty_members_of_an_address_are_none_and_a_long_one_is_named() {
    let empty = || Some(String::new());
    let address = Address { locality: empty(), country: empty(), ..Address::default() };
    let metadata = UserMetadata { address: Some(address.clone()), ..ada() };
    assert_eq!(metadata.validate().unwrap().address, None);
    let address = Address {
        formatted: Some("line\n".repeat(200)),
        street_address: Some("tab\t".into()),
        locality: Some("two\nlines".into()),
        ..address
    };
    let metadata = UserMetadata { address: Some(address), ..ada() };
    let fields = ["address.formatted", "address.streetAddress", "address.locality"];
    assert_eq!(refused(metadata), fields);
}

#[test]
fn all_broken_rules_are_told_at_once() {
    let metadata = UserMetadata {
        name: Some(String::new()),
        locale: Some(String::new()),
        metadata: Some([(String::new(), String::new())].into()),
        ..UserMetadata::default()
    };
    assert_eq!(refused(metadata), ["email", "name", "locale", "metadata"]);
}
