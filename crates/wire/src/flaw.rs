//! Why a message was not taken.

use model::{Reason, Refusal};
use serde_json::{Value, json};

use crate::json::Fault;
use crate::{Id, Revision, json};

/// Characters of an unsupported version that are repeated to the caller.
const VERSION_ECHO_CHARS: usize = 32;

/// A message that was not taken: the refusal, and what its answer needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Flaw {
    /// Why, in both texts. Neither quotes the message: it may hold secrets.
    pub refusal: Refusal,
    /// The request's id, if it could be read.
    pub id: Option<Id>,
    /// The revision it speaks, if that much could be read: answers of each have a shape of their own.
    pub revision: Option<Revision>,
    /// Members that the specification wants in the error's `data`.
    pub data: Option<Box<Value>>,
}

impl Flaw {
    /// A message of a revision that is not spoken here: the caller learns which are.
    pub fn version_unsupported(requested: &str, served: &[Revision]) -> Self {
        let supported: Vec<_> = served.iter().map(|revision| revision.as_str()).collect();
        let requested: String = requested.chars().take(VERSION_ECHO_CHARS).collect();
        Self::new(Reason::VersionUnsupported, format!("supported here: {}", supported.join(", ")))
            .with_data(json!({ "supported": supported, "requested": requested }))
    }

    /// The same flaw where only these revisions are served. One that is not about versions stays as it is.
    #[must_use]
    pub fn at(self, served: &[Revision]) -> Self {
        if self.refusal.reason != Reason::VersionUnsupported {
            return self;
        }
        let requested = self.data.as_ref().and_then(|data| data.get("requested")).and_then(Value::as_str);
        let flaw = Self::version_unsupported(requested.unwrap_or_default(), served);
        Self { id: self.id, revision: self.revision, ..flaw }
    }

    /// The same flaw of a message with this id.
    #[must_use]
    pub fn with_id(mut self, id: Option<Id>) -> Self {
        self.id = id;
        self
    }

    /// The same flaw of a message that speaks this revision.
    #[must_use]
    pub fn with_revision(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }

    /// The same flaw with members for the error's `data`.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    /// A flaw whose text both the caller and the operator may read.
    pub(crate) fn new(reason: Reason, text: impl Into<String>) -> Self {
        let text = text.into();
        Refusal::new(reason, text.clone()).with_hint(text).into()
    }

    /// What an agent's text is refused for.
    pub(crate) fn from_agent(fault: Fault) -> Self {
        Self::new(fault.kind.reason(), fault.to_string())
    }

    /// What a server's text is refused for: to the caller the kind of fault does not matter, the operator reads it.
    pub(crate) fn from_server(detail: impl Into<String>) -> Self {
        Refusal::new(Reason::AnswerRefused, detail).into()
    }

    /// Refuses keys that a reader without case would take for one the protocol knows.
    pub(crate) fn other_case<'a>(
        place: &str,
        mut keys: impl Iterator<Item = &'a str>,
        known: &[&'static str],
    ) -> Result<(), Self> {
        match keys.find_map(|key| json::in_another_case(key, known)) {
            Some(known) => Err(Self::new(Reason::Ambiguous, format!("a key in {place} is `{known}` in another case"))),
            None => Ok(()),
        }
    }
}

/// A refusal of a message whose id is known elsewhere.
impl From<Refusal> for Flaw {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, id: None, revision: None, data: None }
    }
}
