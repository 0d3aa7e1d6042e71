//! The receipts' words: what a record of the journal can say.
//!
//! A record is one line of canonical compact JSON with a fixed order of members,
//! `{"v":1,"id":…,"at":…,"kind":…,"event":{…}}`, of at most [`limits::RECORD_BYTES_MAX`] bytes. Its bytes, as written,
//! are the Merkle leaf. A message has two records: the [`Intent`], durable before the call leaves, and the
//! [`Outcome`], which names its intent.

mod json;
mod kind;
mod message;
mod shorten;

use model::{Actor, AgentId, AgentKind, Caller, Reason, ReceiptId, Revision, Signal, Timestamp, UserId, limits};
use serde::{Deserialize, Serialize};

use crate::port::OutboxRow;
pub(crate) use json::Head;
pub use kind::Kind;
pub use message::{Asked, End, Feedback, FeedbackVerdict, Intent, Listed, Outcome, Refused, Saw, Sight, Taken};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The record's own id.
    pub id: ReceiptId,
    /// When it was made.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The journal was opened: the gate started.
    Opened(Opened),
    /// A call is about to leave.
    Intent(Intent),
    /// How a call ended.
    Outcome(Outcome),
    /// A message was refused.
    Refused(Refused),
    /// A listing was answered from the snapshot.
    Listed(Listed),
    /// Governed state changed.
    Changed(Changed),
    /// Arrivals that were never authenticated, counted.
    Strangers(Strangers),
    /// Records that could not be written.
    Unrecorded(Unrecorded),
    /// A notification was taken and not passed on.
    Taken(Taken),
    /// A server's question was put to the client.
    Asked(Asked),
    /// A person said something of what inspection saw.
    Feedback(Feedback),
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// The agent.
    pub agent: AgentId,
    /// Whether it works for people.
    pub kind: AgentKind,
    /// The person it acts for; none for an autonomous agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The other agents through which it came, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<AgentId>,
    /// In what the message differs from the first one of its sign-in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Signal>,
}

impl From<&Caller> for Who {
    fn from(caller: &Caller) -> Self {
        let through = caller.authentication.actors.iter().map(|actor| actor.id.clone()).collect();
        let changed = caller.authentication.changed.signals().collect();
        Self { agent: caller.agent.id.clone(), kind: caller.agent.kind, user: caller.user().cloned(), through, changed }
    }
}

/// The gate started, and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The gate's version.
    pub version: String,
    /// Records that were there already.
    pub records: u64,
    /// Bytes of a record torn by a crash, cut off.
    pub truncated_bytes: u64,
    /// Intents of the last run that had no outcome.
    pub orphans: u64,
}

/// A change of governed state: the receipt of an outbox row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// The outbox row. A row that a crash made the gate write twice has the same number twice.
    pub outbox: u64,
    /// The revision of the state after the change.
    pub revision: Revision,
    /// Who changed it.
    pub actor: Actor,
    /// What was done.
    pub what: String,
    /// What it was done to.
    pub subject: String,
    /// What else an auditor needs.
    pub detail: serde_json::Value,
}

impl From<OutboxRow> for Changed {
    fn from(row: OutboxRow) -> Self {
        let OutboxRow { id, revision, actor, what, subject, detail, at: _ } = row;
        Self { outbox: id, revision, actor, what, subject, detail }
    }
}

/// Arrivals that were refused before anyone was authenticated, counted so that strangers cannot fill the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strangers {
    /// Where they came from: an address, or `elsewhere` when there were too many to tell apart.
    pub source: String,
    /// Why they were refused.
    pub reason: Reason,
    /// How many.
    pub count: u64,
}

/// Records that could not be written, because the disk was full or failed. Their calls were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unrecorded {
    /// How many.
    pub count: u64,
    /// When the first of them was to be written.
    pub since: Timestamp,
}

/// Why a record has no bytes.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It has no JSON form.
    #[error("the record of kind `{kind}` has no JSON form")]
    NotJson {
        /// The record's kind.
        kind: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It is too large even when its texts are shortened.
    #[error("the record of kind `{kind}` takes {bytes} bytes, and {} are allowed", limits::RECORD_BYTES_MAX)]
    TooLarge {
        /// The record's kind.
        kind: &'static str,
        /// What it would take.
        bytes: usize,
    },
}

impl Record {
    /// Appends the record's canonical bytes to `out`. Texts that would make it too large are shortened, with a mark.
    ///
    /// # Errors
    /// When it has no JSON form, or is too large with every text shortened; `out` is then as it was.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), RecordError> {
        let start = out.len();
        let mut size = self.write(out)?;
        for text_bytes in shorten::TEXT_BYTES {
            if size <= limits::RECORD_BYTES_MAX {
                return Ok(());
            }
            out.truncate(start);
            let mut shorter = self.clone();
            shorten::event(&mut shorter.event, text_bytes);
            size = shorter.write(out)?;
        }
        if size <= limits::RECORD_BYTES_MAX {
            return Ok(());
        }
        out.truncate(start);
        Err(RecordError::TooLarge { kind: self.event.kind().as_str(), bytes: size })
    }

    /// Appends the JSON as it is, and says how many bytes that took.
    fn write(&self, out: &mut Vec<u8>) -> Result<usize, RecordError> {
        let start = out.len();
        serde_json::to_writer(&mut *out, self).map_err(|source| {
            out.truncate(start);
            RecordError::NotJson { kind: self.event.kind().as_str(), source }
        })?;
        Ok(out.len() - start)
    }

    /// Reads a record from a journal's bytes. Members in another order, unknown members and other versions are errors.
    ///
    /// # Errors
    /// When the bytes are no record of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The intent this record closes, for an outcome.
    pub fn closes(&self) -> Option<ReceiptId> {
        match &self.event {
            Event::Outcome(outcome) => Some(outcome.intent),
            Event::Opened(_)
            | Event::Intent(_)
            | Event::Refused(_)
            | Event::Listed(_)
            | Event::Changed(_)
            | Event::Strangers(_)
            | Event::Unrecorded(_)
            | Event::Taken(_)
            | Event::Asked(_)
            | Event::Feedback(_) => None,
        }
    }

    /// Who asked, where the record says so.
    pub fn who(&self) -> Option<&Who> {
        match &self.event {
            Event::Intent(intent) => Some(&intent.who),
            Event::Refused(refused) => refused.who.as_ref(),
            Event::Listed(listed) => Some(&listed.who),
            Event::Taken(taken) => Some(&taken.who),
            Event::Asked(asked) => Some(&asked.who),
            Event::Opened(_)
            | Event::Outcome(_)
            | Event::Changed(_)
            | Event::Strangers(_)
            | Event::Unrecorded(_)
            | Event::Feedback(_) => None,
        }
    }
}

impl Event {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Opened(_) => Kind::Opened,
            Self::Intent(_) => Kind::Intent,
            Self::Outcome(_) => Kind::Outcome,
            Self::Refused(_) => Kind::Refused,
            Self::Listed(_) => Kind::Listed,
            Self::Changed(_) => Kind::Changed,
            Self::Strangers(_) => Kind::Strangers,
            Self::Unrecorded(_) => Kind::Unrecorded,
            Self::Taken(_) => Kind::Taken,
            Self::Asked(_) => Kind::Asked,
            Self::Feedback(_) => Kind::Feedback,
        }
    }
}

#[cfg(test)]
mod tests;
