//! What is unusual, and what do we do?
//!
//! So far the doing: a halt stops a user, an agent, a server, a tool, an endpoint or everything, now. [`stop()`] makes
//! it durable, then puts it in force, then returns, so that whoever halted can rely on it. The data plane reads
//! [`Halts::current`] for each message and learns through [`Halts::subscribe`] which open streams to cut.
//!
//! Nothing here ever waits on the data path: reading the halts is one atomic load, and asking an empty set is five
//! look-ups in empty maps.

mod halts;
pub mod port;

pub use halts::{Halt, HaltSet, Halts, resume, stop};
