//! What the API shows of looks at servers that live.

use evidence::{Probe, Trial};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far a look is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LookRow {
    /// `probe` or `try`.
    pub doing: String,
    /// Steps that are done.
    pub done: usize,
    /// Of so many.
    pub of: usize,
    /// The step that it is at.
    pub now: String,
}

/// The look at a server that goes on now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// How far it is; none if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<LookRow>,
}

/// What a server answered to what strangers ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeView {
    /// Who had it probed, and said that they may.
    pub by: String,
    /// When, in milliseconds since 1970 in UTC.
    pub at: u64,
    /// Whether the server is another by now: another address, zone or credential.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outdated: bool,
    /// What was found.
    pub probe: Probe,
}

/// What a server's program tried, where it could do no harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialView {
    /// Who had it tried.
    pub by: String,
    /// When, in milliseconds since 1970 in UTC.
    pub at: u64,
    /// Whether the server is another by now: another command, or another address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outdated: bool,
    /// What was found.
    pub trial: Trial,
}
