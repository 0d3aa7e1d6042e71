//! What a detector answers: untrusted text, of which only what fits is used.

use std::collections::HashMap;

use model::{Class, Confidence, Finding, Part, Place, RuleId, Severity, limits};
use serde::Deserialize;
use serde_json::Value;

/// An answer.
#[derive(Debug, Deserialize)]
struct Answer {
    findings: Vec<Told>,
}

/// One thing that it found.
#[derive(Debug, Deserialize)]
struct Told {
    class: Class,
    severity: Severity,
    #[serde(default = "medium")]
    confidence: Confidence,
    /// Where it stands: a JSON pointer into the message; the whole of it, if there is none.
    #[serde(default)]
    pointer: String,
    /// What tells it from others that the same detector finds.
    rule: Option<String>,
}

fn medium() -> Confidence {
    Confidence::Medium
}

/// The findings of an answer about a message, or why it is none.
pub(crate) fn read(name: &str, body: &[u8], message: &str) -> Result<Vec<Finding>, &'static str> {
    if body.len() > limits::CALLOUT_ANSWER_BYTES_MAX {
        return Err("it is too long");
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| "it does not have the form of one")?;
    if answer.findings.len() > limits::CALLOUT_FINDINGS_MAX {
        return Err("it has too many findings");
    }
    if answer.findings.is_empty() {
        return Ok(Vec::new());
    }
    let message: Value = serde_json::from_str(message).map_err(|_| "the message is no JSON")?;
    let mut lengths: HashMap<String, usize> = HashMap::new();
    answer.findings.into_iter().map(|told| finding(name, told, &message, &mut lengths)).collect()
}

fn finding(
    name: &str,
    told: Told,
    message: &Value,
    lengths: &mut HashMap<String, usize>,
) -> Result<Finding, &'static str> {
    if told.class.is_reserved() {
        return Err("it has a class that only the gate's own findings have");
    }
    let rule = match told.rule {
        None => format!("callout.{name}"),
        Some(rule) => format!("callout.{name}.{rule}"),
    };
    let rule: RuleId = rule.parse().map_err(|_| "it has a rule that is no name")?;
    let length = match lengths.get(&told.pointer) {
        Some(length) => *length,
        None => {
            // What is no string is found as a whole, and cannot be taken out of the message.
            let length = match message.pointer(&told.pointer).ok_or("it points at what is not in the message")? {
                Value::String(text) => text.len(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => 0,
            };
            lengths.insert(told.pointer.clone(), length);
            length
        }
    };
    Ok(Finding {
        rule,
        class: told.class,
        severity: told.severity,
        confidence: told.confidence,
        place: Place { pointer: told.pointer, part: Part::Value, range: 0..length, decodings: Vec::new() },
    })
}
