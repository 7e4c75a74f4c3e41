//! The front channel: what people see in their browsers. Sign-in, consent and sign-out.

pub mod pages;
