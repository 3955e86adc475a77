//! The party that a limit counts: an address, the network that one subscriber is given, or a component wherever it is.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use newtype_uuid::GenericUuid;
use uuid::Uuid;

/// What counts as one client: an IPv4 address, or an IPv6 /64, within which a subscriber can take any address they like
/// (RFC 6177). An IPv4-mapped IPv6 address is its IPv4 address. Where a component is counted and not its address, it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(Party);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Party {
    Network(IpAddr),
    Component(Uuid),
}

impl ClientKey {
    /// The component with that identifier.
    pub fn of_component(id: impl GenericUuid) -> Self {
        Self(Party::Component(id.into_untyped_uuid()))
    }
}

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        Self(Party::Network(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                const NETWORK: u128 = !0 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK))
            }
        }))
    }
}

/// The address, the network in CIDR notation, or `component` and its identifier.
impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Party::Network(IpAddr::V4(address)) => write!(f, "{address}"),
            Party::Network(IpAddr::V6(network)) => write!(f, "{network}/64"),
            Party::Component(id) => write!(f, "component {id}"),
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

    #[test]
    fn a_component_is_a_client_of_its_own() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(ClientKey::of_component(one).to_string(), "component 00000000-0000-0000-0000-000000000001");
        assert_ne!(ClientKey::of_component(one), ClientKey::of_component(other));
    }
}
