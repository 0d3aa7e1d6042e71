//! Attacks through the front door. Each is refused with the right words, leaves a receipt that says which control
//! refused and why, never reaches the server, and leaks nothing.

mod borrowed_rights;
mod entity_escape;
mod header_body_mismatch;
mod ill_typed_argument;
mod two_readers;
mod unapproved_server;
