//! Who is calling, for whom: people who sign in at the gate for their agents, with an identity provider behind it.
//!
//! [`provider`] is that provider, in this process, so that it can lie; [`person`] is a browser and the application beside it.

mod facade_attacks;
mod facade_clients;
mod facade_ends;
mod facade_flow;
mod person;
mod provider;
