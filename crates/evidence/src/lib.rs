//! What does a server do when somebody looks?
//!
//! Reading a package says what a program could do, and reading definitions what it says of itself. Here it is asked. Start
//! with [`probe()`], which asks a server on the network some two dozen questions that a stranger could ask, and tells of each
//! what was sent and what came; or with [`trial()`], which has a program installed and started where it can do no harm, and tells
//! what it tried.
//!
//! - **Nothing is called.** No question is a `tools/call`, and none changes anything there but a session, which is ended.
//! - **Everything is bounded**: questions, bytes, time of each and of all. What does not end is left, and that is told.
//! - **A secret goes to its server only**, where a question cannot be asked without it, and is in no finding: what the server
//!   sends back of it is taken out, and told as a finding of its own.
//!
//! What comes of it is evidence for people. Nothing is decided by it.

mod finding;
mod probe;
mod trial;

pub use finding::{Finding, Severity, worst};
pub use probe::{Asked, Outcome, Presents, Probe, Surroundings, Target, Tls, parameter, probe};
pub use trial::{
    Allowed, NoTrial, Package, PackageError, Phase, Reached, Scene, Started, Step, StepEnd, Subject, Touched, Trial,
    trial,
};

/// Hears how many steps of a look are done, and which is next.
pub type Told = dyn Fn(usize, &str) + Send + Sync;
