//! Takes what was found out of a JSON text, and leaves every other byte as it was.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use model::{Finding, Part};

use crate::walk::Walk;

/// A string of the text, by its pointer and its side.
type Spot = (String, Part);

/// The text with a typed placeholder, such as `[personal.email]`, in the place of each finding that is asked for.
///
/// What lies in one string is replaced within it. A long number becomes a string, because no number says that it is a
/// placeholder. `None` if a finding is not where it is said to be: then the text is not the one that was inspected.
pub fn redact(text: &str, findings: &[Finding], asked: impl Fn(&Finding) -> bool) -> Option<String> {
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
        let plain = replaced(&leaf.text, &found)?;
        redacted.push_str(text.get(copied..leaf.raw.start)?);
        redacted.push_str(&serde_json::to_string(&plain).ok()?);
        copied = leaf.raw.end;
    }
    redacted.push_str(text.get(copied..)?);
    Some(redacted)
}

/// A string with placeholders; findings that overlap share one.
fn replaced(text: &str, findings: &[&Finding]) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut copied = 0;
    let mut open: Option<(Range<usize>, Cow<'_, str>)> = None;
    for finding in findings {
        let range = finding.place.range.clone();
        match &mut open {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            Some(_) | None => {
                if let Some((last, name)) = open.replace((range, Cow::Borrowed(finding.rule.as_str()))) {
                    put(&mut plain, text.get(copied..last.start)?, &name);
                    copied = last.end;
                }
            }
        }
    }
    if let Some((last, name)) = open {
        put(&mut plain, text.get(copied..last.start)?, &name);
        copied = last.end;
    }
    plain.push_str(text.get(copied..)?);
    Some(plain)
}

fn put(plain: &mut String, before: &str, name: &str) {
    plain.push_str(before);
    plain.push('[');
    plain.push_str(name);
    plain.push(']');
}

#[cfg(test)]
mod tests;
