//! Takes what was found out of a JSON text, and leaves every other byte as it was; and puts back what was taken out before.

use std::collections::HashMap;
use std::ops::Range;

use model::{Finding, Part, limits};

use crate::walk::{Leaf, Walk};

/// A string of the text, by its pointer and its side.
type Spot = (String, Part);

/// What is taken out of a text.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'t> {
    /// The first finding in it.
    pub finding: &'t Finding,
    /// What stood there, as the message says it.
    pub text: &'t str,
    /// Whether it stood in JSON as a number.
    pub is_number: bool,
}

/// The text with a typed placeholder, such as `[personal.email]`, in the place of each finding that is asked for.
///
/// What lies in one string is replaced within it. A long number becomes a string, because no number says that it is a
/// placeholder. `None` if a finding is not where it is said to be: then the text is not the one that was inspected.
pub fn redact(text: &str, findings: &[Finding], asked: impl Fn(&Finding) -> bool) -> Option<String> {
    replace(text, findings, asked, |taken| placeholder(taken.finding))
}

/// The placeholder of a finding: the rule's id says what stood there.
pub fn placeholder(finding: &Finding) -> String {
    format!("[{}]", finding.rule)
}

/// The same with other placeholders.
pub fn replace(
    text: &str,
    findings: &[Finding],
    asked: impl Fn(&Finding) -> bool,
    mut instead: impl FnMut(Taken<'_>) -> String,
) -> Option<String> {
    let mut spots: HashMap<Spot, Vec<&Finding>> = HashMap::new();
    for finding in findings.iter().filter(|finding| asked(finding)) {
        spots.entry((finding.place.pointer.clone(), finding.place.part)).or_default().push(finding);
    }
    let mut redacted = String::with_capacity(text.len());
    let mut copied = 0;
    let mut walk = Walk::new(text);
    while !spots.is_empty() {
        let leaf = walk.next_leaf()?;
        let Some(mut found) = spots.remove(&(walk.pointer(), leaf.part)) else { continue };
        found.sort_by_key(|finding| finding.place.range.start);
        let plain = replaced(&leaf, &found, &mut instead)?;
        redacted.push_str(text.get(copied..leaf.raw.start)?);
        redacted.push_str(&serde_json::to_string(&plain).ok()?);
        copied = leaf.raw.end;
    }
    redacted.push_str(text.get(copied..)?);
    Some(redacted)
}

/// A string with placeholders; findings that overlap share one.
fn replaced(leaf: &Leaf<'_>, findings: &[&Finding], instead: &mut impl FnMut(Taken<'_>) -> String) -> Option<String> {
    let text: &str = &leaf.text;
    let is_number = is_number(leaf);
    let mut plain = String::with_capacity(text.len());
    let mut copied = 0;
    let mut spans: Vec<(Range<usize>, &Finding)> = Vec::new();
    for finding in findings {
        let range = finding.place.range.clone();
        match spans.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            Some(_) | None => spans.push((range, finding)),
        }
    }
    for (range, finding) in spans {
        plain.push_str(text.get(copied..range.start)?);
        plain.push_str(&instead(Taken { finding, text: text.get(range.clone())?, is_number }));
        copied = range.end;
    }
    plain.push_str(text.get(copied..)?);
    Some(plain)
}

fn is_number(leaf: &Leaf<'_>) -> bool {
    leaf.raw.len() == leaf.text.len()
}

/// What a placeholder stands for that can be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What stood there.
    pub text: String,
    /// Whether it stood in JSON as a number.
    pub is_number: bool,
}

/// A placeholder that can be undone by whoever knows the mark.
pub fn reversible(finding: &Finding, mark: &str) -> String {
    format!("[{}#{mark}]", finding.rule)
}

/// The text with what placeholders of [`reversible`] stand for, as far as `known` says, in strings whose pointer is `within`;
/// `None` if it is the same. `known` is asked by the whole placeholder.
pub fn restore(
    text: &str,
    within: impl Fn(&str) -> bool,
    mut known: impl FnMut(&str) -> Option<Restored>,
) -> Option<String> {
    // Most messages hold none.
    memchr::memchr(b'#', text.as_bytes())?;
    let mut changed = String::new();
    let mut copied = 0;
    let mut walk = Walk::new(text);
    while let Some(leaf) = walk.next_leaf() {
        let Some(instead) = restored(&leaf.text, &mut known).filter(|_| within(&walk.pointer())) else { continue };
        changed.push_str(text.get(copied..leaf.raw.start)?);
        match instead {
            Restored { text, is_number: true } if leaf.part == Part::Value => changed.push_str(&text),
            Restored { text, .. } => changed.push_str(&serde_json::to_string(&text).ok()?),
        }
        copied = leaf.raw.end;
    }
    if copied == 0 {
        return None;
    }
    changed.push_str(text.get(copied..)?);
    Some(changed)
}

/// A string with what its placeholders stand for; `None` if there are none that are known.
fn restored(text: &str, known: &mut impl FnMut(&str) -> Option<Restored>) -> Option<Restored> {
    let mut plain = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(offset) = memchr::memchr(b'[', text.as_bytes().get(from..)?) {
        let at = from + offset;
        from = at + 1;
        let inside = text.as_bytes().get(at..)?;
        let Some(length) = inside.iter().take(limits::PLACEHOLDER_BYTES_MAX).position(|byte| *byte == b']') else {
            continue;
        };
        let placeholder = text.get(at..=at + length)?;
        if !placeholder.contains('#') {
            continue;
        }
        let Some(one) = known(placeholder) else { continue };
        if one.is_number && placeholder.len() == text.len() {
            return Some(one);
        }
        plain.push_str(text.get(copied..at)?);
        plain.push_str(&one.text);
        copied = at + length + 1;
        from = copied;
    }
    if copied == 0 {
        return None;
    }
    plain.push_str(text.get(copied..)?);
    Some(Restored { text: plain, is_number: false })
}

#[cfg(test)]
mod tests;
