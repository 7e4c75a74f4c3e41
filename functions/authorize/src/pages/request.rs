//! What the forms about a request that waits have in common.

/// The hidden fields of a form about a request that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestFields<'a> {
    /// The request's name.
    pub transaction: &'a str,
    /// The CSRF token of the request.
    pub csrf: &'a str,
    /// The query with which the request came: by it, a page that was left open begins again.
    pub query: &'a str,
}
