//! Limits on guessing.
//!
//! Only failures are counted, so the right secret always passes, costs no extra read, and nobody can
//! lock a client out by failing in its name.

use std::net::Ipv6Addr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::store::{FailureStore, StoreError};
use crate::{Seconds, Timestamp};

/// Failures of one client (or of the API key) from one address in one minute, after which the answer
/// is 429.
pub const FAILURES_PER_MINUTE: u32 = 100;

const WINDOW: Seconds = 60;

/// Where a request came from: API Gateway's `sourceIp`, or the peer of the local socket; never a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PeerAddress(pub String);

impl PeerAddress {
    /// What counts as one address: of IPv6 the first 64 bits, for the rest is the peer's to choose.
    fn counted(&self) -> String {
        match self.0.parse::<Ipv6Addr>() {
            Ok(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
            Err(_) => self.0.clone(),
        }
    }
}

/// What a counted failure leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Counted {
    /// Answer as usual.
    WithinLimit,
    /// Too many: answer 429, and name this many seconds.
    TooMany {
        /// Until the window ends: 1 … 60.
        retry_after: Seconds,
    },
}

/// Counts a failure of `subject` from `peer` at `now`.
///
/// # Errors
/// When the counter cannot be written.
pub async fn count_failure(
    store: &dyn FailureStore,
    subject: &str,
    peer: &PeerAddress,
    now: Timestamp,
) -> Result<Counted, StoreError> {
    let window = now.seconds() / u64::from(WINDOW);
    // Hashed: a subject is what a stranger wrote, of any length and content.
    let mut digest = Sha256::new();
    for part in [subject, &peer.counted()] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    let key = format!("FAILURES#{}#{window}", URL_SAFE_NO_PAD.encode(digest.finalize()));
    let count = store.count_failure(&key, now.plus(2 * WINDOW)).await?;
    if count <= FAILURES_PER_MINUTE {
        return Ok(Counted::WithinLimit);
    }
    let elapsed = u32::try_from(now.seconds() % u64::from(WINDOW)).unwrap_or(0);
    Ok(Counted::TooMany { retry_after: WINDOW - elapsed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_ipv6_address_the_network_is_counted_and_of_others_the_whole() {
        let counted = |text: &str| PeerAddress(text.to_owned()).counted();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), counted("2001:db8:1:2::ffff"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_eq!(counted("192.0.2.1"), "192.0.2.1");
    }
}
