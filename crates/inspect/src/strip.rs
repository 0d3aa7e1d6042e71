//! Takes out the whole of what something was found in: the block of an answer, the member of an object, the element of a list.

use std::collections::BTreeSet;
use std::fmt;

use model::Finding;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text without each part that holds a finding that is asked for; every part that stays is as it was. `None` if one of
/// them stands where nothing can be left out: the message itself.
///
/// Of an answer's contents it is the whole block, since the rest of one is about what was in it. An error keeps its message,
/// which says nothing then.
pub fn strip(text: &str, findings: &[Finding], asked: impl Fn(&Finding) -> bool) -> Option<String> {
    let asked = findings.iter().filter(|finding| asked(finding));
    let parts: Option<BTreeSet<String>> = asked.map(|finding| part(&finding.place.pointer)).collect();
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    without(raw, "", &parts?)
}

/// Lists of blocks, by where they stand in answers of every kind.
const BLOCKS: [&str; 5] = [
    "/result/content/",
    "/result/contents/",
    "/result/messages/",
    "/params/result/content/",
    "/result/result/content/",
];

/// Members without which a message is none.
const NEEDED: [&str; 3] = ["/error/message", "/params/data", "/params/message"];

/// The pointer of the part that is left out.
fn part(pointer: &str) -> Option<String> {
    for blocks in BLOCKS {
        if let Some(rest) = pointer.strip_prefix(blocks) {
            let index = rest.split('/').next()?;
            return Some(format!("{blocks}{index}"));
        }
    }
    // `/params/name` and above it nothing may be missing, and so of the envelope.
    (pointer.matches('/').count() >= 2 && pointer != "/params/name").then(|| pointer.to_owned())
}

/// A value without the parts in it that are left out.
fn without(raw: &RawValue, at: &str, parts: &BTreeSet<String>) -> Option<String> {
    let below = format!("{at}/");
    if !parts.range(below.clone()..).next().is_some_and(|part| part.starts_with(&below)) {
        return Some(raw.get().to_owned());
    }
    let mut left = Vec::new();
    if raw.get().starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
        for (index, element) in elements.into_iter().enumerate() {
            let here = format!("{below}{index}");
            if !parts.contains(&here) {
                left.push(without(element, &here, parts)?);
            }
        }
        return Some(format!("[{}]", left.join(",")));
    }
    let Members(members) = serde_json::from_str(raw.get()).ok()?;
    for (key, value) in members {
        let here = format!("{below}{}", key.replace('~', "~0").replace('/', "~1"));
        let name = serde_json::to_string(&key).ok()?;
        if !parts.contains(&here) {
            left.push(format!("{name}:{}", without(value, &here, parts)?));
        } else if NEEDED.contains(&here.as_str()) {
            left.push(format!("{name}:\"\""));
        }
    }
    Some(format!("{{{}}}", left.join(",")))
}

/// The members of an object in their order, each value as it is written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Each).map(Members)
    }
}

#[cfg(test)]
mod tests;
