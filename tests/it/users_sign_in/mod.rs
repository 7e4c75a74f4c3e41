//! Users sign in: from the authorization request to tokens, and back out.

mod story;
