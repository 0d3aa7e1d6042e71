//! The kinds of event: one word each, in records, searches and metrics.

use serde::{Deserialize, Serialize};

/// The kinds of event, as a word to search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// See [`super::Opened`].
    Opened,
    /// See [`super::Intent`].
    Intent,
    /// See [`super::Outcome`].
    Outcome,
    /// See [`super::Refused`].
    Refused,
    /// See [`super::Listed`].
    Listed,
    /// See [`super::Changed`].
    Changed,
    /// See [`super::Strangers`].
    Strangers,
    /// See [`super::Unrecorded`].
    Unrecorded,
    /// See [`super::Taken`].
    Taken,
    /// See [`super::Asked`].
    Asked,
    /// See [`super::Feedback`].
    Feedback,
}

impl Kind {
    /// Every kind; a kind's place in the list is its number in the journal's index.
    pub const ALL: [Self; 11] = [
        Self::Opened,
        Self::Intent,
        Self::Outcome,
        Self::Refused,
        Self::Listed,
        Self::Changed,
        Self::Strangers,
        Self::Unrecorded,
        Self::Taken,
        Self::Asked,
        Self::Feedback,
    ];

    /// The word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Refused => "refused",
            Self::Listed => "listed",
            Self::Changed => "changed",
            Self::Strangers => "strangers",
            Self::Unrecorded => "unrecorded",
            Self::Taken => "taken",
            Self::Asked => "asked",
            Self::Feedback => "feedback",
        }
    }
}
