//! What happened, provably?
//!
//! Every message leaves a receipt: an [`Intent`] that is durable before the call leaves, an [`Outcome`] after, or the
//! refusal. The [`Journal`] writes them to files that only grow, and its records are the leaves of a Merkle tree whose
//! root is signed about once a second. So whoever kept one [`Checkpoint`] can tell that nothing before it was changed,
//! removed or put in between, and checking takes neither a database nor a network: [`verify`] needs the files alone.
//!
//! Start with `record.rs` (what can be said), then `journal.rs` (how it becomes durable), then `verify.rs` (how it is
//! checked). `merkle.rs` and `note.rs` are the mathematics; `recovery.rs` is what a crash meets.
//!
//! A journal's directory:
//!
//! ```text
//! 00000000000000000000.records   a segment: records in frames, named by its first record's number; while it is
//!                                written, zeros that further records will replace
//! checkpoint, checkpoints        the latest signed root, and earlier ones
//! signing.pub                    who signs them, to give away
//! signing.key, commitments.key   the journal's secrets
//! index, state                   derived, to find and to recover quickly; made anew when deleted
//! ```
//!
//! What is deliberately absent: contents. Arguments and answers are here as salted [`Commitment`]s only, so that the
//! journal can be given to an auditor, and erasing personal data elsewhere does not break it.

mod archive;
mod batch;
mod commitments;
mod disk;
mod files;
mod frame;
mod index;
mod journal;
mod ledger;
pub mod merkle;
mod note;
pub mod port;
mod record;
mod recovery;
mod state;
mod strangers;
#[cfg(test)]
mod testing;
mod verify;
mod writer;

pub use archive::{Archive, Filter, Inclusion, Page, ReadError, Receipt, Written};
pub use commitments::{Commitment, Commitments, Mismatch, Salt, Salts};
pub use files::FileError;
pub use journal::{Condition, Durable, Health, Journal, JournalError, Options, Recovery};
pub use note::{Checkpoint, NoteError, PublicKey};
pub use record::{
    Asked, Changed, End, Event, Feedback, FeedbackVerdict, Intent, Kind, Listed, Opened, Outcome, Record, RecordError,
    Refused, Saw, Sight, Strangers, Taken, Unrecorded, Who,
};
pub use strangers::Tally;
pub use verify::{Problem, Progress, Report, Trusted, VerifyError, verify};
