//! From a URL's host to addresses: read strictly, resolved once.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;

use model::limits;

use crate::NotSent;

/// The addresses of a name, later.
pub type Addresses<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// How names become addresses. The binary chooses one, so that a test can play a hostile name server.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of a name. Nothing it answers is trusted: each address is checked against the reach.
    fn resolve<'a>(&'a self, name: &'a str) -> Addresses<'a>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> Addresses<'a> {
        Box::pin(async move {
            #[expect(clippy::disallowed_methods, reason = "every answer is checked against the reach")]
            let found = tokio::net::lookup_host((name, 0)).await?;
            // One more than is allowed, so that the caller can tell too many from just enough.
            Ok(found.map(|socket| socket.ip()).take(limits::ADDRESSES_PER_HOST_MAX + 1).collect())
        })
    }
}

/// A URL's host, read in the one way it can be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Host<'a> {
    /// An address, written out.
    Address(IpAddr),
    /// A name for the resolver.
    Name(&'a str),
}

impl<'a> Host<'a> {
    /// Reads the host of a URL. `0177.0.0.1`, `2130706433`, `127.1` and `0x7f.0.0.1` are addresses to some readers
    /// and names to others, so they are refused, as is any name with letters that host names do not have.
    pub(crate) fn read(text: &'a str) -> Result<Self, NotSent> {
        if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address = inside.parse::<Ipv6Addr>().map_err(|_| NotSent::HostAmbiguous)?;
            return Ok(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        let last = text.strip_suffix('.').unwrap_or(text).rsplit('.').next().unwrap_or_default();
        let is_named = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if !is_named || last.is_empty() || looks_numeric(last) || text.len() > limits::HOST_BYTES_MAX {
            return Err(NotSent::HostAmbiguous);
        }
        Ok(Self::Name(text))
    }
}

/// Whether some reader takes a name's last label for a number, and so the whole name for an address (WHATWG URL).
fn looks_numeric(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    label.bytes().all(|b| b.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
