//! What the API shows: stable shapes, apart from those the rooms use among themselves. The CLI reads them too.

use model::{Actor, Role, Scope, Timestamp};
use registry::{Definition, Definitions, EndpointManifest, Kind, ServerManifest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::difference::Edit;

/// Who did something, when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deed {
    /// A person's name, or `the gate`.
    pub by: String,
    /// Milliseconds since 1970 in UTC.
    pub at: u64,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Deed {
    pub(crate) fn new(by: &Actor, at: Timestamp, reason: Option<&str>) -> Self {
        let by = match by {
            Actor::Person(name) => name.clone(),
            Actor::Gate => "the gate".to_owned(),
        };
        Self { by, at: at.0, reason: reason.map(str::to_owned) }
    }
}

/// Whose token the request carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhoAmI {
    /// The name, as receipts show it.
    pub name: String,
    /// The roles.
    #[schemars(with = "Vec<String>")]
    pub roles: Vec<Role>,
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
    /// Reachable: approved, under the identity that was approved.
    pub in_service: usize,
    /// Waiting for an approval.
    pub submitted: usize,
    /// Taken out of service.
    pub suspended: usize,
    /// In service, with definitions that differ from the approved ones and are withheld.
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
}

/// A server in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerRow {
    /// What was submitted.
    pub manifest: ServerManifest,
    /// `submitted`, `approved` or `suspended`.
    pub standing: String,
    /// Whether agents can reach it: approved, under the identity that was approved.
    pub in_service: bool,
    /// Tools approved.
    pub tools: usize,
    /// Definitions that changed or are new since the approval, and are withheld.
    pub withheld: usize,
    /// When it was last looked at, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<u64>,
}

/// All that is known of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dossier {
    /// What was submitted.
    pub manifest: ServerManifest,
    /// `submitted`, `approved` or `suspended`.
    pub standing: String,
    /// Whether agents can reach it.
    pub in_service: bool,
    /// Who submitted the manifest as it is.
    pub submitted: Deed,
    /// Who approved last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Deed>,
    /// Who suspended it, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Deed>,
    /// What was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Offer>,
    /// What it said of itself when it was last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Offer>,
    /// From the approved to the observed, if there are both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Drift>,
    /// The calls that agents make there now; none if it is not in service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// Where it speaks of other servers and their tools; models read its words beside theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<MentionRow>,
    /// Why it could not be looked at, in the answer to a request that made the gate look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
}

/// The calls that agents make to a server now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Traffic {
    /// How many it may have at once.
    pub places: usize,
    /// How many are under way.
    pub under_way: usize,
    /// How many wait for their turn.
    pub waiting: usize,
    /// The server failed, and calls are refused at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_alone: Option<LeftAlone>,
}

/// A server that failed and is not tried for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftAlone {
    /// How often it failed in a row.
    pub failures: u32,
    /// Milliseconds until a call is let through to try it again.
    pub again_in_milliseconds: u64,
}

/// A place where a server speaks of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MentionRow {
    /// The definition that does: `tool find`; `instructions`.
    pub within: String,
    /// Where in the definition, as a JSON pointer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// The server that is spoken of.
    pub server: String,
    /// Its tool or prompt, if it is one of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The words around it.
    pub excerpt: String,
}

impl From<registry::Mention> for MentionRow {
    fn from(mention: registry::Mention) -> Self {
        let registry::Mention { within, pointer, server, name, excerpt } = mention;
        let within = within.map_or_else(|| "instructions".to_owned(), |one| format!("{} {}", one.kind, one.name));
        Self { within, pointer, server: server.to_string(), name, excerpt }
    }
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointRow {
    /// What was applied.
    pub manifest: EndpointManifest,
    /// Whether agents can reach it: at least one of its servers is in service.
    pub in_service: bool,
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

/// What a server offers: approved, or as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Offer {
    /// The digest over all of it; what an approver sends back to say what they read.
    pub digest: String,
    /// When it was seen, in milliseconds since 1970; none for what was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// What it calls itself. Nobody checks that.
    pub server_info: Value,
    /// What it tells models about how to use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The protocol revisions it speaks.
    pub versions: Vec<String>,
    /// Its tools, prompts and resource templates.
    pub definitions: Vec<Item>,
    /// What it also offers and nobody can approve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Left>,
}

/// A tool, prompt or resource template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// `tool`, `prompt` or `template`.
    pub kind: String,
    /// Its name, or the template.
    pub name: String,
    /// The digest of its definition.
    pub digest: String,
    /// Its definition, whole.
    pub definition: Value,
    /// JSON pointers into a tool's schema of the places that welcome arguments the schema does not name. There the
    /// gate cannot tell what is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepts_undeclared: Vec<String>,
}

/// Something that nobody can approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// `tool`, `prompt` or `template`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// How what a server offers now differs from what was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// Whether the approval counts no longer, because the server's address, zone or credential changed.
    pub identity_changed: bool,
    /// What changed. New and changed definitions are withheld until they are approved.
    pub changes: Vec<Edit>,
}

impl Drift {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        !self.identity_changed && self.changes.is_empty()
    }
}

impl Item {
    /// Every definition, without a look at the schemas.
    pub(crate) fn all(definitions: &Definitions) -> Vec<Self> {
        let of = |kind: Kind| definitions.of(kind).iter().map(move |definition| Self::of(kind, definition));
        Kind::ALL.into_iter().flat_map(of).collect()
    }

    fn of(kind: Kind, definition: &Definition) -> Self {
        Self {
            kind: kind.as_str().to_owned(),
            name: definition.name.clone(),
            digest: definition.digest.to_string(),
            definition: definition.value.clone(),
            accepts_undeclared: Vec::new(),
        }
    }
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
