//! From JSON members to the details of a user. The rules of the values are the domain's.

use identety_domain::user::{Address, EmailAddress, Password, User, UserDetails, UserMetadata};
use identety_domain::{FieldError, Secret};
use serde_json::{Map, Value};

use super::representation;
use crate::members::Reader;

/// Members that only the server writes.
const READ_ONLY: [&str; 6] =
    ["id", "hasPassword", "passwordChangedAt", "createdAt", "updatedAt", "version"];

/// What a creation asks for.
pub(super) struct NewUserMembers {
    pub(super) details: UserDetails,
    pub(super) password: Option<Password>,
}

/// Reads the members of a creation.
pub(super) fn of_new_user(
    mut members: Map<String, Value>,
) -> Result<NewUserMembers, Vec<FieldError>> {
    let mut reader = Reader::default();
    let password = members.remove("password").and_then(|value| reader.text("password", value));
    refuse_read_only(&mut reader, &mut members, &Map::new());
    let metadata = read(&mut reader, members);
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    let password = password.map(checked_password).transpose();
    match (metadata.validate(), password) {
        (Ok(details), Ok(password)) => Ok(NewUserMembers { details, password }),
        (Err(errors), Ok(_)) => Err(errors),
        (Ok(_), Err(error)) => Err(vec![error]),
        (Err(errors), Err(error)) => Err(errors.into_iter().chain([error]).collect()),
    }
}

/// Reads `{password}`.
pub(super) fn of_password(mut members: Map<String, Value>) -> Result<Password, Vec<FieldError>> {
    let mut reader = Reader::default();
    let password = members.remove("password").and_then(|value| reader.text("password", value));
    for name in members.into_iter().map(|(name, _)| name) {
        reader.refuse(name, "is unknown");
    }
    if password.is_none() && reader.errors.is_empty() {
        reader.refuse("password", "is required");
    }
    match password {
        Some(password) if reader.errors.is_empty() => {
            checked_password(password).map_err(|error| vec![error])
        }
        _ => Err(reader.errors),
    }
}

/// Lays the members of a change on top of what `user` has (RFC 7396: what is not named stays, and null
/// is the default again).
pub(super) fn of_change(
    mut patch: Map<String, Value>,
    user: &User,
) -> Result<UserDetails, Vec<FieldError>> {
    let mut reader = Reader::default();
    let mut members = representation::of(user);
    refuse_read_only(&mut reader, &mut patch, &members);
    members.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    patch.retain(|name, _| {
        let is_known = members.contains_key(name);
        if !is_known {
            refuse_unknown(&mut reader, name);
        }
        is_known
    });
    let names_email_verified = patch.contains_key("emailVerified");
    let names_phone_number_verified = patch.contains_key("phoneNumberVerified");
    merge(&mut members, patch);
    let mut metadata = read(&mut reader, members);
    // That the old address was verified says nothing of the new one.
    let email = metadata.email.as_deref().and_then(EmailAddress::parse);
    if !names_email_verified && !email.is_some_and(|email| email.is_same(&user.details.email)) {
        metadata.email_verified = None;
    }
    if !names_phone_number_verified && metadata.phone_number != user.details.phone_number {
        metadata.phone_number_verified = None;
    }
    finish(reader, metadata)
}

/// Reads the members of a user as it shall be: what is not named is the default. Only the e-mail address
/// has none, so it stays as it is, and verified as it is.
pub(super) fn of_replacement(
    mut members: Map<String, Value>,
    user: &User,
) -> Result<UserDetails, Vec<FieldError>> {
    let mut reader = Reader::default();
    refuse_read_only(&mut reader, &mut members, &representation::of(user));
    let names_email = members.contains_key("email");
    let mut metadata = read(&mut reader, members);
    if !names_email {
        metadata.email = Some(user.details.email.as_str().to_owned());
        metadata.email_verified = metadata.email_verified.or(Some(user.details.email_verified));
    }
    finish(reader, metadata)
}

