//! Where has the data been, where may it go?
//!
//! What hangs on an agent working for a user hangs here, by [`model::SessionKey`]: it survives new tokens and new
//! connections, because none of them is part of the key. [`Sessions`] holds it in memory, bounded. [`Signals`] tells when a
//! message differs from the first one of its sign-in.

mod session;
mod signals;

pub use session::{CallPlace, Session, Sessions, StreamPlace};
pub use signals::{Beginning, Signals};
