//! From JSON members to the metadata of a client: canonical names, Identety's names for the same, and
//! types. The rules of the values are the domain's.

use std::collections::BTreeMap;

use identety_domain::client::{
    Client, ClientId, ClientMetadata, ClientType, Import, TokenEndpointAuthMethod, VerifiedMetadata,
};
use identety_domain::{FieldError, Secret};
use serde_json::{Map, Value};

use super::representation;
use crate::members::Reader;

/// Members that only the server writes.
const READ_ONLY: [&str; 7] =
    ["id", "type", "clientId", "secrets", "createdAt", "updatedAt", "version"];

/// The shortest and the longest secret that an import may bring (VSCHAR, RFC 6749 §A.2).
const IMPORTED_SECRET: std::ops::RangeInclusive<usize> = 16..=1024;

/// Identety's names, beside the canonical ones that they stand for.
const ALIASES: [(&str, &str); 2] = [("allowedScopes", "scopes"), ("allowedGrants", "grants")];

/// The members of Identety's `settings`, likewise.
const SETTINGS: [(&str, &str); 4] = [
    ("accessTokenTTL", "accessTokenLifetime"),
    ("refreshTokenTTL", "refreshTokenLifetime"),
    ("tokenEndpointAuthMethod", "tokenEndpointAuthMethod"),
    ("allowedCorsOrigins", "allowedCorsOrigins"),
];

/// What a creation asks for.
#[derive(Debug)]
pub(crate) struct NewClientMembers {
    pub(crate) kind: ClientType,
    pub(crate) metadata: NamedMetadata,
    pub(crate) import: Import,
}

/// Metadata, and under which names their members came.
#[derive(Debug)]
pub(crate) struct NamedMetadata {
    metadata: ClientMetadata,
    /// Canonical name → the caller's name.
    names: BTreeMap<String, String>,
}

impl NamedMetadata {
    /// Checks the metadata for a client of type `kind`; errors name members as the caller did.
    pub(crate) fn validate(self, kind: ClientType) -> Result<VerifiedMetadata, Vec<FieldError>> {
        let Self { metadata, names } = self;
        metadata.validate(kind).map_err(|errors| {
            let renamed = errors.into_iter().map(|error| {
                let (member, index) =
                    error.field.split_at(error.field.find(['[', '.']).unwrap_or(error.field.len()));
                let member = names.get(member).map_or(member, String::as_str);
                FieldError::new(format!("{member}{index}"), error.message)
            });
            renamed.collect()
        })
    }
}

/// Reads the members of a creation.
pub(crate) fn of_new_client(
    mut members: Map<String, Value>,
) -> Result<NewClientMembers, Vec<FieldError>> {
    let mut reader = Reader::default();
    let kind = members.remove("type").and_then(|value| reader.kind(&value));
    if kind.is_none() && reader.errors.is_empty() {
        reader.refuse("type", "is required: public, private or m2m");
    }
    let client_id = members.remove("clientId").and_then(|value| reader.client_id(&value));
    let client_secret =
        members.remove("clientSecret").and_then(|value| reader.client_secret(&value));
    let metadata = reader.apply(ClientMetadata::default(), members, &Map::new());
    if client_secret.is_some() && !kind.is_none_or(|kind| uses_secret(kind, &metadata.metadata)) {
        let rule = "must be left out: the client authenticates without a secret";
        reader.refuse("clientSecret", rule);
    }
    match (kind, reader.errors) {
        (Some(kind), errors) if errors.is_empty() => {
            Ok(NewClientMembers { kind, metadata, import: Import { client_id, client_secret } })
        }
        (_, errors) => Err(errors),
    }
}

/// Whether a client of this metadata has a secret. A method that is none is refused later.
fn uses_secret(kind: ClientType, metadata: &ClientMetadata) -> bool {
    let method = metadata.token_endpoint_auth_method.as_deref();
    let method = method.and_then(TokenEndpointAuthMethod::parse);
    method.unwrap_or_else(|| kind.default_auth_method()).uses_secret()
}

/// Lays the members of a change on top of what `client` has (RFC 7396: null is the default again).
pub(crate) fn of_change(
    members: Map<String, Value>,
    client: &Client,
) -> Result<NamedMetadata, Vec<FieldError>> {
    let mut reader = Reader::default();
    let metadata = ClientMetadata::from(client.metadata.clone());
    let metadata = reader.apply(metadata, members, &representation::of(client));
    if reader.errors.is_empty() { Ok(metadata) } else { Err(reader.errors) }
}

impl Reader {
    /// Sets all members that differ from `current`.
    fn apply(
        &mut self,
        mut metadata: ClientMetadata,
        members: Map<String, Value>,
        current: &Map<String, Value>,
    ) -> NamedMetadata {
        // Canonical name → the name it came under and its value.
        let mut changes: BTreeMap<String, (String, Value)> = BTreeMap::new();
        for (name, value) in members {
            if current.get(&name) == Some(&value) {
                continue;
            }
            if READ_ONLY.contains(&name.as_str()) {
                self.refuse(name, "is read-only");
            } else if name == "settings" {
                self.settings(value, current, &mut changes);
            } else {
                let canonical = ALIASES.iter().find(|(alias, _)| *alias == name);
                let canonical =
                    canonical.map_or_else(|| name.clone(), |(_, name)| (*name).to_owned());
                self.change(canonical, name, value, &mut changes);
            }
        }
        let mut names = BTreeMap::new();
        for (canonical, (name, value)) in changes {
            self.set(&mut metadata, &canonical, &name, value);
            names.insert(canonical, name);
        }
        NamedMetadata { metadata, names }
    }

