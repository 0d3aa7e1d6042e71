//! What inspection saw, and where; never the text itself.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::NameError;
use crate::ids::name;
use crate::limits;

/// Something inspection saw in a message. It says which rule saw it and where, and holds nothing of the text that was
/// seen: findings are written to receipts, logs and consoles, which people read who may not read the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule that saw it.
    pub rule: RuleId,
    /// What kind of thing it is.
    pub class: Class,
    /// How much harm it does if it is what it looks like.
    pub severity: Severity,
    /// How sure the rule is that it is what it looks like.
    pub confidence: Confidence,
    /// Where it stands.
    pub place: Place,
}

/// Where a finding stands in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The JSON pointer (RFC 6901) of the value, or of the member whose key it is. Empty for the whole message, and for
    /// text that is no JSON.
    pub pointer: String,
    /// Whether the key or the value was read.
    pub part: Part,
    /// The bytes of it, in the string at `pointer` once JSON's escapes are undone. What was found inside something
    /// encoded has the range of what encodes it, so that taking these bytes out takes the finding out.
    pub range: Range<usize>,
    /// What was undone until it could be read, the outermost first. Empty for plain text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decodings: Vec<Decoding>,
}

/// Which side of a JSON member was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The member's name.
    Key,
    /// A member's or element's value, or the whole text.
    Value,
}

/// One way in which text was not what it seemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decoding {
    /// Letters in another form or from another script, read as those they look like (Unicode TR 15, TR 39).
    Lookalike,
    /// Characters that nobody sees, left out or read: zero-width, bidirectional, tags.
    Invisible,
    /// Digits and signs in place of letters.
    Leetspeak,
    /// Comments and tags of HTML and Markdown, left out.
    Markup,
    /// Sequences that a terminal obeys (ECMA-48), left out.
    Terminal,
    /// Backslash escapes of JSON and of programming languages.
    Escape,
    /// Character references of HTML and XML.
    Entity,
    /// Percent-encoding (RFC 3986 §2.1).
    Percent,
    /// Base 64 (RFC 4648), data URIs among it.
    Base64,
    /// Hexadecimal.
    Hex,
    /// Several strings of a message, read one after the other.
    Joined,
}

/// How much harm a thing does if it is what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth a look.
    Medium,
    /// A person or a system is exposed.
    High,
    /// Whoever reads it can act with it.
    Critical,
}

/// How sure a rule is that a thing is what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// It looks like one; more often than not it is something else.
    Low,
    /// It is one more often than not.
    Medium,
    /// Its form, its checksum or its surroundings leave little doubt.
    High,
}

impl Severity {
    /// The word in receipts, policies and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Confidence {
    /// The word in receipts, policies and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Decoding {
    /// The word in receipts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lookalike => "lookalike",
            Self::Invisible => "invisible",
            Self::Leetspeak => "leetspeak",
            Self::Markup => "markup",
            Self::Terminal => "terminal",
            Self::Escape => "escape",
            Self::Entity => "entity",
            Self::Percent => "percent",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Joined => "joined",
        }
    }
}

name!(
    /// A rule's stable id, its words separated by dots: `secret.github.personal-token`.
    RuleId, "rule id", is_dotted, DOTTED_RULE
);
name!(
    /// What kind of thing a finding is: `secret`, `personal`, `payment`, `health`, `injection`, or a class of an
    /// organisation's own. Policies ask for it by this word.
    Class, "finding class", is_dotted, DOTTED_RULE
);

const DOTTED_RULE: &str = "use 1 to 128 of a-z, 0-9, `-` and `.`, beginning with a letter";

fn is_dotted(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    (1..=limits::RULE_ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(inside)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
}

impl Class {
    /// That of the gate's own credentials.
    pub const VAULT_SECRET: &str = "vault-secret";
    /// That of what nobody has a reason to say.
    pub const CANARY: &str = "canary";

    /// Whether only the gate's own findings are of this class.
    pub fn is_reserved(&self) -> bool {
        matches!(self.as_str(), Self::VAULT_SECRET | Self::CANARY)
    }
}

/// How confidential data is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidentiality {
    /// Anybody may read it.
    #[default]
    Public,
    /// The organisation's people may.
    Internal,
    /// Those who work with it may.
    Confidential,
    /// Nobody may but those who are named.
    Restricted,
}

impl Confidentiality {
    /// The word in receipts, policies and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }
}

/// A kind of what acts by being shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Active {
    /// Links of Markdown, and addresses that are made into links or fetched for a preview.
    Links,
    /// Images and whatever else is fetched when a text is drawn.
    Images,
    /// Elements and comments of HTML.
    Markup,
    /// Sequences and characters that a terminal obeys.
    Terminal,
    /// Characters that nobody sees: tags, directions, spaces without width.
    Invisible,
}

impl Active {
    /// Every kind, in the order in which they are made harmless.
    pub const ALL: [Self; 5] = [Self::Terminal, Self::Invisible, Self::Images, Self::Markup, Self::Links];

    /// The word in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Images => "images",
            Self::Markup => "markup",
            Self::Terminal => "terminal",
            Self::Invisible => "invisible",
        }
    }
}

impl fmt::Display for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no kind of [`Active`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is none of links, images, markup, terminal and invisible")]
pub struct UnknownActive(String);

impl FromStr for Active {
    type Err = UnknownActive;

    fn from_str(word: &str) -> Result<Self, UnknownActive> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| UnknownActive(word.to_owned()))
    }
}

#[cfg(test)]
mod tests;
