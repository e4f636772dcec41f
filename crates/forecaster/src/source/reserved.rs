//! [`Reserved`]: addresses behind which there is no server of a network, but the own host or who runs it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where clouds tell machines who they are, credentials included, outside of the link-local addresses: Alibaba, Azure and
/// Oracle; AWS and Google in IPv6.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// What an address is reserved for (RFC 6890, and the metadata services of clouds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// The own host: `127.0.0.0/8`, `::1`. In a pod that is its sidecars and this process itself.
    Loopback,
    /// The own link, and with it most clouds' metadata services: `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// A metadata service elsewhere.
    Metadata,
    /// Nobody: `0.0.0.0/8` and `::`, which many systems take for the own host.
    Unspecified,
    /// Everybody: multicast and broadcast.
    Group,
}

impl Reserved {
    /// What `address` is reserved for. An IPv4 address written in IPv6 is what it is in IPv4.
    pub(super) fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Option<Self> {
        match address.octets() {
            [127, ..] => Some(Self::Loopback),
            [169, 254, ..] => Some(Self::LinkLocal),
            [0, ..] => Some(Self::Unspecified),
            [224..=239, ..] | [255, 255, 255, 255] => Some(Self::Group),
            _ => METADATA_V4.contains(&address).then_some(Self::Metadata),
        }
    }

    fn of_v6(address: Ipv6Addr) -> Option<Self> {
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Some(Self::Loopback),
            [0, 0, 0, 0, 0, 0, 0, 0] => Some(Self::Unspecified),
            // IPv4 in IPv6: mapped, and by way of a translator (RFC 6052)
            [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                Self::of_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
            }
            [0xfe80..=0xfebf, ..] => Some(Self::LinkLocal),
            [0xff00..=0xffff, ..] => Some(Self::Group),
            _ => METADATA_V6.contains(&address).then_some(Self::Metadata),
        }
    }
}

impl std::fmt::Display for Reserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Loopback => "the own host",
            Self::LinkLocal => "the own link and the metadata services of clouds",
            Self::Metadata => "the metadata service of a cloud",
            Self::Unspecified => "no host",
            Self::Group => "groups of hosts",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_addresses_are_known_in_every_spelling() {
        for (text, reserved) in [
            ("127.0.0.1", Reserved::Loopback),
            ("127.255.255.255", Reserved::Loopback),
            ("::1", Reserved::Loopback),
            ("::ffff:127.0.0.1", Reserved::Loopback),
            ("169.254.169.254", Reserved::LinkLocal),
            ("::ffff:169.254.169.254", Reserved::LinkLocal),
            ("64:ff9b::169.254.169.254", Reserved::LinkLocal),
            ("fe80::1", Reserved::LinkLocal),
            ("febf::1", Reserved::LinkLocal),
            ("100.100.100.200", Reserved::Metadata),
            ("fd00:ec2::254", Reserved::Metadata),
            ("0.0.0.0", Reserved::Unspecified),
            ("::", Reserved::Unspecified),
            ("224.0.0.1", Reserved::Group),
            ("255.255.255.255", Reserved::Group),
            ("ff02::1", Reserved::Group),
        ] {
            assert_eq!(Reserved::of(text.parse().unwrap()), Some(reserved), "{text}");
        }
    }

    #[test]
    fn servers_have_addresses_that_are_not_reserved() {
        for text in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.253.0.1",
            "8.8.8.8",
            "fd00::1",
            "2001:db8::1",
            "fec0::1",
            "64:ff9b::8.8.8.8",
        ] {
            assert_eq!(Reserved::of(text.parse().unwrap()), None, "{text}");
        }
    }
}
