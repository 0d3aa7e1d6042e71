//! What the API shows of vetting: what was found of a server, and how it goes on by itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Deed;
use crate::vetting::{FailMode, Verdict, VettingCheck};

/// What vetting found of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VettingReport {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The score: the sum of its lines. It decides nothing.
    pub points: u32,
    /// What makes up the score.
    pub score: Vec<Points>,
    /// Every check, a line each.
    pub checks: Vec<VettedRow>,
}

/// A line of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Points {
    /// What it adds.
    pub points: u32,
    /// What for.
    pub why: String,
}

/// One check of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VettedRow {
    /// Its name.
    pub check: VettingCheck,
    /// `passed`, `found`, `could-not-look` or `nothing` to look at.
    pub verdict: Verdict,
    /// How bad that is, where something was found or nobody could look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// What follows: `block` keeps the server from being approved, `warn` tells whoever approves it.
    pub mode: FailMode,
    /// What was found, in a sentence.
    pub says: String,
    /// What was looked at, and what was seen there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// The digest of what was found; what somebody sends back to accept it.
    pub of: String,
    /// Who accepted it all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Deed>,
    /// Whether it keeps the server from being approved now.
    pub blocks: bool,
}

/// How vetting is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VettingView {
    /// When all servers were looked at last, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<u64>,
    /// Why they could not be looked at the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The advisories that they are compared with; none if settings name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisories: Option<AdvisoriesView>,
}

/// The advisories that servers are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdvisoriesView {
    /// The file.
    pub file: String,
    /// How many there were when they could be read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisories: Option<usize>,
    /// When those were imported, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_at: Option<u64>,
    /// Whether they are older than settings have it.
    #[serde(default)]
    pub stale: bool,
    /// Why they cannot be read. Nothing is compared with them then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}
