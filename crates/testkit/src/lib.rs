//! What tests need in one line.
//!
//! - [`Process`]: a program of ours, started, waited for until it says that it is ready, and gone when the test is.
//! - [`Authority`]: certificates of listeners and of clients.
//! - [`wait_for_port`]: something listens at a loopback port.
//!
//! Two programs come with it. `conformance-server` is the fixture that the official MCP conformance suite is pointed
//! at, directly and through the gate. `add-credentials` stands between that suite, which cannot send credentials, and
//! the gate, which answers nobody without them.

mod authority;
mod port;
mod process;

pub use authority::{Authority, Good, Issued};
pub use port::wait_for_port;
pub use process::Process;
