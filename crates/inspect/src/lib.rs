//! What is in it?
//!
//! One pass over the text of one message finds secrets, personal data and instructions where data is expected, and says
//! where. Nothing is kept and nothing is fetched: the same bytes have the same findings. What follows from a finding is
//! for policy to say.
//!
//! The reader's path: [`Inspector`] walks the message (`walk`), makes of each string the readings that a model or a
//! person could make of it (`readings`: undone escapes, look-alike letters, what is encoded in it), asks one automaton
//! which words stand in it (`prefilter`), and shows those readings in which a detector's words stand to that detector.
//! [`Detector`]s are: `rules` (data files, `rules/*.toml`), `secrets` and `personal` (what no expression can tell), and
//! [`injection`] (what is learned).
//!
//! Untrusted text decides how much there is to do, so everything is bounded ([`model::limits`]) and linear. Where a
//! bound is reached, [`Findings::complete`] is false, and what is not wholly inspected is not known to be clean.

mod active;
mod bytes;
mod check;
mod classify;
mod detector;
mod encoded;
mod findings;
mod fold;
pub mod injection;
mod inspector;
mod known;
mod map;
mod markup;
mod news;
mod personal;
mod prefilter;
mod readings;
mod redact;
mod rules;
mod secrets;
mod strip;
mod traits;
mod unescape;
mod values;
mod walk;

pub use active::{active, harmless};
pub use classify::classify;
pub(crate) use detector::{Detector, Hit, Sighting};
pub use detector::{Origin, Reading, View};
pub use findings::Findings;
pub(crate) use findings::Found;
pub use inspector::{Inspector, Tail};
pub use known::{About, Kind, KnownError, Set};
pub use redact::{Restored, Taken, placeholder, redact, replace, restore, reversible};
pub use rules::{By, Rule, RuleError, Rules};
pub use strip::strip;
pub use values::{Value, Values};
