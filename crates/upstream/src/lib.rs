//! How is a server reached?
//!
//! Start with [`send()`]: one message to the server at a [`Route`], once, and its [`Answer`]: whole, streamed, or none
//! wanted. What goes wrong is a [`SendError`] that says what is known of the call: nothing was sent, its outcome is
//! unknown, or it was answered unacceptably. Nothing is ever sent again, redirects are not followed, compressed
//! answers are not undone, and everything a server sends is bounded in bytes, count and time.
//!
//! Dropping the future of [`send()`], or a [`Stream`], closes the connection: that is how a server is told that a call
//! is cancelled (MCP 2026-07-28, basic/patterns/cancellation).
//!
//! Beside the data path the gate asks for itself: [`discover()`] reads everything a server says of itself, to be
//! pinned, and [`listen()`] hears when it changes.
//!
//! What is deliberately absent: a caller's token. The headers come complete from the pipeline, with the credential
//! that `identity` wrote.

mod ask;
mod discover;
mod error;
mod listen;
mod route;
mod send;
mod session;
mod stream;
mod whole;

#[cfg(test)]
mod testing;

pub use ask::AskError;
pub use discover::{Definitions, DiscoverError, Excluded, Listing, Named, discover};
pub use error::{Fault, SendError};
pub use listen::{Change, Changes, listen};
pub use route::{Route, RouteError};
pub use send::{Answer, Deadlines, Purpose, send};
pub use session::Session;
pub use stream::Stream;
