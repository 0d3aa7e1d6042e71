//! What went wrong, and what is known of the request because of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use model::limits;

use crate::OutOfReach;

/// A request that got no answer.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// Provably nothing of the request left the gate.
    #[error("nothing was sent to `{to}`")]
    NotSent {
        /// Whose lane it was.
        to: Arc<str>,
        /// What stopped it.
        #[source]
        cause: NotSent,
    },
    /// The request may have been received, wholly or in part. It must not be repeated.
    #[error("the connection to `{to}` failed after the request may have been sent")]
    Unknown {
        /// Whose lane it was.
        to: Arc<str>,
        /// What the connection said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What stopped a request before any of it was sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotSent {
    /// The URL has no scheme or host, another scheme than `http` and `https`, or a password in it.
    #[error("the URL is not a plain `http` or `https` URL")]
    UrlUnusable,
    /// The URL's host could be read as an address or as a name.
    #[error("the host is neither a plain name nor a plain address")]
    HostAmbiguous,
    /// The name could not be resolved.
    #[error("the host's name could not be resolved")]
    Resolve {
        /// What the resolver said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The name has no addresses, or more than [`limits::ADDRESSES_PER_HOST_MAX`].
    #[error("the host's name has {found} addresses, not 1 to {}", limits::ADDRESSES_PER_HOST_MAX)]
    AddressCount {
        /// How many there are, as far as they were counted.
        found: usize,
    },
    /// The zone does not allow one of the host's addresses.
    #[error("the zone does not allow the host")]
    OutOfReach(#[source] OutOfReach),
    /// No connection could be made.
    #[error("no connection to {address}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The system's trusted certificates could not be loaded, so no certificate can be trusted.
    #[error("no trusted root certificates")]
    Roots {
        /// What the TLS library said.
        #[source]
        source: rustls::Error,
    },
    /// The server could not prove that it is the host of the URL.
    #[error("the TLS handshake failed")]
    Tls {
        /// What the TLS library said.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// Resolving, connecting and the handshake took longer than [`limits::CONNECT_MILLISECONDS_MAX`] together.
    #[error("no connection within {} ms", limits::CONNECT_MILLISECONDS_MAX)]
    TimedOut,
    /// The lane has [`limits::LANE_CONNECTIONS_MAX`] connections open.
    #[error("{} connections are open already", limits::LANE_CONNECTIONS_MAX)]
    TooManyConnections,
    /// A connection closed before it took the request.
    #[error("the connection closed before the request began")]
    Closed,
}
