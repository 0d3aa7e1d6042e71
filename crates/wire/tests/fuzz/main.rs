//! Every parser of untrusted bytes, against bytes nobody thought of.
//!
//! Under plain `cargo test` each target runs for a moment with random input; `cargo bolero test NAME` lets a fuzzer
//! drive the same target for as long as it likes. Random bytes are almost never JSON, so most targets grow a text from
//! them instead: [`grower::Grower`] turns bytes into JSON that is right more often than not.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that falls over has failed"
)]

mod framing;
mod grower;
mod headers;
mod messages;
mod texts;

use std::time::Duration;

const TEST_TIME: Duration = Duration::from_millis(700);
