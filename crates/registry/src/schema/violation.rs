//! What did not fit, told without the value that did not.

use std::fmt::{self, Write};

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use model::limits;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing about a call's arguments that does not fit the approved schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The JSON pointer of the place in the arguments; empty for the arguments as a whole. Bounded.
    pub pointer: String,
    /// What the schema asks for there. It repeats what the schema says and which members are there, never a value.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the arguments" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}

impl Violation {
    pub(crate) fn whole(message: &str) -> Self {
        Self { pointer: String::new(), message: message.to_owned() }
    }

    pub(super) fn undeclared(pointer: &str, names: &[&str]) -> Self {
        let message = format!("the approved schema does not declare {}", listed(names.iter().copied()));
        Self { pointer: bounded(pointer), message: bounded(&message) }
    }

    pub(super) fn of(error: &ValidationError<'_>) -> Self {
        Self { pointer: bounded(error.instance_path().as_str()), message: bounded(&message(error.kind())) }
    }
}

/// The text for a kind of error. The library's own texts repeat the value, and so are never used.
#[expect(clippy::wildcard_enum_match_arm, reason = "the list is the library's and grows; what is new is told plainly")]
fn message(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("the approved schema does not declare {}", listed(unexpected.iter().map(String::as_str)))
        }
        Kind::Required { property } => format!("`{}` is missing", property.as_str().unwrap_or_default()),
        Kind::Type { kind: TypeKind::Single(kind) } => format!("must be of type {kind}"),
        Kind::Type { kind: TypeKind::Multiple(kinds) } => {
            let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_string()).collect();
            format!("must be of type {}", kinds.join(" or "))
        }
        Kind::Enum { options } => match options.as_ref() {
            Value::Array(options) => format!("must be one of {}", Value::Array(options.clone())),
            other => format!("must be {other}"),
        },
        Kind::Constant { expected_value } => format!("must be {expected_value}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be below {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be above {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} members"),
        Kind::MinProperties { limit } => format!("must have at least {limit} members"),
        Kind::Pattern { pattern } => format!("must match `{pattern}`"),
        Kind::UniqueItems => "must not have an item twice".to_owned(),
        Kind::PropertyNames { .. } => "has a member whose name is not allowed".to_owned(),
        Kind::AnyOf { .. } => "fits none of the schema's alternatives".to_owned(),
        Kind::OneOfNotValid { .. } => "fits none of the schema's alternatives, and must fit one".to_owned(),
        Kind::OneOfMultipleValid { .. } => "fits several of the schema's alternatives, and must fit one".to_owned(),
        Kind::UnevaluatedItems { .. } | Kind::AdditionalItems { .. } => {
            "has items that the approved schema does not declare".to_owned()
        }
        Kind::FalseSchema => "must not be there".to_owned(),
        Kind::Not { .. } => "is what the schema excludes".to_owned(),
        Kind::Contains => "lacks an item that the schema asks for".to_owned(),
        other => format!("does not fit `{}`", other.keyword()),
    }
}

/// A few names in backticks. A caller chose them, so they are few and short.
fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 4;
    const CHARS: usize = 48;
    let more = names.len().saturating_sub(SHOWN);
    let mut text = String::new();
    for name in names.take(SHOWN) {
        let short: String = name.chars().take(CHARS).collect();
        let separator = if text.is_empty() { "" } else { ", " };
        let ellipsis = if short.len() < name.len() { "…" } else { "" };
        // Writing to a string does not fail.
        _ = write!(text, "{separator}`{short}{ellipsis}`");
    }
    if more > 0 {
        _ = write!(text, " and {more} more");
    }
    text
}

/// At most [`limits::VIOLATION_BYTES_MAX`] bytes, without control characters.
pub(super) fn bounded(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(limits::VIOLATION_BYTES_MAX));
    for letter in text.chars() {
        let letter = if letter.is_control() { '\u{fffd}' } else { letter };
        if out.len() + letter.len_utf8() + '…'.len_utf8() > limits::VIOLATION_BYTES_MAX {
            out.push('…');
            break;
        }
        out.push(letter);
    }
    out
}