fn finish(reader: Reader, metadata: UserMetadata) -> Result<UserDetails, Vec<FieldError>> {
    if reader.errors.is_empty() { metadata.validate() } else { Err(reader.errors) }
}

fn checked_password(password: String) -> Result<Password, FieldError> {
    let password = Password::new(Secret::new(password));
    password.map_err(|error| FieldError::new("password", error.to_string()))
}

/// Takes out the members that only the server writes, which may be sent back as they are.
fn refuse_read_only(
    reader: &mut Reader,
    members: &mut Map<String, Value>,
    current: &Map<String, Value>,
) {
    for name in READ_ONLY {
        if let Some(value) = members.remove(name)
            && current.get(name) != Some(&value)
        {
            reader.refuse(name, "is read-only");
        }
    }
}

fn refuse_unknown(reader: &mut Reader, name: &str) {
    match name {
        "password" => reader.refuse(name, "is set by PUT to the user's password"),
        _ => reader.refuse(name, "is unknown"),
    }
}

/// RFC 7396 §2.
fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(&name);
            }
            Value::Object(patch) => {
                let mut inner = match target.remove(&name) {
                    Some(Value::Object(inner)) => inner,
                    _ => Map::new(),
                };
                merge(&mut inner, patch);
                target.insert(name, Value::Object(inner));
            }
            value => {
                target.insert(name, value);
            }
        }
    }
}

fn read(reader: &mut Reader, members: Map<String, Value>) -> UserMetadata {
    let mut metadata = UserMetadata::default();
    for (name, value) in members {
        match name.as_str() {
            "email" => metadata.email = reader.text(&name, value),
            "emailVerified" => metadata.email_verified = reader.flag(&name, &value),
            "phoneNumber" => metadata.phone_number = reader.text(&name, value),
            "phoneNumberVerified" => metadata.phone_number_verified = reader.flag(&name, &value),
            "name" => metadata.name = reader.text(&name, value),
            "givenName" => metadata.given_name = reader.text(&name, value),
            "familyName" => metadata.family_name = reader.text(&name, value),
            "middleName" => metadata.middle_name = reader.text(&name, value),
            "nickname" => metadata.nickname = reader.text(&name, value),
            "preferredUsername" => metadata.preferred_username = reader.text(&name, value),
            "profile" => metadata.profile = reader.text(&name, value),
            "picture" => metadata.picture = reader.text(&name, value),
            "website" => metadata.website = reader.text(&name, value),
            "gender" => metadata.gender = reader.text(&name, value),
            "birthdate" => metadata.birthdate = reader.text(&name, value),
            "zoneinfo" => metadata.zoneinfo = reader.text(&name, value),
            "locale" => metadata.locale = reader.text(&name, value),
            "address" => metadata.address = read_address(reader, value),
            "isActive" => metadata.is_active = reader.flag(&name, &value),
            "metadata" => metadata.metadata = reader.pairs(&name, value),
            _ => refuse_unknown(reader, &name),
        }
    }
    metadata
}

fn read_address(reader: &mut Reader, value: Value) -> Option<Address> {
    let members = match value {
        Value::Object(members) => members,
        Value::Null => return None,
        _ => return reader.wrong_type("address", "must be an object of strings"),
    };
    let mut address = Address::default();
    for (name, value) in members {
        let field = format!("address.{name}");
        match name.as_str() {
            "formatted" => address.formatted = reader.text(&field, value),
            "streetAddress" => address.street_address = reader.text(&field, value),
            "locality" => address.locality = reader.text(&field, value),
            "region" => address.region = reader.text(&field, value),
            "postalCode" => address.postal_code = reader.text(&field, value),
            "country" => address.country = reader.text(&field, value),
            _ => reader.refuse(field, "is unknown"),
        }
    }
    Some(address)
}
