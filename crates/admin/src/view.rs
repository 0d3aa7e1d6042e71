//! What the API shows: stable shapes, apart from those the rooms use among themselves. The CLI reads them too.

mod host;
mod inspection;
mod judgement;
mod look;
mod package;
mod server;
mod vetting;

use identity::port::SessionKind;
use model::{Actor, Role, Scope, Timestamp};
use registry::EndpointManifest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::difference::Edit;
pub use host::{HostReport, HostRow};
pub use inspection::{CalloutRow, InspectionView, SuppressionRow};
pub use judgement::{AlterationRow, ChangeRow, JudgedRow, JudgementRow, RemarkRow};
pub use look::{LookRow, ProbeView, Progress, TrialView};
pub use package::PackageView;
pub use server::{
    CommentRow, CredentialHealth, Dossier, Drift, Forgotten, Invitation, Item, Left, LeftAlone, MentionRow, Offer,
    Rewrapped, ScopeRow, ServerRow, Traffic, WarningRow,
};
pub use vetting::{AdvisoriesView, Points, VettedRow, VettingReport, VettingView};

/// Who did something, when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deed {
    /// Whoever it was, in words: a token's name, `NAME (SUBJECT at ISSUER)`, or `the gate`.
    pub by: String,
    /// Milliseconds since 1970 in UTC.
    pub at: u64,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Deed {
    pub(crate) fn new(by: &Actor, at: Timestamp, reason: Option<&str>) -> Self {
        Self { by: by.to_string(), at: at.0, reason: reason.map(str::to_owned) }
    }
}

/// Who sent the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhoAmI {
    /// The name: a token's, or what the identity provider calls a person.
    pub name: String,
    /// The roles.
    #[schemars(with = "Vec<String>")]
    pub roles: Vec<Role>,
    /// How they are known.
    pub known_by: KnownBy,
    /// Who vouches for a person that signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What they call them, for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When the session ends at the latest, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<u64>,
    /// What a page sends with whatever changes something, as the header `X-Portcullis-Csrf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf: Option<String>,
}

/// How somebody is known on the admin side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KnownBy {
    /// By a token that settings name.
    Token,
    /// By the session of a browser.
    Browser,
    /// By the session of the command line.
    CommandLine,
}

impl From<SessionKind> for KnownBy {
    fn from(kind: SessionKind) -> Self {
        match kind {
            SessionKind::Browser => Self::Browser,
            SessionKind::CommandLine => Self::CommandLine,
        }
    }
}

/// A session that was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedOut {
    /// Always.
    pub signed_out: bool,
}

/// Somebody who is signed in on the admin side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonRow {
    /// What the identity provider calls them.
    pub name: String,
    /// Who vouches for them.
    pub issuer: String,
    /// What they call them, for good.
    pub subject: String,
    /// What they may do now.
    #[schemars(with = "Vec<String>")]
    pub roles: Vec<Role>,
    /// By which kind of session they are known.
    pub known_by: KnownBy,
    /// When it began, in milliseconds since 1970.
    pub begun: u64,
    /// When it was used last, to a minute or so.
    pub seen: u64,
    /// When it ends at the latest.
    pub ends: u64,
    /// Whether it is a session of whoever asks.
    pub own: bool,
}

/// What came of sending somebody out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SentOut {
    /// How many sessions ended.
    pub ended: usize,
}

/// How the gate is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The gate's version.
    pub version: String,
    /// Whether it carries calls.
    pub ready: bool,
    /// What that depends on.
    pub checks: Vec<Check>,
    /// The revision of the durable state.
    pub revision: u64,
    /// The revision in effect on the data path.
    pub in_effect: u64,
    /// Servers, by standing, and those in service with definitions that wait for an approval.
    pub servers: Servers,
    /// Endpoints.
    pub endpoints: usize,
    /// Policy files.
    pub policy_files: usize,
    /// Halts in force.
    pub halts: usize,
    /// How the keys are by which tokens and sign-ins are checked.
    #[serde(default)]
    pub issuers: Vec<IssuerKeys>,
    /// How vetting is that goes on by itself.
    #[serde(default)]
    pub vetting: VettingView,
}

/// The keys of an issuer, as the gate knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IssuerKeys {
    /// Whose they are.
    pub issuer: String,
    /// What is checked by them: tokens of `agents`, people's `sign-in` for their agents, or `people` on the admin side.
    pub used_for: String,
    /// How many are known.
    pub keys: usize,
    /// Whether they are believed; if not, nobody comes in by them.
    pub believed: bool,
    /// When they were fetched last, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<u64>,
    /// Until when they are believed if they cannot be fetched again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub believed_until: Option<u64>,
    /// Why they could not be fetched the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// One thing that readiness depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Its name: `store`, `journal`, `listener`.
    pub name: String,
    /// Whether it is as it should be.
    pub ready: bool,
    /// More about it, for those who run the gate.
    pub detail: String,
}

/// Servers, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Servers {
    /// Somebody still writes on them.
    #[serde(default)]
    pub drafts: usize,
    /// Reachable: approved, under the identity that was approved.
    pub in_service: usize,
    /// Waiting for an approval, whether or not they were looked at.
    pub submitted: usize,
    /// Taken out of service.
    pub suspended: usize,
    /// Taken out of everything.
    #[serde(default)]
    pub quarantined: usize,
    /// Over for good.
    #[serde(default)]
    pub retired: usize,
    /// In service, with an approval that is over within two weeks, or over already.
    #[serde(default)]
    pub expiring: usize,
    /// In service, with something that became known after the approval and that nobody settled.
    #[serde(default)]
    pub warned: usize,
    /// In service, with changes that somebody has to look at.
    pub drifted: usize,
}

