//! What was seen of a server, and how bad that is.

pub use dossier::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Characters of what is shown of something that a server said.
const SHOWN_CHARS_MAX: usize = 240;

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What looked: `takes-any-token`. Stable.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen, in words.
    pub title: String,
    /// What was done for it: its shape, and never a secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sent: String,
    /// What came of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub came: String,
}

/// The worst of some findings.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// A text on one line that is not too long, with what a terminal would act on written out.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (count, character) in line.chars().enumerate() {
        if count == SHOWN_CHARS_MAX {
            shown.push('…');
            break;
        }
        match character.is_control() {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    shown
}
