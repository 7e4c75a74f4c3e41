//! How long the parameters of an authorization request may be. Any site can send a browser here with anything, so what
//! would be stored, or would come back in a `Location`, is bounded before it is read.

use super::parameters::Parameters;
use super::response::{AuthorizationError, encoded_length};
use crate::values::{ErrorCode, quoted};

/// How a length is measured.
#[derive(Clone, Copy)]
enum Measure {
    /// In bytes.
    Plain,
    /// In bytes once it is percent-encoded, as it stands in a URL.
    Encoded,
}

/// The most that `state` may have: it comes back in a `Location`.
const STATE: (Measure, usize) = (Measure::Encoded, 2048);

/// What parameters may have that are stored, or that may be longer than others.
const OWN: [(&str, (Measure, usize)); 5] = [
    ("id_token_hint", (Measure::Plain, 8192)),
    // The longest e-mail address (RFC 5321 §4.5.3.1.3).
    ("login_hint", (Measure::Plain, 254)),
    ("nonce", (Measure::Encoded, 1024)),
    ("request", (Measure::Plain, 8192)),
    ("state", STATE),
];

/// What any other parameter may have, be it known or not.
const OTHER: (Measure, usize) = (Measure::Plain, 4096);

/// Checks all parameters.
pub(super) fn check(parameters: &Parameters) -> Result<(), AuthorizationError> {
    for (name, value) in parameters.iter() {
        let own = OWN.iter().find(|(own, _)| *own == name);
        let (measure, most) = own.map_or(OTHER, |(_, bound)| *bound);
        if !fits(value, (measure, most)) {
            let encoded = match measure {
                Measure::Plain => "",
                Measure::Encoded => " once it is percent-encoded",
            };
            let rule = format!("{} must have at most {most} bytes{encoded}", quoted(name));
            return Err(AuthorizationError::new(ErrorCode::InvalidRequest, rule));
        }
    }
    Ok(())
}

/// Whether a `state` may come back.
pub(super) fn state_fits(state: &str) -> bool {
    fits(state, STATE)
}

fn fits(value: &str, (measure, most): (Measure, usize)) -> bool {
    // What is too long as it is need not be encoded to know.
    value.len() <= most
        && match measure {
            Measure::Plain => true,
            Measure::Encoded => encoded_length(value) <= most,
        }
}
