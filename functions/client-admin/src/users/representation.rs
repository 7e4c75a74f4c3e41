//! From a user to JSON.

use identety_domain::user::User;
use serde_json::{Map, Value, json};

/// The user as everybody sees it who may see it. Of the password, it tells whether and since when there
/// is one.
pub(crate) fn of(user: &User) -> Map<String, Value> {
    let details = &user.details;
    let value = json!({
        "id": user.id,
        "email": details.email,
        "emailVerified": details.email_verified,
        "phoneNumber": details.phone_number,
        "phoneNumberVerified": details.phone_number_verified,
        "name": details.name,
        "givenName": details.given_name,
        "familyName": details.family_name,
        "middleName": details.middle_name,
        "nickname": details.nickname,
        "preferredUsername": details.preferred_username,
        "profile": details.profile,
        "picture": details.picture,
        "website": details.website,
        "gender": details.gender,
        "birthdate": details.birthdate,
        "zoneinfo": details.zoneinfo,
        "locale": details.locale,
        "address": details.address,
        "isActive": details.is_active,
        "metadata": details.metadata,
        "hasPassword": user.password.is_some(),
        "passwordChangedAt": user.password.as_ref().map(|set| set.changed_at.to_string()),
        "createdAt": user.created_at.to_string(),
        "updatedAt": user.updated_at.to_string(),
        "version": user.version,
    });
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
