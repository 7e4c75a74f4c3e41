//! Grant types (RFC 6749 §1.3).

use super::vocabulary::vocabulary;

vocabulary! {
    /// A grant that the token endpoint answers, and so one that a client may be registered for.
    pub enum GrantType {
        /// RFC 6749 §4.1.
        AuthorizationCode => "authorization_code",
        /// RFC 6749 §6.
        RefreshToken => "refresh_token",
        /// RFC 6749 §4.4.
        ClientCredentials => "client_credentials",
    }
}
