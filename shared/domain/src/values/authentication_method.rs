//! Ways for users to show who they are.

use super::vocabulary::vocabulary;

vocabulary! {
    /// A way for a user to show who they are. The words are those of RFC 8176 §2.
    pub enum AuthenticationMethod {
        /// A password.
        Password => "pwd",
    }
}
