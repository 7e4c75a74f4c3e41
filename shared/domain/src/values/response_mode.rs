//! Response modes (OAuth 2.0 Multiple Response Type Encoding Practices §2.1).

use super::vocabulary::vocabulary;

vocabulary! {
    /// How the answer travels to the client.
    #[derive(Default)]
    pub enum ResponseMode {
        /// In the query of the redirect URI (RFC 6749 §4.1.2).
        #[default]
        Query => "query",
        /// In the fragment of the redirect URI, where scripts of the page read it and servers do not see it.
        Fragment => "fragment",
        /// In a form that the browser posts (OAuth 2.0 Form Post Response Mode).
        FormPost => "form_post",
    }
}
