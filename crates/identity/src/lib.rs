//! Who is calling, for whom, with whose credentials?
//!
//! Two directions meet here and never touch. Towards agents, [`DevelopmentTokens`] turns the `Authorization` header of a
//! request into a [`model::Caller`], and so does a [`resource_server::ResourceServer`] with the access tokens of issuers. Towards servers, [`Credential`] writes the gate's own credential into a request. What
//! the caller presented never leaves the gate (MCP 2026-07-28, authorization: token passthrough is forbidden): no
//! function here takes both.
//!
//! A [`Seal`] makes handles that are good for whoever they were given to and for nobody else.
//!
//! A [`vault::Vault`] seals what is kept: the store sees nothing that it could tell.
//!
//! What is signed is read by [`jwt`], by the keys of [`keys`]; whoever else must be asked is asked through [`fetch`].
//!
//! [`ages::Ages`] says how old keys are that somebody keeps for servers.
//!
//! [`outgoing::Outgoing`] gets those credentials of servers that have authorization servers of their own, and
//! [`assertions::Assertions`] tells servers that can check it who calls, and for whom.
//!
//! People sign in on the admin side through [`people`], and are known there by their sessions.
//!
//! Connections are encrypted by [`tls`], which also asks clients for their [`certificate`]s.
//!
//! This is the one room that opens a [`model::Secret`].

pub mod agents;
pub mod ages;
pub mod assertions;
mod bearer;
pub mod certificate;
pub mod client_keys;
mod credential;
mod development;
pub mod facade;
pub mod fetch;
pub mod json;
pub mod jwt;
pub mod keys;
pub mod outgoing;
pub mod people;
pub mod port;
mod private;
pub mod relying;
pub mod resource_server;
mod seal;
mod secrets;
pub mod site;
pub mod succession;
pub mod tls;
pub mod vault;

pub use bearer::bearer_token;
pub use credential::{Credential, CredentialError};
pub use development::{DevelopmentToken, DevelopmentTokens, TokenError};
pub use private::write_private;
pub use seal::{KeptKeyError, Seal, SealError};
pub use secrets::{SecretError, bearer, read_secret};