    fn settings(
        &mut self,
        settings: Value,
        current: &Map<String, Value>,
        changes: &mut BTreeMap<String, (String, Value)>,
    ) {
        let members = match settings {
            Value::Object(members) => members,
            Value::Null => return,
            _ => return self.refuse("settings", "must be an object"),
        };
        for (name, value) in members {
            let full_name = format!("settings.{name}");
            if current.get("settings").and_then(|settings| settings.get(&name)) == Some(&value) {
                continue;
            }
            match SETTINGS.iter().find(|(alias, _)| *alias == name) {
                Some((_, canonical)) => {
                    self.change((*canonical).to_owned(), full_name, value, changes);
                }
                None => self.refuse(full_name, "is unknown"),
            }
        }
    }

    /// Notes a change; two names for one member must not say different things.
    fn change(
        &mut self,
        canonical: String,
        name: String,
        value: Value,
        changes: &mut BTreeMap<String, (String, Value)>,
    ) {
        match changes.get(&canonical) {
            Some((other, known)) if *known != value => {
                let message = format!("contradicts {other}, which is another name for it");
                self.refuse(name, message);
            }
            Some(_) => {}
            None => {
                changes.insert(canonical, (name, value));
            }
        }
    }

    fn set(&mut self, metadata: &mut ClientMetadata, canonical: &str, name: &str, value: Value) {
        match canonical {
            "name" => metadata.name = self.text(name, value),
            "redirectUris" => metadata.redirect_uris = self.texts(name, value),
            "postLogoutRedirectUris" => {
                metadata.post_logout_redirect_uris = self.texts(name, value);
            }
            "scopes" => metadata.scopes = self.texts(name, value),
            "grants" => metadata.grants = self.texts(name, value),
            "accessTokenLifetime" => metadata.access_token_lifetime = self.seconds(name, &value),
            "refreshTokenLifetime" => metadata.refresh_token_lifetime = self.seconds(name, &value),
            "refreshTokenAbsoluteLifetime" => {
                metadata.refresh_token_absolute_lifetime = self.seconds(name, &value);
            }
            "skipConsent" => metadata.skip_consent = self.flag(name, &value),
            "tokenEndpointAuthMethod" => {
                metadata.token_endpoint_auth_method = self.text(name, value);
            }
            "requirePkce" => metadata.require_pkce = self.flag(name, &value),
            "audiences" => metadata.audiences = self.texts(name, value),
            "accessTokenSigningAlg" => metadata.access_token_signing_alg = self.text(name, value),
            "idTokenSigningAlg" => metadata.id_token_signing_alg = self.text(name, value),
            "idTokenClaims" => metadata.id_token_claims = self.rule_or_texts(name, value),
            "allowedCorsOrigins" => metadata.allowed_cors_origins = self.texts(name, value),
            "isActive" => metadata.is_active = self.flag(name, &value),
            "clientUri" => metadata.client_uri = self.text(name, value),
            "logoUri" => metadata.logo_uri = self.text(name, value),
            "policyUri" => metadata.policy_uri = self.text(name, value),
            "tosUri" => metadata.tos_uri = self.text(name, value),
            "contacts" => metadata.contacts = self.texts(name, value),
            "metadata" => metadata.metadata = self.pairs(name, value),
            "clientSecret" => {
                self.refuse(name, "is read-only: POST to the client's secrets makes a new one");
            }
            _ => self.refuse(name, "is unknown"),
        }
    }

    fn kind(&mut self, value: &Value) -> Option<ClientType> {
        let kind = value.as_str().and_then(ClientType::parse);
        kind.or_else(|| self.wrong_type("type", "must be public, private or m2m"))
    }

    fn client_id(&mut self, value: &Value) -> Option<ClientId> {
        if value.is_null() {
            return None;
        }
        value.as_str().and_then(ClientId::for_import).or_else(|| {
            let rule = "must be 1 to 255 visible ASCII characters without spaces, no UUID, and not api-key";
            self.wrong_type("clientId", rule)
        })
    }

    fn client_secret(&mut self, value: &Value) -> Option<Secret> {
        if value.is_null() {
            return None;
        }
        let is_vschar = |byte: u8| (0x20..=0x7E).contains(&byte);
        let fits =
            |text: &&str| IMPORTED_SECRET.contains(&text.len()) && text.bytes().all(is_vschar);
        value.as_str().filter(fits).map(Secret::from).or_else(|| {
            self.wrong_type("clientSecret", "must be 16 to 1024 printable ASCII characters")
        })
    }
}
