//! The birth of a client, and the rotation of its secrets.

mod registration;
mod secrets;
mod stored;

pub use registration::{Import, NewClient, register};
pub use secrets::{
    DeleteSecretError, RotateSecretError, RotatedSecret, delete_secret, rotate_secret,
};
