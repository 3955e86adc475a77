//! To which addresses requests may go. Whoever sets up a provider chooses a URL that this server then asks for, from inside
//! the network: without a rule they could have it talk to itself, or to the cloud's metadata service (ASVS 1.3.6, 13.2.4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What outgoing requests may do.
#[derive(Debug, Clone)]
pub struct OutgoingPolicy {
    /// Whether they may go to this machine, and without TLS there: to try out a provider on it.
    pub allow_loopback: bool,
    /// Whether they may go to private networks: most providers on premises are in one.
    pub allow_private: bool,
    /// Certification authorities in PEM that are believed beside those of the operating system.
    pub extra_ca: Option<Vec<u8>>,
}

impl Default for OutgoingPolicy {
    fn default() -> Self {
        Self { allow_loopback: false, allow_private: true, extra_ca: None }
    }
}

/// What kind of address one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Loopback,
    /// Where no provider is: link-local, unspecified, multicast, reserved, and the services that clouds keep for their machines.
    Never,
}

impl OutgoingPolicy {
    /// Whether a request may go there.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        match kind(address) {
            Kind::Public => true,
            Kind::Private => self.allow_private,
            Kind::Loopback => self.allow_loopback,
            Kind::Never => false,
        }
    }
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

/// Metadata services that are not at a link-local address: Alibaba Cloud's, and Azure's wire server.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
/// The same in IPv6: those of Amazon and Google, within unique local addresses.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// <https://www.iana.org/assignments/iana-ipv4-special-registry>.
fn kind_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        _ if METADATA_V4.contains(&address) => Kind::Never,
        [127, ..] => Kind::Loopback,
        // This network, multicast and what is reserved, broadcast included; link-local; protocol assignments.
        [0 | 224..=255, ..] | [169, 254, ..] | [192, 0, 0, _] => Kind::Never,
        // Shared address space (RFC 6598) is as private as RFC 1918, and so are networks for measurements (RFC 2544).
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => Kind::Private,
        _ => Kind::Public,
    }
}

/// <https://www.iana.org/assignments/iana-ipv6-special-registry>. What holds an IPv4 address is that address: a translator or
/// a tunnel leads there.
fn kind_v6(address: Ipv6Addr) -> Kind {
    if address == Ipv6Addr::LOCALHOST {
        return Kind::Loopback;
    }
    if let Some(inner) = embedded(address) {
        return kind_v4(inner);
    }
    match address.segments() {
        _ if METADATA_V6.contains(&address) => Kind::Never,
        // Teredo: where it leads is not said plainly.
        [0x2001, 0, ..] => Kind::Never,
        [0x2000..=0x3fff, ..] => Kind::Public,
        // Unique local addresses, and site-local ones, which they replaced.
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Kind::Private,
        // Link-local, multicast, a network's own NAT64, and what nobody has been given.
        _ => Kind::Never,
    }
}

/// The IPv4 address in an IPv6 address that is mapped, compatible or translated, behind a NAT64, or of 6to4. The unspecified
/// address counts as 0.0.0.0.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind_of(address: &str) -> Kind {
        kind(address.parse().unwrap())
    }

    #[test]
    fn loopback_is_found_in_every_spelling() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert_eq!(kind_of(address), Kind::Loopback, "{address}");
        }
    }

    #[test]
    fn there_is_no_provider_at_addresses_that_mean_something_else() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "febf::1",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "240.0.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd20:ce::254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "2001::1",
            "64:ff9b:1::1",
            "192.0.0.192",
            "::ffff:0:a9fe:a9fe",
            "100::1",
            "4000::1",
        ] {
            assert_eq!(kind_of(address), Kind::Never, "{address}");
        }
    }

    #[test]
    fn networks_on_premises_are_told_from_the_public_one() {
        for address in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "fd12::1",
            "::ffff:10.0.0.1",
            "fec0::1",
        ] {
            assert_eq!(kind_of(address), Kind::Private, "{address}");
        }
        for address in ["172.32.0.1", "8.8.8.8", "2606:4700::1111", "100.128.0.1", "11.0.0.1", "::ffff:8.8.8.8"] {
            assert_eq!(kind_of(address), Kind::Public, "{address}");
        }
    }

    #[test]
    fn each_permission_opens_one_kind() {
        let policy = |allow_loopback, allow_private| OutgoingPolicy { allow_loopback, allow_private, extra_ca: None };
        let [loopback, private, link_local] =
            ["127.0.0.1", "10.0.0.1", "169.254.1.1"].map(|address| address.parse::<IpAddr>().unwrap());
        assert!(policy(true, false).permits(loopback) && !policy(false, true).permits(loopback));
        assert!(policy(false, true).permits(private) && !policy(true, false).permits(private));
        assert!(!policy(true, true).permits(link_local));
        assert!(OutgoingPolicy::default().permits(private) && !OutgoingPolicy::default().permits(loopback));
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_the_same_inside_of_an_ipv6_one(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(kind_v6(address.to_ipv6_mapped()), kind_v4(address));
        }
    }
}
