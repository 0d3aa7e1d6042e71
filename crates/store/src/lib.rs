//! Where is it kept?
//!
//! The other rooms say in their `port` modules what they need kept, as whole commands; this room keeps it. Every
//! change is one transaction: the rows, the revision, and an outbox row that becomes a receipt. It happens whole or
//! not at all, only on top of the revision its maker saw, and to its end even if its maker goes away.
//!
//! [`Sqlite`] is the embedded default: one file, readable by its owner alone. `tests/suite.rs` says what every backend
//! must do. Only `app` names this crate, and only this crate names `sqlx`.

mod entry;
mod references;
mod sqlite;

pub use sqlite::Sqlite;
