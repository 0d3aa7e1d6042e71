//! What settings say of inspection: findings that are not told, and who else looks into messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What settings say of inspection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InspectionView {
    /// Findings that are not told, in the order of the settings.
    pub suppressions: Vec<SuppressionRow>,
    /// Detectors that are asked over HTTP, in the order of the settings.
    pub callouts: Vec<CalloutRow>,
}

/// Findings that are not told, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressionRow {
    /// The rule that errs.
    pub rule: String,
    /// At this server alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// At this tool alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// At this place of messages alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it ends, in milliseconds since 1970.
    pub until: u64,
    /// Whether it is over: then it does nothing.
    pub over: bool,
    /// Findings that it kept from being told since the gate started or its settings were read.
    pub used: u64,
}

/// A detector that is asked over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalloutRow {
    /// Its name: its rules are `callout.NAME` and what stands below that.
    pub name: String,
    /// Where it is asked, without what a query may hold.
    pub place: String,
    /// What it is asked about: `call`, `release`, `ask`.
    pub about: Vec<String>,
    /// At these servers alone; at all, if there are none.
    pub servers: Vec<String>,
    /// `redacted` or `whole`.
    pub sends: String,
    /// What a message does that it has not looked at: `open` or `closed`.
    pub fails: String,
    /// Until when it is left alone because it failed, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_alone_until: Option<u64>,
}
