//! What may be connected to?
//!
//! Every outbound connection of the product goes through this room; `clippy.toml` disallows the ways round it. Start
//! with [`Reach`], which says what a zone allows, then [`Client::lane`], which gives a [`Lane`]: one server's way out
//! under one reach. A request goes like this:
//!
//! 1. the URL's host is read strictly: an address, or a name, and nothing two readers could read differently;
//! 2. a name is resolved **once**, by the [`Resolve`] that the binary chose;
//! 3. **every** address of the answer must be within reach, or none is used: one bad address among good ones is how
//!    DNS rebinding looks;
//! 4. the socket connects to exactly an address that was checked, so there is no second answer to be told;
//! 5. over `https` the certificate must name the host of the URL, whatever the address.
//!
//! There are no redirects, no proxies from the environment, and nothing that may have been sent is sent again:
//! [`EgressError`] tells what provably never left ([`EgressError::NotSent`]) from what may have
//! ([`EgressError::Unknown`]). Connections are kept for the next request, and never shared between two lanes, so that
//! one opened under a wide reach cannot serve a narrow one.

mod connect;
mod dns;
mod error;
mod flow;
mod lane;
mod pool;
mod reach;
mod resolve;
mod tunnel;

pub use connect::Secured;
pub use dns::{NameServers, ResolveTexts, Texts};
pub use error::{EgressError, NotSent};
pub use flow::FlowCounts;
pub use lane::{Client, Lane, Shows, Trust};
pub use pool::Body;
pub use reach::{OutOfReach, Reach};
pub use resolve::{Addresses, Resolve, SystemResolver};
pub use tunnel::Tunnel;
