//! The data plane: every message between an agent and a server passes here.
//!
//! [`pipeline`] is one function that can be read aloud: the controls of [`mod@controls`] in the order in which a message
//! meets them. Each takes what earlier ones proved and returns a proof that only it can make, so that none can be skipped.
//! The [`register`] says which methods may pass at all, and under which controls. [`mod@arrival`] tells the shapes apart in
//! which messages come to it.
//!
//! A [`Gate`] holds what the path needs. It reads one [`Snapshot`] per message, compiled from the governed state by
//! other rooms and swapped whole; no message ever waits for a database.

mod apart;
mod arrival;
mod batch;
mod body;
mod bridge;
mod callouts;
mod connecting;
mod controls;
mod expiry;
mod gate;
mod holder;
mod large;
mod legacy;
mod line;
mod listen;
mod listing;
mod looked;
mod metadata;
mod metrics;
mod naming;
mod pages;
mod peer;
mod pipeline;
pub mod register;
mod relay;
mod rounds;
mod search;
mod sites;
mod snapshot;
mod suppressions;
mod tasks;
mod tokens;
mod trail;
mod uri;

pub use bridge::Bridge;
pub use callouts::{About, Callout, Callouts, Fails, Sends, Speaks};
pub use connecting::person_connected;
pub use controls::accept::Doors;
pub use controls::authenticate::Callers;
pub use expiry::end_with_tokens;
pub use gate::{Front, Gate, Sight};
pub use large::Large;
pub use legacy::{Legacies, resources_changed, tend};
pub use listen::serve;
pub use listing::{Cursors, Views};
pub use metrics::{Metrics, count_sessions, count_traffic};
pub use sites::Sites;
pub use snapshot::{Door, Key, Keys, Snapshot, Snapshots, Way};
pub use suppressions::{Suppression, Suppressions};
pub use tasks::Tasks;
pub use tokens::Tokens;
