//! The three types of clients (RFC 6749 §2.1).

use super::vocabulary::vocabulary;
use super::{GrantType, TokenEndpointAuthMethod};

vocabulary! {
    /// What kind of program the client is. Never changes.
    pub enum ClientType {
        /// Runs on the user's device (SPA, mobile) and can keep no secret.
        Public => "public",
        /// Runs on a server and acts for users.
        Private => "private",
        /// Runs on a server and acts for itself.
        M2m => "m2m",
    }
}

impl ClientType {
    /// Whether a client of this type may have `grant`.
    #[must_use]
    pub const fn may_have(self, grant: GrantType) -> bool {
        match grant {
            GrantType::AuthorizationCode | GrantType::RefreshToken => self.acts_for_users(),
            GrantType::ClientCredentials => matches!(self, Self::M2m),
        }
    }

    /// Whether a client of this type may be registered for `method`.
    #[must_use]
    pub const fn may_authenticate_by(self, method: TokenEndpointAuthMethod) -> bool {
        self.is_confidential() == method.proves_identity()
    }

    /// The grants that a client of this type has when it names none.
    #[must_use]
    pub const fn default_grants(self) -> &'static [GrantType] {
        match self {
            Self::Public | Self::Private => {
                &[GrantType::AuthorizationCode, GrantType::RefreshToken]
            }
            Self::M2m => &[GrantType::ClientCredentials],
        }
    }

    /// How a client of this type authenticates when its registration names no method (RFC 7591 §2).
    #[must_use]
    pub const fn default_auth_method(self) -> TokenEndpointAuthMethod {
        match self {
            Self::Public => TokenEndpointAuthMethod::None,
            Self::Private | Self::M2m => TokenEndpointAuthMethod::ClientSecretBasic,
        }
    }

    /// Whether clients of this type can prove who they are (RFC 6749 §2.1). By what, a secret or another
    /// credential, is the matter of their [`TokenEndpointAuthMethod`].
    #[must_use]
    pub const fn is_confidential(self) -> bool {
        match self {
            Self::Public => false,
            Self::Private | Self::M2m => true,
        }
    }

    /// Whether clients of this type act for users.
    #[must_use]
    pub const fn acts_for_users(self) -> bool {
        match self {
            Self::Public | Self::Private => true,
            Self::M2m => false,
        }
    }
}
