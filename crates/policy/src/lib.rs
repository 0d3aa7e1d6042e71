//! May they?
//!
//! One language decides everything: Cedar. A [`Source`] is one `.cedar` file; [`Policies::compile`] reads all of them
//! against a [`Vocabulary`] (the endpoints, servers and tools there are) and either gives a set that can be asked, or
//! every [`LoadError`] at once with file, line and column. [`Policies::decide`] answers a [`Question`] with a
//! [`Permit`], which only it can make, or with a refusal.
//!
//! Start with `decide.rs`, which is the rule; `schema.cedarschema` is what a policy can talk about; then, in the
//! order of a policy's life: `outline.rs` (is it safe to parse), `parse.rs` (a file becomes policies), `annotations.rs` (what `@approval` and the others
//! mean), `reads.rs` (what a policy looks at), `typing.rs` (is it right for every tool it can apply to), `slices.rs`
//! (which policies can apply to a question), `moving.rs` (those that are asked at each call), `standing.rs` and `standings.rs` (what can be remembered of an
//! answer), `arguments.rs`
//! (a caller's JSON becomes plain typed values), `findings.rs` (what inspection saw).
//!
//! Rules that hold here:
//!
//! - **Any evaluation error is a refusal.** Cedar skips a policy that errors, which would lose a `forbid`.
//! - **Two must agree**: the agent, and the user it acts for.
//! - **Nothing a caller sends is read as Cedar's own JSON**, so no `__entity` or `__extn` of theirs means anything.
//! - **What cannot be told exactly is never told as absent**: a value that has no exact typed form refuses the call
//!   if a policy that applies would have read it.
//!
//! This crate does no I/O and reads no clock, and it is the only one that names `cedar_policy`.

mod action;
mod annotations;
mod arguments;
mod decide;
mod entities;
mod findings;
mod load;
mod moving;
mod outcome;
mod outline;
mod parse;
mod reads;
mod remedies;
mod scene;
mod schema;
mod shape;
mod slices;
mod standing;
mod standings;
mod summary;
mod typing;
mod vocabulary;

#[cfg(test)]
mod fixture;

pub use action::Action;
pub use annotations::{Obligation, ObligationKind};
pub use decide::{Foreseen, Permit, Question, Target};
pub use findings::Findings;
pub use load::{LoadError, Policies, Source};
pub use remedies::Remedies;
pub use schema::SCHEMA;
pub use summary::{Effect, PolicySummary};
pub use vocabulary::{ServerVocabulary, TOOL_CLASSES, ToolVocabulary, Vocabulary};
