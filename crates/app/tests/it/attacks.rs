//! Attacks through the front door. Each is refused with the right words, leaves a receipt that says which control
//! refused and why, never reaches the server, and leaks nothing.

mod batched;
mod borrowed_rights;
mod child_environment;
mod child_exhausts;
mod child_floods;
mod child_outlives;
mod child_silent;
mod cross_endpoint;
mod dns_rebinding;
mod downgrade;
mod entity_escape;
mod event_stream;
mod foreign_session;
mod foreign_state;
mod foreign_task;
mod halts;
mod header_body_mismatch;
mod hidden_tool;
mod ill_typed_argument;
mod matrix;
mod method_register;
mod posts_elsewhere;
mod prefix_collision;
mod replay_reauthorised;
mod revoked_token;
mod rug_pull;
mod self_approval;
mod server_questions;
mod session_after_halt;
mod shadowing;
mod token_passthrough;
mod two_readers;
mod unapproved_server;
mod wrapped_call;
