//! What the API shows of hosts: a row for each report, and the report itself.

use inventory::Compared;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A report in a list, in numbers of servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostRow {
    /// The host.
    pub host: String,
    /// Whose settings were read.
    pub user: String,
    /// `linux`, `macos` or `windows`.
    pub system: String,
    /// Who reported it.
    pub by: String,
    /// When, in milliseconds since 1970 in UTC.
    pub at: u64,
    /// All of them.
    pub servers: usize,
    /// Those reached through the gate.
    pub through_gate: usize,
    /// Those that are approved and reached without the gate.
    pub around_gate: usize,
    /// Those that nobody approved.
    pub unapproved: usize,
    /// Those whose entries hold secrets in plain text.
    pub with_secrets: usize,
    /// Files that could not be understood.
    pub unreadable: usize,
}

/// What was reported of a host, held against what the gate has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostReport {
    /// Who reported it.
    pub by: String,
    /// When, in milliseconds since 1970 in UTC.
    pub at: u64,
    /// What they reported.
    pub inventory: Compared,
}
