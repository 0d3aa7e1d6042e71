//! What people write to submit a server, name an endpoint or draw a zone: TOML files, and the same shapes as JSON in
//! the API. [`parse()`] reads any of them, with mistakes told at file, line and column; settings are read by it too.
//!
//! A value of these types is one that can be used: what could not be is told by the type of each field, or, where
//! several fields must fit together, by a check whose words begin with the field they are about.

mod agent;
mod authentication;
mod command;
mod credential;
mod endpoint;
mod mistake;
mod package;
mod server;
mod text;

use ipnet::IpNet;
use model::ZoneName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use agent::{AgentClient, AgentManifest, Attester, ClientKey};
pub use authentication::Demands;
pub use command::{Arguments, CommandLimits, CommandManifest, JailManifest};
pub use credential::{ClientProof, Credential, Grant, GrantHolder, GrantKind, GrantSubject, Key};
pub use endpoint::{Choice, EndpointManifest, Naming, Portion, Search};
pub use mistake::{Mistake, offset_of, parse};
pub use package::{Least, PackageManifest, ProvenanceManifest};
pub use server::{Address, Place, ServerManifest, ServerTls, ToolManifest};
pub use text::{
    Argument, CredentialHeader, Directory, Line, Program, PublishedName, ResourcePrefix, ScopeName, ServerUrl, Sha256,
    TextError, Token, Variable,
};

/// The zone a server is in unless its manifest says otherwise: every public address. It cannot be declared.
pub const ZONE_INTERNET: &str = "internet";

/// `zones/NAME.toml`: a network segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneManifest {
    /// Its name; anything but `internet`, which is built in.
    #[serde(deserialize_with = "declared_zone")]
    #[schemars(with = "String")]
    pub name: ZoneName,
    /// The networks in it, in CIDR notation.
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpNet>,
    /// What lies in it, in a sentence.
    pub purpose: Line,
}

#[expect(clippy::expect_used, reason = "a constant, and a test reads a manifest without a zone")]
fn internet() -> ZoneName {
    ZONE_INTERNET.parse().expect("`internet` is a zone's name")
}

fn declared_zone<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ZoneName, D::Error> {
    let name = ZoneName::deserialize(deserializer)?;
    if name.as_str() == ZONE_INTERNET {
        return Err(serde::de::Error::custom("the zone `internet` is built in: give this one another name"));
    }
    Ok(name)
}

/// Fields that do not fit together. The words begin with the field they are about, so that [`parse()`] finds its line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {message}")]
pub struct Misfit {
    key: String,
    message: String,
}

impl Misfit {
    fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

#[cfg(test)]
mod tests;
