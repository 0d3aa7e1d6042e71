//! What the API takes: path parameters, queries and bodies.

use model::{AgentId, Digest, ReceiptId, Revision, ServerName, UserId};
use registry::ServerManifest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Manifests;
use crate::vetting::VettingCheck;
use crate::view::What;

/// A server in a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerPath {
    /// The server.
    #[schemars(with = "String")]
    pub name: ServerName,
}

/// A host in a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostPath {
    /// The host, as it was reported.
    pub name: String,
}

/// A receipt in a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptPath {
    /// The receipt.
    #[schemars(with = "String")]
    pub id: ReceiptId,
}

/// Says what somebody thinks of what inspection saw in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackRequest {
    /// `false-positive`: what was seen is none. `missed`: something that is there was not seen.
    #[schemars(with = "String")]
    pub verdict: audit::FeedbackVerdict,
    /// The rule that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub rule: Option<model::RuleId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Submits a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Submit {
    /// The server, as `servers/NAME.toml` describes it.
    pub manifest: ServerManifest,
    /// Whether somebody still writes on it: it is kept, and not looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Approves what a server offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The digest of what the approver read: `observed.digest` of the dossier.
    #[schemars(with = "String")]
    pub seen: Digest,
    /// When the approval is over, in milliseconds since 1970. Without it, it has the end that the manifest gives it, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Accepts what a check of vetting found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The check.
    pub check: VettingCheck,
    /// The digest of what was read: `of` of the check's line.
    #[schemars(with = "String")]
    pub of: Digest,
    /// Why.
    pub reason: String,
}

/// Has a server asked what strangers ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeRequest {
    /// Whether whoever sends this says that they may: that whoever runs the server agrees. Nothing is sent without it.
    #[serde(default)]
    pub i_may_probe: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Has a server's program tried in a jail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TryRequest {
    /// The package that it is installed from; without it, the command of a server that the gate starts is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageFile>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A package, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageFile {
    /// The file's name.
    pub name: String,
    /// Its bytes, in base64.
    pub base64: String,
}

/// A change that needs nothing but a reason, and not even that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Ends all sessions of a person on the admin side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendOut {
    /// Who vouches for them.
    pub issuer: String,
    /// What they call them.
    pub subject: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Says something of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    /// What.
    pub text: String,
}

/// For whom a server is to be connected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// `shared`, `user ana` or `agent nightly`; `shared` if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// Whose credential is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disconnect {
    /// `shared`, `user ana` or `agent nightly`, as the dossier shows it.
    pub holder: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Asks what applying some files would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// The files.
    pub manifests: Manifests,
}

/// Applies some files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The files.
    pub manifests: Manifests,
    /// The revision of the plan that was read; nothing is done if the state has moved on.
    #[schemars(with = "u64")]
    pub expected: Revision,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Halts something, or ends its halt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HaltRequest {
    /// The kind of thing.
    pub what: What,
    /// Its name; a tool's is `server/tool`. None for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which receipts to look for. What is not given fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// A text that the record or its outcome has anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub agent: Option<AgentId>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub user: Option<UserId>,
    /// The kind: `intent`, `refused`, `listed`, `changed`, `opened`, `outcome`, `strangers`, `unrecorded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub kind: Option<audit::Kind>,
    /// Made at this time or later, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Only records before this number: the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}
