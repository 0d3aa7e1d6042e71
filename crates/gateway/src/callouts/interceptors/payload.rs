//! The part of a message that interceptors are shown, and how what they make of it comes back into the message.

use bytes::Bytes;
use model::limits;
use serde_json::{Map, Value};
use wire::edit::{self, Change};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// To a server.
    Request,
    /// From a server.
    Response,
}

/// The parameters of a request, or the result of a response, without what the protocol says around them.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) phase: Phase,
    pub(crate) members: Map<String, Value>,
}

/// What the protocol says around the contents: nobody but the two ends is told, and nobody else may say it.
const META: &str = "_meta";

impl Phase {
    /// SEP-2624's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }

    /// The member of a message that has the payload.
    fn member(self) -> &'static str {
        match self {
            Self::Request => "params",
            Self::Response => "result",
        }
    }

    /// Whether a mutator may change this member of the payload. What a call is about was decided on; what kind of result it
    /// is, is the protocol's.
    fn may_change(self, member: &str) -> bool {
        match self {
            Self::Request => member == "arguments",
            Self::Response => ["content", "structuredContent", "messages", "contents", "description"].contains(&member),
        }
    }
}

impl Payload {
    /// That of a message; `None` if it is a notification or an error.
    pub(crate) fn of(message: Value) -> Option<Self> {
        let Value::Object(mut message) = message else { return None };
        message.get("id")?;
        let phase = if message.contains_key("method") { Phase::Request } else { Phase::Response };
        let Some(Value::Object(mut members)) = message.remove(phase.member()) else { return None };
        members.remove(META);
        Some(Self { phase, members })
    }

    /// The message with what was made of its payload; `None` if that is the payload itself. Bytes that nobody changed stay.
    pub(crate) fn put_back(&self, message: &Bytes, made: &Map<String, Value>) -> Result<Option<Bytes>, &'static str> {
        let mut changed: Vec<(&str, Option<String>)> = Vec::new();
        for (member, value) in made.iter().filter(|(member, value)| self.members.get(*member) != Some(*value)) {
            changed.push((member, Some(value.to_string())));
        }
        let gone = self.members.keys().filter(|member| !made.contains_key(*member));
        changed.extend(gone.map(|member| (member.as_str(), None)));
        if changed.is_empty() {
            return Ok(None);
        }
        if !changed.iter().all(|(member, _)| self.phase.may_change(member)) {
            return Err("it changes what is not its to change");
        }
        let paths: Vec<[&str; 2]> = changed.iter().map(|(member, _)| [self.phase.member(), *member]).collect();
        let changes = paths
            .iter()
            .zip(&changed)
            .map(|(path, (_, value))| (&path[..], value.as_deref().map_or(Change::Remove, Change::Put)));
        let made = edit::splice(message, &changes.collect::<Vec<_>>()).map_err(|_| "it makes no message of it")?;
        if made.len() > limits::CALLOUT_BYTES_MAX {
            return Err("it makes too long a message of it");
        }
        Ok(Some(made))
    }
}
