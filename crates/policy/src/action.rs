//! What can be asked for.

use model::Object;
use serde::Serialize;

use crate::Target;

/// The five things a caller, or a server, can ask leave for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Use an endpoint at all.
    Connect,
    /// See that an object exists. Without it, the object answers as one that does not.
    List,
    /// Call a tool, get a prompt, read a resource.
    Call,
    /// Hand the answer of a call to the caller.
    Release,
    /// A server asks the user or the model.
    Ask,
}

impl Action {
    /// Every action, in the order a message meets them.
    pub const ALL: [Self; 5] = [Self::Connect, Self::List, Self::Call, Self::Release, Self::Ask];

    /// The actions that policies may name together as `Action::"use"`.
    pub const USE: [Self; 3] = [Self::List, Self::Call, Self::Release];

    /// The word used in policies and receipts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::List => "list",
            Self::Call => "call",
            Self::Release => "release",
            Self::Ask => "ask",
        }
    }

    /// Whether the schema has this question: anything else is nobody's to permit.
    pub(crate) fn is_asked_of(self, target: Target<'_>) -> bool {
        match (self, target) {
            (Self::Connect, Target::Endpoint(_)) | (Self::List, Target::Object(_)) => true,
            (Self::Ask, Target::Object(object)) => matches!(object, Object::Server { .. }),
            // What a server says of itself and unasked is the server's own.
            (Self::Release, Target::Object(_)) => true,
            (Self::Call, Target::Object(object)) => !matches!(object, Object::Server { .. }),
            (Self::Connect, Target::Object(_))
            | (Self::List | Self::Call | Self::Release | Self::Ask, Target::Endpoint(_)) => false,
        }
    }

    /// Whether it is about a message whose content is inspected.
    pub(crate) fn is_inspected(self) -> bool {
        match self {
            Self::Call | Self::Release | Self::Ask => true,
            Self::Connect | Self::List => false,
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Connect => 1,
            Self::List => 1 << 1,
            Self::Call => 1 << 2,
            Self::Release => 1 << 3,
            Self::Ask => 1 << 4,
        }
    }
}

/// The actions a policy's scope lets it apply to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct ActionSet(u8);

impl ActionSet {
    pub(crate) fn of(actions: &[Action]) -> Self {
        Self(actions.iter().fold(0, |bits, action| bits | action.bit()))
    }

    /// The actions that `Action::"word"` stands for under Cedar's `in`: itself, or the group's members.
    pub(crate) fn within(word: &str) -> Self {
        match word {
            "use" => Self::of(&Action::USE),
            _ => Self::exactly(word),
        }
    }

    /// The action that `Action::"word"` is under Cedar's `==`; none for the group, which nobody does.
    pub(crate) fn exactly(word: &str) -> Self {
        Action::ALL.into_iter().find(|action| action.as_str() == word).map_or(Self(0), |action| Self::of(&[action]))
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn contains(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| self.contains(*action))
    }
}
