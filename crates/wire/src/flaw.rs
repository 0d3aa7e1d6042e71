//! Why a message was not taken.

use model::{Reason, Refusal};
use serde_json::Value;

use crate::json::Fault;
use crate::{Id, json};

/// A message that was not taken: the refusal, and what its answer needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Flaw {
    /// Why, in both texts. Neither quotes the message: it may hold secrets.
    pub refusal: Refusal,
    /// The request's id, if it could be read.
    pub id: Option<Id>,
    /// Members that the specification wants in the error's `data`.
    pub data: Option<Box<Value>>,
}

impl Flaw {
    /// A flaw whose text both the caller and the operator may read.
    pub(crate) fn new(reason: Reason, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { refusal: Refusal::new(reason, text.clone()).with_hint(text), id: None, data: None }
    }

    pub(crate) fn with_data(mut self, data: Value) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    pub(crate) fn with_id(mut self, id: Option<Id>) -> Self {
        self.id = id;
        self
    }

    /// What an agent's text is refused for.
    pub(crate) fn from_agent(fault: Fault) -> Self {
        Self::new(fault.kind.reason(), fault.to_string())
    }

    /// What a server's text is refused for: to the caller the kind of fault does not matter, the operator reads it.
    pub(crate) fn from_server(detail: impl Into<String>) -> Self {
        Self { refusal: Refusal::new(Reason::AnswerRefused, detail), id: None, data: None }
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
        Self { refusal, id: None, data: None }
    }
}
