//! Rotation of the signing keys: what verifiers, other processes and people notice of it.

mod emergency;
mod fleet;
mod function;
mod overlap;
mod races;
mod rereading;
