//! What a policy's annotations mean.
//!
//! `@id`, `@message` (for the caller, when the policy refuses) and `@owner` may stand on any policy; obligations only on a
//! `forbid`, and only where every action of its scope knows how to meet them. `@restore` stands beside `@tokenise`, and names
//! the servers that may be told what was taken out, beside the one that said it. Anything else
//! fails the load, because an annotation that nobody reads is a rule that nobody follows.

use std::collections::BTreeSet;

use model::{Active, Authentication, Class, PolicyId, ServerName};
use serde::Serialize;

use crate::{Action, Findings};

/// What must happen before a permit counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Obligation {
    /// The policy that asks for it.
    pub policy: PolicyId,
    /// What is asked for.
    pub kind: ObligationKind,
    /// From whom, by which means, or of what class, as the policy wrote it.
    pub value: String,
}

impl Obligation {
    /// Whether what is asked for is so already: the person's sign-in is of that class (`acr`) or by that method (`amr`), or
    /// nothing of the class that is to be redacted is in the message.
    pub(crate) fn is_met_by(&self, told: &Authentication, findings: Option<&Findings>) -> bool {
        match self.kind {
            ObligationKind::StepUp => told.acr.iter().chain(told.amr.iter()).any(|own| **own == *self.value),
            ObligationKind::Redact | ObligationKind::Strip | ObligationKind::Tokenise => {
                findings.is_some_and(|findings| findings.is_free_of(&self.value))
            }
            ObligationKind::Harmless => findings.is_some_and(|findings| !findings.has_any(&self.value)),
            ObligationKind::Label => findings.is_some_and(|findings| findings.is_labelled(&self.value)),
            // Nobody can be asked yet: what waits for a person does not pass.
            ObligationKind::Approval => false,
        }
    }

    /// The obligation as the caller may read it.
    pub fn sentence(&self) -> String {
        match self.kind {
            ObligationKind::Approval => {
                format!("it needs an approval by {}, and this gate cannot ask for one yet", self.value)
            }
            ObligationKind::StepUp => format!("it needs a fresh sign-in with {}", self.value),
            ObligationKind::Redact | ObligationKind::Strip | ObligationKind::Tokenise => {
                format!("{} must be taken out first", self.value)
            }
            ObligationKind::Harmless => format!("{} must be made harmless first", self.value),
            ObligationKind::Label => format!("it must be labelled `{}`", self.value),
        }
    }
}

/// The kinds of obligation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ObligationKind {
    /// A person of the named group says yes to exactly these bytes.
    Approval,
    /// The user signs in afresh, by the named means.
    StepUp,
    /// What the named class of finding covers is taken out, and a placeholder says what stood there.
    Redact,
    /// The whole of what holds it is left out: the block of an answer, the argument.
    Strip,
    /// It is taken out, and put back where it came from and where `@restore` says.
    Tokenise,
    /// What acts by being shown, of the named kinds, is made to do nothing.
    Harmless,
    /// The message says the word of itself, for the program that reads it.
    Label,
}

impl ObligationKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Approval, Self::StepUp, Self::Redact, Self::Strip, Self::Tokenise, Self::Harmless, Self::Label];

    /// The annotation's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::StepUp => "stepup",
            Self::Redact => "redact",
            Self::Strip => "strip",
            Self::Tokenise => "tokenise",
            Self::Harmless => "harmless",
            Self::Label => "label",
        }
    }

    /// The actions that know how to meet it.
    pub fn actions(self) -> &'static [Action] {
        match self {
            Self::Approval => &[Action::Call],
            Self::StepUp => &[Action::Connect, Action::Call],
            Self::Redact => &[Action::Call, Action::Release, Action::Ask],
            Self::Strip | Self::Tokenise => &[Action::Call, Action::Release],
            Self::Harmless => &[Action::Release, Action::Ask],
            Self::Label => &[Action::Release],
        }
    }

    /// Whether it is met by changing the message, so that inspection has to look at it.
    pub(crate) fn changes(self) -> bool {
        match self {
            Self::Approval | Self::StepUp => false,
            Self::Redact | Self::Strip | Self::Tokenise | Self::Harmless | Self::Label => true,
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One annotation, understood.
pub(crate) enum Annotation<'a> {
    Id(&'a str),
    Message(&'a str),
    Owner(&'a str),
    Restore(BTreeSet<ServerName>),
    Obligation(ObligationKind, &'a str),
}

impl<'a> Annotation<'a> {
    /// Reads `@word("value")`, or says what is wrong with it.
    pub(crate) fn read(word: &str, value: &'a str) -> Result<Self, String> {
        if value.is_empty() {
            return Err(format!("`@{word}` needs a value, such as `@{word}(\"…\")`"));
        }
        match (word, ObligationKind::from_word(word)) {
            (_, Some(kind)) => {
                match kind {
                    ObligationKind::Harmless => drop(kinds(value)?),
                    ObligationKind::Label => {
                        value.parse::<Class>().map_err(|error| format!("`{value}` is no label: {error}"))?;
                    }
                    ObligationKind::Approval
                    | ObligationKind::StepUp
                    | ObligationKind::Redact
                    | ObligationKind::Strip
                    | ObligationKind::Tokenise => {}
                }
                Ok(Self::Obligation(kind, value))
            }
            ("restore", None) => listed(value).map(Self::Restore),
            ("id", None) => Ok(Self::Id(value)),
            ("message", None) => Ok(Self::Message(value)),
            ("owner", None) => Ok(Self::Owner(value)),
            (_, None) => Err(format!("unknown annotation `@{word}`")),
        }
    }
}

/// The words of a list, between commas or spaces.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', ' ']).filter(|word| !word.is_empty())
}

/// The kinds that `@harmless` names.
pub(crate) fn kinds(value: &str) -> Result<BTreeSet<Active>, String> {
    let kinds = words(value).map(|word| word.parse().map_err(|error: model::UnknownActive| error.to_string()));
    let kinds: BTreeSet<Active> = kinds.collect::<Result<_, _>>()?;
    if kinds.is_empty() { Err("`@harmless` names no kind, such as `links`".to_owned()) } else { Ok(kinds) }
}

/// The servers that `@restore` names.
fn listed(value: &str) -> Result<BTreeSet<ServerName>, String> {
    words(value).map(|word| word.parse().map_err(|error: model::NameError| format!("`{word}`: {error}"))).collect()
}
