//! How is a server reached?
//!
//! Start with [`send()`]: one message to the server at a [`Route`], once, and its [`Answer`]: whole, streamed, or none
//! wanted. What goes wrong is a [`SendError`] that says what is known of the call: nothing was sent, its outcome is
//! unknown, or it was answered unacceptably. Nothing is ever sent again, redirects are not followed, compressed
//! answers are not undone, and everything a server sends is bounded in bytes, count and time.
//!
//! A server is reached over the network, or it is a process that the gate starts ([`Local`]). Dropping the future of
//! [`send()`], or a [`Stream`], tells the server that the call is cancelled (MCP 2026-07-28,
//! basic/patterns/cancellation): by closing the connection, or in words.
//!
//! - [`Session`]: the gate's session with a server of 2025-11-25 or before, over streamable HTTP, whose streams are read on
//!   when they break off, or over the HTTP+SSE of 2024-11-05.
//! - [`Local`]: the place for one process of a local server, shared by the callers of one endpoint.
//!
//! - [`Turnstile`]: where calls to one server take turns, and are turned away from one that failed.
//!
//! Beside the data path the gate asks for itself: [`discover()`] reads everything a server says of itself, to be
//! pinned, and [`listen()`] hears when it changes, in whichever revision the server speaks.
//!
//! What is deliberately absent: a caller's token. The headers come complete from the pipeline, with the credential
//! that `identity` wrote.

mod ask;
mod batch;
mod discover;
mod error;
mod listen;
mod listing;
mod local;
mod pace;
mod resume;
mod route;
mod send;
mod session;
mod stream;
mod switchboard;
mod turnstile;
mod whole;

#[cfg(test)]
mod testing;

pub use ask::AskError;
pub use discover::{Definitions, DiscoverError, discover, is_of_an_older_kind};
pub use error::{Fault, SendError, Unsent};
pub use listen::{Change, Changes, listen};
pub use listing::{Excluded, Listing, Named};
pub use local::{Local, LocalCounts, LocalSpec, Started};
pub use route::{Route, RouteError};
pub use send::{Answer, Deadlines, Purpose, send};
pub use session::Session;
pub use stream::Stream;
pub use turnstile::{Traffic, Turn, TurnError, Turnstile, Turnstiles};
/// Part of what this crate speaks of: which revision a server is spoken to in.
pub use wire::Revision;
