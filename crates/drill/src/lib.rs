//! Would we notice?
//!
//! What the gate is tried on, in stories, tests and rehearsals. Three things, each on real loopback sockets:
//!
//! - [`company`]: a mid-size shop for outdoor gear, as four honest MCP servers written with `rmcp`. Start with
//!   [`Company::start`]. Its servers count the calls that reach them and can be made to turn on their users while
//!   they run, as a compromised server would.
//! - [`hostile`]: MCP servers that lie, written byte by byte, because a decent library refuses to misbehave. Each
//!   one introduces itself honestly, so that people approve it, and then breaks its word in one named way.
//! - [`mcp`]: a small honest client for stories and tests, which can also be told to send exactly the wrong bytes.
//!
//! Nothing here shares a parser with the gate: a mistake in the gate's reading must not be repeated by its judge.
//! Nothing here is reachable from a production endpoint.

pub mod company;
pub mod hostile;
pub mod mcp;

pub use company::Company;
pub use hostile::Hostile;
