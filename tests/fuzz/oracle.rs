//! What a signed token must say to open anything: the rules once more, written down without the server's own
//! types for them, so that a mistake in those shows.

use std::fmt;

use identety_domain::Scope;
use identety_domain::client::Client;
use identety_tests::app::TestApp;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use uuid::Uuid;

/// How far ahead `iat` and `nbf` may be, in seconds.
pub(crate) const AHEAD: u64 = 10;
/// The name of the key that signs here.
pub(crate) const KID: &str = "published";

/// The members of a JSON object as they stand there; `None` for the value of one that nobody looks at.
struct Object(Vec<(String, Option<Value>)>);

/// Reads an object, of whose members these count. A list is no object.
struct Counting<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Counting<'_> {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Counting<'_> {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = if self.0.contains(&name.as_str()) {
                Some(map.next_value()?)
            } else {
                map.next_value::<IgnoredAny>()?;
                None
            };
            members.push((name, value));
        }
        Ok(Object(members))
    }
}

impl Object {
    /// The object that these bytes are, unless a member that counts, of these, is there twice.
    fn read(bytes: &[u8], that_count: &[&str]) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_str(str::from_utf8(bytes).ok()?);
        let object = Counting(that_count).deserialize(&mut json).ok()?;
        json.end().ok()?;
        let times = |name: &&str| object.0.iter().filter(|(other, _)| other == name).count();
        that_count.iter().all(|name| times(name) < 2).then_some(object)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| other == name)?.1.as_ref()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_u64()
    }

    /// A text, or nothing at all; anything else is wrong.
    fn text_if_any(&self, name: &str) -> Result<Option<&str>, ()> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(()),
        }
    }
}

/// Whether a header is one that the server's tokens of this type have.
fn is_header(bytes: &[u8], typ: &str) -> bool {
    header_of(bytes, typ).is_some_and(|header| {
        header.text("alg") == Some("ES256") && header.text("kid") == Some(KID)
    })
}

/// A header of this type that asks for nothing special.
fn header_of(bytes: &[u8], typ: &str) -> Option<Object> {
    let header = Object::read(bytes, &["typ", "alg", "kid", "crit"])?;
    let own = header.text("typ").map(str::to_ascii_lowercase);
    let own = own.as_deref().map(|own| own.strip_prefix("application/").unwrap_or(own));
    let is_plain = own == Some(typ) && header.get("crit").is_none();
    // A member that is there must be a text, unless it is null.
    let is_read = header.text("alg").is_some() && header.text_if_any("kid").is_ok();
    (is_plain && is_read).then_some(header)
}

/// What an access token says that counts at this moment.
pub(crate) struct Good {
    pub(crate) client_id: String,
    pub(crate) sub: String,
    pub(crate) audience: Vec<String>,
    pub(crate) scope: Option<String>,
    pub(crate) grant: Option<String>,
    pub(crate) iat: u64,
}

pub(crate) fn good(header: &[u8], claims: &[u8], app: &TestApp) -> Option<Good> {
    if !is_header(header, "at+jwt") {
        return None;
    }
    let names = [
        "iss",
        "sub",
        "aud",
        "client_id",
        "scope",
        "iat",
        "nbf",
        "exp",
        "jti",
        "grant_id",
        "cnf",
        "act",
    ];
    let claims = Object::read(claims, &names)?;
    let now = app.now().seconds();
    let audience = match claims.get("aud")? {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => {
            all.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>()?
        }
        _ => return None,
    };
    claims.text("jti")?;
    let is_in_time = claims.number("exp")? > now
        && claims.number("nbf")? <= now + AHEAD
        && claims.number("iat")? <= now + AHEAD;
    // No grant binds a token or exchanges one yet, so no good token has these.
    let is_plain = ["cnf", "act"].iter().all(|name| claims.get(name).is_none_or(Value::is_null));
    let good = Good {
        client_id: claims.text("client_id")?.to_owned(),
        sub: claims.text("sub")?.to_owned(),
        audience,
        scope: claims.text_if_any("scope").ok()?.map(str::to_owned),
        grant: claims.text_if_any("grant_id").ok()?.map(str::to_owned),
        iat: claims.number("iat")?,
    };
    let is_ours = claims.text("iss")? == app.issuer && is_in_time && is_plain;
    (is_ours && good.has_subject() && good.has_scope()).then_some(good)
}

impl Good {
    /// Whether it speaks of a user by a grant, or of its own client alone.
    fn has_subject(&self) -> bool {
        let url_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match &self.grant {
            Some(grant) => {
                Uuid::try_parse(&self.sub).is_ok()
                    && grant.len() == 24
                    && grant.chars().all(url_safe)
            }
            None => self.sub == self.client_id,
        }
    }

    /// Whether what it has can be read as a scope.
    fn has_scope(&self) -> bool {
        self.scope.as_deref().is_none_or(|scope| Scope::parse(scope).is_ok())
    }

    /// Whether it has this, and its client still may.
    pub(crate) fn allows(&self, scope: &str, client: &Client) -> bool {
        let own = self.scope.as_deref().unwrap_or_default();
        self.has_scope() && own.split(' ').any(|own| own == scope) && client.scope().contains(scope)
    }

    pub(crate) fn is_of(&self, client: &Client) -> bool {
        self.client_id == client.client_id.as_str() && self.iat >= client.created_at.seconds()
    }
}

/// What an ID token is worth as a hint.
pub(crate) enum Hinted {
    /// It speaks of this user.
    Genuine(Uuid),
    /// Its key is not published, so it speaks of no user.
    UnknownKey,
}

/// What an ID token is worth as a hint, if it is one for `client_id`.
pub(crate) fn hint(header: &[u8], claims: &[u8], app: &TestApp, client_id: &str) -> Option<Hinted> {
    let header = header_of(header, "jwt")?;
    let claims = Object::read(claims, &["iss", "sub", "aud"])?;
    let user = claims.text("sub")?.parse().ok()?;
    let is_ours = claims.text("iss")? == app.issuer && claims.text("aud")? == client_id;
    match (header.text("kid")?, header.text("alg")?) {
        (KID, "ES256") if is_ours => Some(Hinted::Genuine(user)),
        (KID, _) => None,
        (_, "ES256" | "RS256") if is_ours => Some(Hinted::UnknownKey),
        _ => None,
    }
}
