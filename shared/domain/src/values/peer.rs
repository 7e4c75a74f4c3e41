//! Where a request comes from.

use std::net::{IpAddr, Ipv6Addr};

/// The address of the caller: API Gateway's `sourceIp`, or the peer of the local socket; never a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PeerAddress(pub String);

impl PeerAddress {
    /// What counts as one address: the first 64 bits of an IPv6 address, for its caller chooses the rest; and of
    /// an IPv4 address written as an IPv6 address (RFC 4291 §2.5.5.2), the IPv4 address.
    #[must_use]
    pub(crate) fn counted(&self) -> String {
        match self.0.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V6(address)) => {
                Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string()
            }
            Ok(IpAddr::V4(address)) => address.to_string(),
            Err(_) => self.0.clone(),
        }
    }
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
        assert_eq!(counted("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
