//! Who is at the other end of a connection: an address, and a certificate if one was shown.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use identity::certificate::Certificate;

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// The certificate that it showed, which was verified.
    pub(crate) certificate: Option<Arc<Certificate>>,
}

impl Peer {
    /// Nobody: what the gate does by itself comes over no connection.
    pub(crate) fn nobody() -> Self {
        Self { address: Ipv4Addr::UNSPECIFIED.into(), certificate: None }
    }
}
