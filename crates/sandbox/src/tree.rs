//! All that a program started: found, measured, killed.
//!
//! The supervisor is the reaper of its descendants, so that whatever loses its parent becomes the supervisor's own child:
//! every descendant can be reached from the supervisor, however it was started, until it has been waited for.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Tree, session};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::Tree;
