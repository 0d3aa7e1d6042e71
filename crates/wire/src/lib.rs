//! What was said?
//!
//! MCP over streamable HTTP and standard streams: bytes in, values out. This crate does no I/O and decides nothing; it
//! refuses only what two readers could read differently, and what the specification says every server must refuse.
//!
//! A message from an agent goes through [`read`], which yields a [`Request`]: its method, its [`Subject`] (the tool,
//! prompt or resource it is about), its [`Meta`], and the body exactly as it came. What a server sends goes through
//! [`answer::read`], event by event from an [`sse::Decoder`] when it streams, line by line from a [`lines::Decoder`] when
//! it is a process. What the gate says itself is written by [`reply`] (to agents) and [`outgoing`] (to servers).
//!
//! Five revisions are spoken ([`Revision`]), and all become the same nouns. 2026-07-28 has no sessions: each request says
//! everything. Those before it begin with `initialize` and keep a session, named by a header, on whose streams servers send
//! requests that clients answer ([`Said::Response`]) and which are opened and ended by requests without a body
//! ([`read_head`]). One of them has batches, which are split before they are read ([`batch`]).
//!
//! Under both directions lies [`json`]: one strict pass over the bytes that accepts only what every reader reads the
//! same way. Values are then borrowed from the checked text; nothing is copied into a tree, and a body that nothing
//! changed is forwarded byte for byte. Where an id or a name has to change, [`edit`] replaces it in the text.
//!
//! - [`json`]: the strict reader.
//! - [`read`], [`Request`], [`Response`]: an agent's message, its headers checked against its body.
//! - [`batch`]: several messages in one array.
//! - [`ParamHeaders`]: `Mcp-Param-*` headers, as a tool's schema asks for them.
//! - [`outgoing`]: headers for what is forwarded, and requests of the gate's own.
//! - [`answer`]: a server's message.
//! - [`task`]: what a server goes on with by itself, and tells later.
//! - [`bridge`]: what a message of one era is in the other.
//! - [`edit`]: single members of a message replaced, the rest untouched.
//! - [`sse`], [`lines`]: how messages follow one another, in and out.
//! - [`reply`]: results, errors and refusals of the gate's own.
//!
//! Deliberately absent: typed models of results. They would drop the members they do not know.

pub mod json;

mod scan;

mod flaw;
mod id;
mod revision;

pub mod header;
mod param_headers;
mod request;

pub mod answer;
pub mod batch;
pub mod bridge;
pub mod edit;
pub mod lines;
pub mod outgoing;
pub mod reply;
pub mod sse;
pub mod task;

pub use flaw::Flaw;
pub use id::Id;
pub use param_headers::{AnnotationError, ParamHeaders};
pub use request::{
    Capabilities, Elicitation, Head, Meta, Reference, Request, Response, Said, Subject, read, read_head,
};
pub use revision::Revision;
