//! The Lambda functions by name.

/// The functions, as the metric of cold starts tells them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    /// The back channel.
    Token,
    /// The front channel.
    Authorize,
    /// The administration.
    ClientAdmin,
    /// The rotation of keys.
    KeyRotation,
}

impl Function {
    /// The name of the crate.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Authorize => "authorize",
            Self::ClientAdmin => "client-admin",
            Self::KeyRotation => "key-rotation",
        }
    }
}
