//! What a zone allows, and the addresses that mean more than they look.
//!
//! An address is first unwrapped: IPv6 forms that carry an IPv4 address (mapped, compatible, translated, NAT64, 6to4)
//! lead to that address, so it is the one that is checked. Then [`BLOCKS`] says whether it is special. Public
//! addresses are within reach when any listed network holds them. Special ones need more, so that a zone with
//! `0.0.0.0/0`, meant as "the internet", opens neither loopback nor the private networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The addresses that may be connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reach {
    networks: Arc<[IpNet]>,
}

/// An address that a reach does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {what}, which the zone does not allow")]
pub struct OutOfReach {
    /// The address as it was given.
    pub address: IpAddr,
    /// What kind of address it is: `a public address`, `loopback`.
    pub what: &'static str,
}

/// An address some reach holds. Only [`Reach::check`] makes one, and a socket takes nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    address: SocketAddr,
}

impl Checked {
    pub(crate) fn address(self) -> SocketAddr {
        self.address
    }
}

impl Reach {
    /// The networks of a zone. Loopback and private networks must be listed as themselves or a part of themselves;
    /// link-local, metadata, multicast and unspecified addresses one by one (`/32`, `/128`).
    pub fn new(mut networks: Vec<IpNet>) -> Self {
        networks.sort();
        networks.dedup();
        Self { networks: networks.into() }
    }

    /// All public addresses, and nothing else.
    pub fn internet() -> Self {
        let v4 = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0);
        let v6 = Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0);
        Self::new(vec![v4.into(), v6.into()])
    }

    /// Whether an address is within reach.
    ///
    /// # Errors
    /// [`OutOfReach`], with the kind of address it is.
    pub fn allows(&self, address: IpAddr) -> Result<(), OutOfReach> {
        let meant = unwrapped(address);
        let block = BLOCKS.iter().find(|block| block.network.contains(&meant));
        let allowed = self.networks.iter().any(|listed| match block {
            None => listed.contains(&meant),
            Some(Block { opened: Opened::ByPart, network, .. }) => listed.contains(&meant) && network.contains(listed),
            Some(Block { opened: Opened::ByItself, .. }) => *listed == IpNet::from(meant),
        });
        let what = block.map_or("a public address", |block| block.what);
        if allowed { Ok(()) } else { Err(OutOfReach { address, what }) }
    }

    /// The proof that an address is within reach, for the socket to connect to.
    pub(crate) fn check(&self, address: IpAddr, port: u16) -> Result<Checked, OutOfReach> {
        self.allows(address)?;
        // A mapped address is given to the system as the IPv4 address that it is.
        Ok(Checked { address: SocketAddr::new(address.to_canonical(), port) })
    }
}

/// The address that traffic to this one reaches in the end.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let inner = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        // The unspecified address and loopback are no IPv4-compatible addresses.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        // IPv4-compatible (RFC 4291, deprecated), mapped (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inner(high, low),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => inner(high, low),
        _ => address,
    }
}

/// A block of addresses that are not simply public.
struct Block {
    network: IpNet,
    what: &'static str,
    opened: Opened,
}

/// What a zone has to list for a special address to be within reach.
enum Opened {
    /// The block it lies in, or a part of the block that holds it.
    ByPart,
    /// That one address.
    ByItself,
}

const fn v4(address: [u8; 4], length: u8, what: &'static str, opened: Opened) -> Block {
    let [a, b, c, d] = address;
    Block { network: IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)), what, opened }
}

const fn v6(first: [u16; 3], last: u16, length: u8, what: &'static str, opened: Opened) -> Block {
    let [a, b, c] = first;
    let address = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, last);
    Block { network: IpNet::V6(Ipv6Net::new_assert(address, length)), what, opened }
}

/// The first block that holds an address counts, so the narrow stand before the wide.
/// Sources: the IANA special-purpose address registries (RFC 6890) and the metadata addresses that clouds document.
static BLOCKS: &[Block] = &[
    v4([0, 0, 0, 0], 8, "an unspecified address", Opened::ByItself),
    v4([10, 0, 0, 0], 8, "a private address", Opened::ByPart),
    v4([100, 100, 100, 200], 32, "a cloud's metadata address", Opened::ByItself),
    v4([100, 64, 0, 0], 10, "a carrier's shared address", Opened::ByPart),
    v4([127, 0, 0, 0], 8, "a loopback address", Opened::ByPart),
    v4([168, 63, 129, 16], 32, "a cloud's metadata address", Opened::ByItself),
    v4([169, 254, 0, 0], 16, "a link-local or metadata address", Opened::ByItself),
    v4([172, 16, 0, 0], 12, "a private address", Opened::ByPart),
    v4([192, 0, 0, 192], 32, "a cloud's metadata address", Opened::ByItself),
    v4([192, 0, 0, 0], 24, "an address of protocol assignments", Opened::ByPart),
    v4([192, 0, 2, 0], 24, "a documentation address", Opened::ByPart),
    v4([192, 88, 99, 0], 24, "a 6to4 relay address", Opened::ByPart),
    v4([192, 168, 0, 0], 16, "a private address", Opened::ByPart),
    v4([198, 18, 0, 0], 15, "a benchmarking address", Opened::ByPart),
    v4([198, 51, 100, 0], 24, "a documentation address", Opened::ByPart),
    v4([203, 0, 113, 0], 24, "a documentation address", Opened::ByPart),
    v4([224, 0, 0, 0], 4, "a multicast address", Opened::ByItself),
    v4([255, 255, 255, 255], 32, "the broadcast address", Opened::ByItself),
    v4([240, 0, 0, 0], 4, "a reserved address", Opened::ByPart),
    v6([0, 0, 0], 0, 128, "an unspecified address", Opened::ByItself),
    v6([0, 0, 0], 1, 128, "a loopback address", Opened::ByPart),
    // Each network has its own translator behind this prefix, which may lead to any IPv4 address (RFC 8215).
    v6([0x64, 0xff9b, 1], 0, 48, "a local translation address", Opened::ByItself),
    v6([0x2001, 0, 0], 0, 32, "a Teredo address", Opened::ByItself),
    v6([0x2001, 0, 0], 0, 23, "an address of protocol assignments", Opened::ByPart),
    v6([0x2001, 0xdb8, 0], 0, 32, "a documentation address", Opened::ByPart),
    v6([0x3fff, 0, 0], 0, 20, "a documentation address", Opened::ByPart),
    v6([0xfd00, 0xec2, 0], 0x254, 128, "a cloud's metadata address", Opened::ByItself),
    v6([0xfd20, 0xce, 0], 0x254, 128, "a cloud's metadata address", Opened::ByItself),
    v6([0xfc00, 0, 0], 0, 7, "a private address", Opened::ByPart),
    v6([0xfe80, 0, 0], 0, 10, "a link-local address", Opened::ByItself),
    v6([0xfec0, 0, 0], 0, 10, "a site-local address", Opened::ByPart),
    v6([0xff00, 0, 0], 0, 8, "a multicast address", Opened::ByItself),
    // Global unicast is 2000::/3; these are all that lies outside it and has no block of its own above.
    v6([0, 0, 0], 0, 3, "a reserved address", Opened::ByPart),
    v6([0x4000, 0, 0], 0, 2, "a reserved address", Opened::ByPart),
    v6([0x8000, 0, 0], 0, 1, "a reserved address", Opened::ByPart),
];

#[cfg(test)]
mod tests;
