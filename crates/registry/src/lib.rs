//! Which servers and tools have people approved?
//!
//! A server is submitted as a [`ServerManifest`]. The gate connects to it ([`vet()`]) and keeps what it saw
//! ([`Observed`]); a person reads that and approves it, which makes it [`Pins`]. From then on every later observation
//! is compared with the pins ([`difference()`]): what is new is withheld until someone approves again, what changed is
//! taken apart ([`grade()`]) and served, held to what was approved or withheld, and the rest of the server goes on. The
//! words of it all are read before people do ([`judge()`]). [`Server`] is its life, from draft to retired.
//!
//! The data plane never reads any of that. It reads a [`Catalogue`], compiled once per revision, in which an endpoint
//! exists only if its server is approved, at the very address people approved. [`Tool::check`] validates arguments
//! against the pinned schema, with everything the schema does not declare refused ([`mod@schema`]).
//!
//! [`shelf`] is what clients find of it: the private registry's answers.
//!
//! [`port::Registry`] is what a store must offer.

mod catalogue;
mod definitions;
mod difference;
mod grade;
mod judge;
pub mod manifest;
mod mentions;
pub mod port;
pub mod schema;
mod server;
pub mod shelf;
mod vet;

pub use catalogue::{Absence, Approved, Beside, Catalogue, Endpoint, Member, Offered, Prompt, Template, Tool, reach};
pub use definitions::{Definition, Definitions, Excluded, Kind, Named, Observed, Pins};
pub use difference::{Changed, Difference, Downgrade, difference, newest_with_sessions};
pub use grade::{Alteration, Grade, Graded, Harmless, Outcome, grade};
pub use judge::{
    Class, Crowd, Effect, HIGH_POINTS, Judged, Judgement, Level, MEDIUM_POINTS, Remark, effect, free_rules, heard,
    is_memory, judge, judge_definition, judge_definition_by, judge_instructions,
};
pub use manifest::{
    Address, AgentClient, AgentManifest, Attester, ClientKey, ClientProof, CommandManifest, Credential, Demands,
    EndpointManifest, Grant, GrantHolder, GrantKind, GrantSubject, Key, Least, Naming, PackageManifest, Place,
    ProvenanceManifest, ServerManifest, ServerTls, ServerUrl, ZoneManifest,
};
pub use mentions::{Mention, Names, Neighbour, mentions};
pub use schema::{InputSchema, OutputSchema, SchemaError, Violation};
pub use server::{
    Acceptance, Advisory, Approval, Cause, Consequence, Eyes, Lifecycle, Mark, Noticed, Reopening, Server, Standing,
    StandingError, Suspension, Warning,
};
pub use vet::{VetError, examined, route, vet};
