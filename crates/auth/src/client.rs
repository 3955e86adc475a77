//! The party that a limit counts: an address, or the network that one subscriber is given.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// What counts as one client: an IPv4 address, or an IPv6 /64, within which a subscriber can take any address they like
/// (RFC 6177). An IPv4-mapped IPv6 address is its IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(IpAddr);

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                const NETWORK: u128 = !0 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK))
            }
        })
    }
}

/// The address, or the network in CIDR notation.
impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> String {
        ClientKey::from(address.parse::<IpAddr>().unwrap()).to_string()
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        assert_eq!(key("2001:db8:1:2::1"), "2001:db8:1:2::/64");
        assert_eq!(key("2001:db8:1:2:ffff::9"), key("2001:db8:1:2::1"));
        assert_ne!(key("2001:db8:1:3::1"), key("2001:db8:1:2::1"));
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        assert_eq!(key("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
