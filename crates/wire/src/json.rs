//! JSON that every reader reads the same way.
//!
//! RFC 8259 leaves to each reader what repeated keys, large numbers and lone surrogates mean. An agent could tell the
//! gate one thing and the server another by what the two readers make of the same bytes. [`check`] therefore accepts
//! only what leaves no choice, in one pass and without building a tree: valid UTF-8 without a byte order mark, no
//! repeated key at any depth (compared after unescaping), no lone surrogate, whole numbers within 64 bits with a sign,
//! other numbers finite and never rounded to zero, everything within [`Bounds`], one value and nothing after it.
//! `-0` is refused too: it is the integer zero to some readers and a negative float to others.
//!
//! [`Strict`] is the proof that a text passed. Its two outermost levels are remembered from the pass; what lies deeper
//! is read on demand through [`Json`].

mod keys;
mod number;
mod reader;
mod value;

use model::{Reason, limits};

pub use keys::in_another_case;
pub use reader::check;
pub use value::{Elements, Json, Members, Strict};

/// How large a text may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes in all.
    pub bytes: usize,
    /// Arrays and objects inside one another.
    pub depth: usize,
    /// Members in one object.
    pub members: usize,
    /// Bytes in one number.
    pub number_bytes: usize,
}

impl Bounds {
    /// What one JSON-RPC message may be.
    pub const MESSAGE: Self = Self {
        bytes: limits::MESSAGE_BYTES_MAX,
        depth: limits::JSON_DEPTH_MAX,
        members: limits::JSON_MEMBERS_MAX,
        number_bytes: limits::JSON_NUMBER_BYTES_MAX,
    };
}

/// Why a text was not accepted, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at byte {at}")]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The byte at which it was seen, counted from zero.
    pub at: usize,
}

/// What can be wrong with a text. The words never quote the text: it may hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The bytes are not UTF-8.
    #[error("the bytes are not UTF-8")]
    NotUtf8,
    /// A byte order mark stands before the value; some readers skip it, others fail.
    #[error("a byte order mark stands before the value")]
    ByteOrderMark,
    /// This byte cannot stand here.
    #[error("unexpected character")]
    Unexpected,
    /// The text ends inside a value.
    #[error("the text ends too early")]
    Truncated,
    /// Something follows the value.
    #[error("something follows the value")]
    Trailing,
    /// A string holds a bare control character.
    #[error("a string holds a bare control character")]
    ControlCharacter,
    /// A backslash is followed by what it does not escape.
    #[error("an escape sequence is not valid")]
    Escape,
    /// Half of a surrogate pair stands alone.
    #[error("half of a surrogate pair stands alone")]
    LoneSurrogate,
    /// An object has the same key twice.
    #[error("an object repeats a key")]
    RepeatedKey,
    /// A whole number lies outside 64 bits, or is written `-0`.
    #[error("a whole number is not one signed 64-bit integer to every reader")]
    Integer,
    /// A number is too large for a 64-bit float, or so small that it would be read as zero.
    #[error("a number is out of a 64-bit float's range")]
    Float,
    /// A number is written with too many bytes.
    #[error("a number is too long")]
    NumberTooLong,
    /// Arrays and objects lie too deep in one another.
    #[error("arrays and objects are nested too deep")]
    TooDeep,
    /// An object has too many members.
    #[error("an object has too many members")]
    TooManyMembers,
    /// The text is too long.
    #[error("the text is too long")]
    TooLong,
}

impl FaultKind {
    /// The reason for which the gate refuses such a text from an agent.
    pub fn reason(self) -> Reason {
        match self {
            Self::NotUtf8
            | Self::ByteOrderMark
            | Self::Unexpected
            | Self::Truncated
            | Self::Trailing
            | Self::ControlCharacter
            | Self::Escape => Reason::NotJson,
            Self::LoneSurrogate | Self::RepeatedKey | Self::Integer | Self::Float | Self::NumberTooLong => {
                Reason::Ambiguous
            }
            Self::TooDeep | Self::TooManyMembers | Self::TooLong => Reason::TooLarge,
        }
    }
}

#[cfg(test)]
mod tests;
