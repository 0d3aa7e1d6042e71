//! What the API shows of a server's package.

use dossier::Examination;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is in a server's package, as somebody had it examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackageView {
    /// Who had it examined.
    pub by: String,
    /// When, in milliseconds since 1970 in UTC.
    pub at: u64,
    /// What was found.
    pub examination: Examination,
    /// Why the server cannot be approved with it, as its manifest is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmet: Option<String>,
}
