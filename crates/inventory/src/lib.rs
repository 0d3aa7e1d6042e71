//! What do the agents of this host connect to?
//!
//! People put servers into the settings of their clients, and each such entry is a connection that nobody reviewed. This
//! room finds them: [`survey()`] reads the settings of every client it knows and gives a [`Report`]; [`compared()`] holds
//! it against what a gate has ([`Known`]) and says of each entry whether it goes through the gate, around it, or to a
//! server that nobody approved, and what else is wrong with it.
//!
//! It is pure: files come in through [`Files`], and nothing is written here. [`jsonc`] and [`codex`] change texts, so that
//! an entry can be replaced while everything else in its file stays byte for byte.
//!
//! A report holds no secret. What looks like one is masked where it is read ([`mod@plaintext`]), before it can get into any
//! type of this room, and only its place is told.

mod client;
pub mod codex;
mod compare;
mod entry;
pub mod jsonc;
mod package;
mod places;
pub mod plaintext;
mod read;
mod survey;

use std::path::{Path, PathBuf};

pub use client::Client;
pub use compare::{Compared, Concern, Judged, Known, KnownEndpoint, KnownServer, Verdict, compared};
pub use entry::{Entry, Target};
pub use package::{Ecosystem, Package};
pub use places::{Form, Scope, Spot, Surroundings, System, project_spots, spots};
pub use survey::{Found, Report, Survey, Unreadable, survey};

/// The files of a host.
pub trait Files {
    /// A file's text, or why it cannot be read; `None` if there is no such file.
    fn read(&self, path: &Path) -> Option<Result<String, String>>;

    /// What lies in a folder, in order; nothing if there is no such folder. It is bounded by whoever lists.
    fn list(&self, folder: &Path) -> Vec<PathBuf>;
}
