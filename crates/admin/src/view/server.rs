//! What the API shows of servers: rows of a list, dossiers, what they offer, and how that differs from what was approved.

use registry::{Definition, Definitions, Kind, ServerManifest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::judgement::{ChangeRow, JudgementRow};
use super::{Deed, PackageView, ProbeView, TrialView, VettingReport};
use crate::difference::Edit;

/// A server in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerRow {
    /// What was submitted.
    pub manifest: ServerManifest,
    /// `draft`, `submitted`, `vetted`, `approved`, `suspended`, `quarantined` or `retired`.
    pub standing: String,
    /// Whether agents can reach it: approved, under the identity that was approved.
    pub in_service: bool,
    /// When its approval is over, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// Tools approved.
    pub tools: usize,
    /// Definitions that are new since the approval, or changed in a way that has them withheld.
    pub withheld: usize,
    /// What became known after its approval and nobody settled: `expired`, `advisory`, `signature`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warned: Vec<String>,
    /// When it was last looked at, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<u64>,
}

/// All that is known of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dossier {
    /// What was submitted.
    pub manifest: ServerManifest,
    /// `draft`, `submitted`, `vetted`, `approved`, `suspended`, `quarantined` or `retired`.
    pub standing: String,
    /// Whether agents can reach it.
    pub in_service: bool,
    /// Who submitted the manifest as it is.
    pub submitted: Deed,
    /// Who approved last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Deed>,
    /// When the approval is over, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// Who took it out of service, while it is suspended, quarantined or retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Deed>,
    /// What became known of it after its approval.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<WarningRow>,
    /// What people said of it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<CommentRow>,
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
    /// Its credentials, by holder, where an authorization server gives them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<CredentialHealth>,
    /// The scopes of its tokens: what was given, asked for and used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<ScopeRow>,
    /// Where it speaks of other servers and their tools; models read its words beside theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<MentionRow>,
    /// What is in its package, if somebody had that examined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageView>,
    /// What vetting found of it the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vetting: Option<VettingReport>,
    /// What it answered to what strangers ask, if somebody had it probed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeView>,
    /// What its program tried in a jail, if somebody had it tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialView>,
    /// What its words try to do, as far as wording shows it; none if it was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<JudgementRow>,
    /// Who noticed what it shows now, when, and what made them look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed: Option<Deed>,
    /// Why it could not be looked at, in the answer to a request that made the gate look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
}

/// Something that became known of a server after its approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarningRow {
    /// `expired`, `advisory` or `signature`.
    pub cause: String,
    /// What it is.
    pub about: String,
    /// The advisories, if it is some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<registry::Advisory>,
    /// When it became known, in milliseconds since 1970.
    pub at: u64,
    /// Whether somebody approved or resumed the server since.
    pub settled: bool,
}

impl From<&registry::Warning> for WarningRow {
    fn from(warning: &registry::Warning) -> Self {
        let registry::Warning { cause, about, advisories, at, settled } = warning;
        let (cause, about, advisories) = (cause.as_str().to_owned(), about.clone(), advisories.clone());
        Self { cause, about, advisories, at: at.0, settled: *settled }
    }
}

/// What somebody said of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommentRow {
    /// Who.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// What.
    pub text: String,
}

/// How one credential is; never what it is. Times are in milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialHealth {
    /// Whose it is: `shared`, `user ana`, `agent nightly`, `user ana through helpdesk`; `key` for one that somebody keeps.
    pub holder: String,
    /// Who gave it out, where somebody agreed to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The scopes that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requested: Vec<String>,
    /// The scopes that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<String>,
    /// Who brought it about, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<Deed>,
    /// When the one in use was given out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obtained_at: Option<u64>,
    /// When it is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<u64>,
    /// When it is over, unless it is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// Since when a key that somebody keeps has been the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// When another key is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<u64>,
    /// By how many days it is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_days: Option<u64>,
    /// How the last attempt to get one failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<u64>,
}

/// One scope of a server's tokens. Times are in milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeRow {
    /// Its name.
    pub scope: String,
    /// When a token last was given it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_at: Option<u64>,
    /// When the server last asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<u64>,
    /// When a call that the server asked it for last went through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<u64>,
}

/// An invitation to connect a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invitation {
    /// Where to open it, in a browser. Whoever has it can connect the server, so it is for nobody else.
    pub url: String,
}

/// What was wrapped anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rewrapped {
    /// How many sealed things have a key that is wrapped otherwise than before.
    pub rewrapped: usize,
}

/// Whether something was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Forgotten {
    /// Whether there was something.
    pub was_there: bool,
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
    /// What a tool seems to do, by its words and its schema: `reads`, `writes`, `sends`, `destroys`, `unknown`. Its annotations
    /// are not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
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
    /// What changed, line by line. What is new is withheld until it is approved.
    pub changes: Vec<Edit>,
    /// What the changes of definitions are, and what follows from each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub graded: Vec<ChangeRow>,
    /// Who noticed, when, and what made them look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed: Option<Deed>,
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
        let value = definition.value();
        let effect = (kind == Kind::Tool).then(|| registry::effect(&definition.name, &value).as_str().to_owned());
        Self {
            effect,
            kind: kind.as_str().to_owned(),
            name: definition.name.clone(),
            digest: definition.digest.to_string(),
            definition: value,
            accepts_undeclared: Vec::new(),
        }
    }
}
