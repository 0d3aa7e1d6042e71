//! Where has the data been, where may it go?
//!
//! What hangs on an agent working for a user hangs here, by [`model::SessionKey`]: it survives new tokens and new
//! connections, because none of them is part of the key. [`Sessions`] holds it in memory, bounded.

mod session;

pub use session::{CallPlace, Session, Sessions, StreamPlace};
