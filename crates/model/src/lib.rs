//! What are we talking about?
//!
//! The nouns every other room shares, and nothing that acts. Start with [`Caller`] (who asks), then
//! [`Object`] (what is asked for), then [`Refusal`] (how the gate says no).
//!
//! This crate does no I/O, knows no async runtime, and reads neither the wall clock nor randomness:
//! [`Clock`] and [`Entropy`] are handed in, so that tests and simulations repeat exactly.

mod caller;
mod causes;
mod certificate;
mod clock;
mod digest;
mod finding;
mod fingerprint;
mod header;
mod ids;
pub mod limits;
mod map;
mod object;
mod refusal;
mod secret;
mod state;
mod uri;

pub use caller::{
    Agent, AgentKind, Assurance, Authentication, Behalf, Caller, Changed, SessionKey, Signal, TokenEnd, TokenFamily,
    TokenKey,
};
pub use causes::with_causes;
pub use certificate::{CertificateName, CertificateNameError, DnsName, SpiffeId};
pub use clock::{Clock, Entropy, Timestamp};
pub use digest::{Digest, canonical_json};
pub use finding::{
    Active, Class, Confidence, Confidentiality, Decoding, Finding, Part, Place, RuleId, Severity, UnknownActive,
};
pub use fingerprint::{Fingerprint, FingerprintError, FingerprintKey, Rolling};
pub use header::is_reserved_header;
pub use ids::{
    AgentId, EndpointName, GroupName, NameError, PolicyId, PromptName, ReceiptId, Revision, ServerName, ThreadId,
    ToolName, UserId, ZoneName,
};
pub use map::{Cache, Map, Set, cache};
pub use object::{Object, Scope};
pub use refusal::{Challenge, Code, Reason, Refusal};
pub use secret::{Secret, SecretReference, SecretReferenceError};
pub use state::{Account, Actor, Change, Expected, Role, StoreError};
pub use uri::is_canonical_uri;
