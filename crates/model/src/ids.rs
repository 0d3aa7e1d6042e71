//! Names and identifiers, parsed once: a value of one of these types is well formed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::limits;

/// Why a text is not a name of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no {kind}: {rule}")]
pub struct NameError {
    pub(crate) kind: &'static str,
    pub(crate) given: String,
    pub(crate) rule: &'static str,
}

/// Declares a name type: an `Arc<str>` that can only be made by passing `$check`.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                if $check(text) {
                    return Ok(Self(text.into()));
                }
                // A refused text may be hostile: what is echoed is short and printable.
                let given = text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
                Err(NameError { kind: $kind, given, rule: $rule })
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

pub(crate) use name;

const LABEL_RULE: &str = "use 1 to 63 of a-z, 0-9 and `-`, beginning with a letter or digit";
const PRINTABLE_RULE: &str = "use 1 to 256 bytes without control characters";

name!(
    /// One MCP server, as the registry knows it.
    ServerName, "server name", is_label, LABEL_RULE
);
name!(
    /// What agents connect to; the first segment of its URL.
    EndpointName, "endpoint name", is_label, LABEL_RULE
);
name!(
    /// A network segment.
    ZoneName, "zone name", is_label, LABEL_RULE
);
name!(
    /// A tool's name, as its server spells it. Servers choose it, so only length and printability are asked.
    ToolName, "tool name", is_printable, PRINTABLE_RULE
);
name!(
    /// A prompt's name, as its server spells it.
    PromptName, "prompt name", is_printable, PRINTABLE_RULE
);
name!(
    /// The software that calls: an OAuth client, a workload, a certificate.
    AgentId, "agent id", is_printable, PRINTABLE_RULE
);
name!(
    /// The person an agent acts for.
    UserId, "user id", is_printable, PRINTABLE_RULE
);
name!(
    /// A group of people, as the identity provider names it.
    GroupName, "group name", is_printable, PRINTABLE_RULE
);
name!(
    /// A policy's stable id: its `@id` annotation, or its file and place in it.
    PolicyId, "policy id", is_printable, PRINTABLE_RULE
);
name!(
    /// A conversation, where a party that policy trusts vouches for it.
    ThreadId, "thread id", is_printable, PRINTABLE_RULE
);

fn is_label(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=limits::LABEL_BYTES_MAX).contains(&text.len()) && text.bytes().all(inside) && !text.starts_with('-')
}

fn is_printable(text: &str) -> bool {
    (1..=limits::NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// The revision of the whole governed state: servers, endpoints, zones and policies. Every change adds one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A receipt's id: a ULID, 48 bits of milliseconds then 80 random bits, in Crockford's base 32. It sorts by time
/// and tells a stranger nothing about how many others there are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ReceiptId(u128);

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ULID_CHARS: usize = 26;

impl ReceiptId {
    /// Builds an id from milliseconds since the epoch (48 bits count) and randomness (80 bits count).
    pub fn new(milliseconds: u64, randomness: u128) -> Self {
        Self((u128::from(milliseconds) << 80) | (randomness & ((1 << 80) - 1)))
    }

    /// Milliseconds since the epoch at which the id was made.
    pub fn milliseconds(self) -> u64 {
        u64::try_from(self.0 >> 80).unwrap_or(u64::MAX)
    }

    /// An id from its sixteen bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The id's sixteen bytes, most significant first.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl ReceiptId {
    /// Its text. Every receipt holds some of these: nothing is allocated.
    fn text(self) -> [u8; ULID_CHARS] {
        let (mut text, mut rest) = ([0; ULID_CHARS], self.0);
        for letter in text.iter_mut().rev() {
            let five_bits = usize::try_from(rest & 31).unwrap_or_default();
            *letter = CROCKFORD.get(five_bits).copied().unwrap_or(b'0');
            rest >>= 5;
        }
        text
    }
}

impl fmt::Display for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for ReceiptId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.text()).map_err(S::Error::custom)?)
    }
}

impl fmt::Debug for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ReceiptId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = || NameError {
            kind: "receipt id",
            given: text.chars().take(80).filter(|c| !c.is_control()).collect(),
            rule: "use the 26 letters and digits that the receipt shows",
        };
        if text.len() != ULID_CHARS {
            return Err(refused());
        }
        let mut bits: u128 = 0;
        for (place, byte) in text.bytes().enumerate() {
            let upper = byte.to_ascii_uppercase();
            let value = CROCKFORD.iter().position(|&letter| letter == upper).ok_or_else(refused)?;
            // 26 letters hold 130 bits; the first may use only three of its five.
            if place == 0 && value > 7 {
                return Err(refused());
            }
            bits = (bits << 5) | u128::try_from(value).unwrap_or_default();
        }
        Ok(Self(bits))
    }
}

impl TryFrom<String> for ReceiptId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<ReceiptId> for String {
    fn from(id: ReceiptId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests;