/// The revision of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revisions {
    /// Of the durable state.
    pub revision: u64,
    /// In effect on the data path.
    pub in_effect: u64,
}

/// A change that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// The revision it made.
    pub revision: u64,
    /// Whether the data path already goes by it. If not, it will; the answer did not wait longer.
    pub in_effect: bool,
    /// What else there is to know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// What there is to know of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// Who approved the server had submitted it, because nobody else may approve.
    ApprovedAlone,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointRow {
    /// What was applied.
    pub manifest: EndpointManifest,
    /// Whether agents can reach it: at least one of its servers is in service.
    pub in_service: bool,
    /// Where they do; none if the gate does not know what it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Tools it has.
    pub tools: usize,
    /// The protocol revisions that clients may speak there, the newest first.
    pub revisions: Vec<String>,
    /// Which of its servers are not in service, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What it asks for that is not there, and what clients may not take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRow {
    /// Its id.
    pub id: String,
    /// The file it stands in.
    pub file: String,
    /// The line it begins at.
    pub line: u32,
    /// `permit` or `forbid`.
    pub effect: String,
    /// The actions it is about.
    pub actions: Vec<String>,
    /// What the caller reads when it refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whom to ask about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The arguments it reads; `*` when it looks at all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads_arguments: Vec<String>,
    /// What looks wrong with it and does not stop it from being used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Its text.
    pub text: String,
}

impl From<policy::PolicySummary> for PolicyRow {
    fn from(summary: policy::PolicySummary) -> Self {
        let effect = match summary.effect {
            policy::Effect::Permit => "permit",
            policy::Effect::Forbid => "forbid",
        };
        Self {
            id: summary.id.to_string(),
            file: summary.file,
            line: summary.line,
            effect: effect.to_owned(),
            actions: summary.actions.iter().map(|action| action.as_str().to_owned()).collect(),
            message: summary.message,
            owner: summary.owner,
            reads_arguments: summary.reads_arguments,
            warnings: summary.warnings,
            text: summary.text,
        }
    }
}

/// What applying some files would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanView {
    /// The revision it was compared with. Apply against it, and what you saw is what is done.
    pub revision: u64,
    /// What changes.
    pub changes: Vec<Edit>,
    /// What looks wrong with a policy or an endpoint and does not stop it from being used.
    pub warnings: Vec<String>,
}

/// What applying some files did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    /// The revision it made; the same as before when there was nothing to do.
    pub revision: u64,
    /// Whether the data path already goes by it.
    pub in_effect: bool,
    /// What changed.
    pub changes: Vec<Edit>,
    /// What was seen of the servers that are new or changed.
    pub looked_at: Vec<Look>,
}

/// What was seen of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Look {
    /// The server.
    pub server: String,
    /// The digest of what it offers, if it could be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Tools it offers.
    pub tools: usize,
    /// Whether someone has to approve before all of it can be used.
    pub awaits_approval: bool,
    /// Why it could not be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
}

/// What a halt stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Every message of every caller.
    Everything,
    /// One person, through whichever agent.
    User,
    /// One agent, for whichever user.
    Agent,
    /// One server.
    Server,
    /// One tool, named `server/tool`.
    Tool,
    /// One endpoint.
    Endpoint,
}

impl What {
    /// What a scope is, and its name.
    pub(crate) fn of(scope: &Scope) -> (Self, Option<String>) {
        match scope {
            Scope::Everything => (Self::Everything, None),
            Scope::User(user) => (Self::User, Some(user.to_string())),
            Scope::Agent(agent) => (Self::Agent, Some(agent.to_string())),
            Scope::Server(server) => (Self::Server, Some(server.to_string())),
            Scope::Tool { server, tool } => (Self::Tool, Some(format!("{server}/{tool}"))),
            Scope::Endpoint(endpoint) => (Self::Endpoint, Some(endpoint.to_string())),
        }
    }
}

/// A halt in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HaltRow {
    /// What it stops.
    pub what: What,
    /// Its name; none for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who halted, when, and why.
    pub halted: Deed,
    /// What to know about it: that nothing of this name is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl HaltRow {
    pub(crate) fn new(halt: &watch::Halt, note: Option<String>) -> Self {
        let (what, name) = What::of(&halt.scope);
        Self { what, name, halted: Deed::new(&halt.by, halt.at, halt.reason.as_deref()), note }
    }
}

/// What became of a halt that was to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// Whether there was one.
    pub was_halted: bool,
}

/// A receipt: a record of the journal, the outcome of its call, and the proof that it is in the signed tree.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Receipt(#[schemars(with = "std::collections::BTreeMap<String, Value>")] pub audit::Receipt);

/// Receipts, the newest first, and where to go on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Receipts(#[schemars(with = "std::collections::BTreeMap<String, Value>")] pub audit::Page);

/// What somebody said of a receipt is in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackKept {
    /// The receipt of what they said.
    pub receipt: String,
}

/// How the journal is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Journal {
    /// `writing`, `unwritable` or `closed`. While it is not writing, calls are refused.
    pub condition: String,
    /// What is wrong, if something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Records that wait to be written.
    pub pending: u64,
    /// Who signs its checkpoints: keep it where the gate's owner cannot write.
    pub public_key: String,
}
