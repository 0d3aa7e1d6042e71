//! The words of a server's life: where it stands, how it is approved, and what opens an approval again.

use model::{Actor, Change, Digest, Timestamp, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a server stands with the people who approve servers. Only an approved one can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Somebody still writes on it.
    Draft,
    /// Submitted, and not seen yet; or no longer approved.
    Submitted,
    /// Seen and read by the gate: there is something that people can approve.
    Vetted,
    /// Approved: its pinned definitions can be used.
    Approved,
    /// Approved once and taken out of service. The approval holds once that is over.
    Suspended,
    /// Taken out of everything, because it may be hostile. The gate does not look at it, and no approval holds after it.
    Quarantined,
    /// Over, for good.
    Retired,
}

impl Standing {
    /// Every standing, in the order in which a server comes to them.
    pub const ALL: [Self; 7] =
        [Self::Draft, Self::Submitted, Self::Vetted, Self::Approved, Self::Suspended, Self::Quarantined, Self::Retired];

    /// The word used in documents, the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Vetted => "vetted",
            Self::Approved => "approved",
            Self::Suspended => "suspended",
            Self::Quarantined => "quarantined",
            Self::Retired => "retired",
        }
    }
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

impl From<&Change> for Mark {
    fn from(change: &Change) -> Self {
        Self { by: change.actor.clone(), at: change.at }
    }
}

/// Who took a server out of service, when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: Option<String>,
    /// What happened by itself that its manifest wants it suspended for; none where somebody did it.
    #[serde(default)]
    pub cause: Option<Cause>,
}

impl Suspension {
    pub(super) fn by(change: &Change, cause: Option<Cause>) -> Self {
        Self { by: change.actor.clone(), at: change.at, reason: change.reason.clone(), cause }
    }
}

/// How it came to be known that a server shows something else than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// Who looked.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What made them look: that the server told of a change, that its time was up.
    pub reason: Option<String>,
}

/// Whose eyes a server has to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Eyes {
    /// Two people's: who submitted it does not approve it.
    Four,
    /// One person's, where nobody else could approve it.
    Two,
}

/// An approval, as its approver gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// The digest of what the approver read.
    pub seen: Digest,
    /// The digest of what is kept of its package, if something is: what is kept by then must be that.
    pub package: Option<Digest>,
    /// When it is over; none for one that has no end, or the one that the manifest gives it.
    pub expires: Option<Timestamp>,
    /// Whether the approver may be who submitted the server.
    pub eyes: Eyes,
}

impl Approval {
    /// An approval without an end of its own.
    pub fn of(seen: Digest, eyes: Eyes) -> Self {
        Self { seen, package: None, expires: None, eyes }
    }
}

/// What opens an approval again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its time is over.
    Expired,
    /// Something it is made of has a weakness that was not known.
    Advisory,
    /// A signature that it rests on does not hold any more.
    Signature,
}

impl Cause {
    /// The word used in documents, the API and receipts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Advisory => "advisory",
            Self::Signature => "signature",
        }
    }
}

/// Something that an approval did not know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// What kind of thing.
    pub cause: Cause,
    /// What it is, for people; the same words for the same thing, by which it is known again. Of advisories it is made of those
    /// that are new.
    pub about: String,
    /// The advisories, if it is some.
    pub advisories: Vec<Advisory>,
}

impl Reopening {
    /// Something that is not an advisory.
    pub fn of(cause: Cause, about: impl Into<String>) -> Self {
        Self { cause, about: about.into(), advisories: Vec::new() }
    }

    /// Advisories, the worst first. Those that are known already change nothing.
    pub fn advisories(advisories: Vec<Advisory>) -> Self {
        Self { cause: Cause::Advisory, about: told(&advisories), advisories }
    }
}

/// An advisory about something that a server is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Advisory {
    /// Its name: `GHSA-…`, `MAL-…`.
    pub id: String,
    /// The package URL of what it is about, with the version.
    pub component: String,
    /// How bad it is: `critical`, `high`, `medium`, `low` or `note`.
    pub severity: String,
    /// The first version in which it is mended, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mended: Option<String>,
    /// Whether it says that the thing was made to do harm.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub malice: bool,
}

impl Advisory {
    /// Whether it says the same of the same thing.
    pub fn is(&self, other: &Self) -> bool {
        self.id == other.id && self.component == other.component
    }
}

/// Advisories in a line: some by name, the others by their number.
pub(super) fn told(advisories: &[Advisory]) -> String {
    let one = |Advisory { id, component, severity, mended, .. }: &Advisory| {
        let mended = mended.as_ref().map(|version| format!(", mended in {version}")).unwrap_or_default();
        format!("{id} ({severity}) in {component}{mended}")
    };
    let mut parts: Vec<String> = advisories.iter().take(limits::ADVISORIES_TOLD).map(one).collect();
    let more = advisories.len().saturating_sub(limits::ADVISORIES_TOLD);
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    parts.join("; ")
}

/// What follows from a [`Reopening`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// Nothing: it was known, or it is about no server that anybody uses.
    Nothing,
    /// People are told, and the server stays where it stands.
    Warned,
    /// The server is suspended.
    Suspended,
}

/// Something that became known of a server after its approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What kind of thing.
    pub cause: Cause,
    /// What it is.
    pub about: String,
    /// The advisories, if it is some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<Advisory>,
    /// When it became known.
    pub at: Timestamp,
    /// Whether somebody approved or resumed the server since.
    pub settled: bool,
}

/// Something that vetting found, and that somebody accepted all the same: it keeps the server from being approved no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The check that found it.
    pub check: String,
    /// The digest of what it found: anything else is another thing.
    pub of: Digest,
    /// Who accepted it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: String,
}

/// `[lifecycle]` of a server's manifest: how long an approval is good, and what follows when something opens it again. It is
/// part of what is approved: another one needs a new approval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// How many days an approval is good for, and at most; without it an approval ends when its approver says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_days: Option<u32>,
    /// What follows when the approval is over: `suspend`, if it is not said, or `warn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expired: Option<Follows>,
    /// What follows when an advisory is published for something it is made of: `warn`, if it is not said, or `suspend`. Without
    /// it, one that tells of malice suspends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    advisory: Option<Follows>,
    /// What follows when a signature does not hold any more: `suspend`, if it is not said, or `warn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Follows>,
}

/// What a manifest has follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Follows {
    /// It is suspended.
    Suspend,
    /// People are told.
    Warn,
}

impl Lifecycle {
    /// What follows from advisories. Where the manifest does not say, one that tells of malice is no mere weakness.
    pub fn on_advisories(&self, advisories: &[Advisory]) -> Consequence {
        match self.advisory {
            None if advisories.iter().any(|one| one.malice) => Consequence::Suspended,
            None | Some(_) => self.on(Cause::Advisory),
        }
    }

    /// What follows from a cause.
    pub fn on(&self, cause: Cause) -> Consequence {
        let (said, usual) = match cause {
            Cause::Expired => (self.expired, Follows::Suspend),
            Cause::Advisory => (self.advisory, Follows::Warn),
            Cause::Signature => (self.signature, Follows::Suspend),
        };
        match said.unwrap_or(usual) {
            Follows::Suspend => Consequence::Suspended,
            Follows::Warn => Consequence::Warned,
        }
    }
}
