//! For whom a client acts by an access token.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{ClientId, GrantId};

/// For whom a client acts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// For itself (RFC 6749 §4.4). Its `sub` is the clientId, which is never a UUID as users' are (RFC 9700 §4.15).
    Client(ClientId),
    /// For a user who allowed it by a grant.
    User {
        /// The user.
        id: Uuid,
        /// The grant, by whose state the token stands or falls.
        grant: GrantId,
    },
    /// For the subject of another token, which it exchanged (RFC 8693).
    Exchanged {
        /// The subject of that token.
        subject: Box<Subject>,
        /// The client that acts now, and those that acted before it.
        actor: Actor,
    },
}

/// A client that acts for a subject (RFC 8693 §4.1): the claim `act`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Actor {
    /// The client.
    pub sub: ClientId,
    /// The actor before this one, which informs and decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}

impl Subject {
    /// The claim `sub`.
    #[must_use]
    pub fn sub(&self) -> String {
        match self {
            Self::Client(client_id) => client_id.to_string(),
            Self::User { id, grant: _ } => id.to_string(),
            Self::Exchanged { subject, actor: _ } => subject.sub(),
        }
    }

    /// The grant that the subject's permission comes from; `None` where a client acts for itself.
    #[must_use]
    pub fn grant(&self) -> Option<&GrantId> {
        match self {
            Self::Client(_) => None,
            Self::User { id: _, grant } => Some(grant),
            Self::Exchanged { subject, actor: _ } => subject.grant(),
        }
    }

    /// The client that acts for the subject after an exchange.
    #[must_use]
    pub const fn actor(&self) -> Option<&Actor> {
        match self {
            Self::Client(_) | Self::User { .. } => None,
            Self::Exchanged { subject: _, actor } => Some(actor),
        }
    }

    /// The subject that these claims name; `None` where they contradict each other.
    pub(super) fn of_claims(
        sub: &str,
        client_id: &ClientId,
        grant: Option<&str>,
        actor: Option<Actor>,
    ) -> Option<Self> {
        let subject = match (grant, &actor) {
            (Some(grant), _) => {
                Self::User { id: Uuid::try_parse(sub).ok()?, grant: GrantId::parse(grant)? }
            }
            // Without a grant and an exchange, a client acts for itself alone.
            (None, None) if sub != client_id.as_str() => return None,
            (None, _) => Self::Client(ClientId::parse(sub)?),
        };
        Some(match actor {
            None => subject,
            Some(actor) => Self::Exchanged { subject: Box::new(subject), actor },
        })
    }
}
