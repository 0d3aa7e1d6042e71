//! Walks a message, shows its strings to the detectors, and says what was seen where.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use model::{Decoding, Finding, Part, limits};

use crate::findings::{Seen, settle};
use crate::personal::Personal;
use crate::prefilter::Prefilter;
use crate::readings::{About, Joined, Reader};
use crate::secrets::Secrets;
use crate::walk::Walk;
use crate::{Detector, Findings, Origin, Reading, RuleError, Rules};

/// Looks for everything there are rules for. Made once, used by all threads.
pub struct Inspector {
    detectors: Vec<Box<dyn Detector>>,
    prefilter: Prefilter,
}

impl Inspector {
    /// An inspector with the rules that ship.
    ///
    /// # Errors
    ///
    /// If a rule cannot be read, which a test excludes.
    pub fn standard() -> Result<Self, RuleError> {
        Self::with(Rules::standard()?)
    }

    /// An inspector with other rules.
    ///
    /// # Errors
    ///
    /// If the rules have more words than one automaton can hold.
    pub fn with(rules: Rules) -> Result<Self, RuleError> {
        let detectors: Vec<Box<dyn Detector>> =
            vec![Box::new(Secrets::new(&rules)), Box::new(Personal::new(&rules)), Box::new(rules)];
        let prefilter = Prefilter::new(&detectors).ok_or(RuleError::TooManyWords)?;
        Ok(Self { detectors, prefilter })
    }

    /// Looks at a text that is one string, and no JSON.
    pub fn scan_text(&self, text: &str, origin: Origin) -> Findings {
        if text.len() > limits::INSPECTED_BYTES_MAX {
            return Findings { list: Vec::new(), complete: false };
        }
        let mut reader = Reader::new(&self.detectors, &self.prefilter);
        reader.read(text, Reading::Original, About { origin, part: Part::Value, key: "", seams: &[] });
        settle(&mut reader.seen);
        let place = |seen: Seen| {
            let range = seen.range.clone();
            seen.at("", Part::Value, range)
        };
        Findings { list: reader.seen.drain(..).map(place).collect(), complete: reader.complete }
    }

    /// Looks at all keys, strings and long numbers of a JSON text.
    pub fn scan_json(&self, text: &str, origin: Origin) -> Findings {
        if text.len() > limits::INSPECTED_BYTES_MAX {
            return Findings { list: Vec::new(), complete: false };
        }
        let mut scan = Scan {
            reader: Reader::new(&self.detectors, &self.prefilter),
            origin,
            list: Vec::new(),
            joined: Joined::default(),
            alone: HashMap::new(),
        };
        let sound = scan.leaves(text);
        scan.joined(text);
        Findings { list: scan.list, complete: scan.reader.complete && sound }
    }
}

/// The inspection of one JSON text.
struct Scan<'i> {
    reader: Reader<'i>,
    origin: Origin,
    list: Vec<Finding>,
    joined: Joined,
    /// What was seen in strings by themselves, by the number of the string.
    alone: HashMap<usize, Vec<Seen>>,
}

/// Different keys of one message that are remembered as clean.
const CLEAN_KEYS_MAX: usize = 256;

impl Scan<'_> {
    /// Reads each string by itself. Whether the text was JSON to its end.
    fn leaves(&mut self, text: &str) -> bool {
        let mut walk = Walk::new(text);
        let mut clean_keys: HashSet<&str> = HashSet::new();
        let mut number = 0;
        while let Some(leaf) = walk.next_leaf() {
            let key = walk.key().unwrap_or_default();
            // Records of a list have the same keys, each time.
            let is_whole = leaf.raw.len() <= limits::INSPECTED_KEY_BYTES_MAX;
            if leaf.part == Part::Key && is_whole && clean_keys.contains(key) {
                continue;
            }
            self.reader.read(
                &leaf.text,
                Reading::Original,
                About { origin: self.origin, part: leaf.part, key, seams: &[] },
            );
            settle(&mut self.reader.seen);
            match leaf.part {
                Part::Key if is_whole && self.reader.seen.is_empty() && clean_keys.len() < CLEAN_KEYS_MAX => {
                    clean_keys.insert(key);
                }
                Part::Key => {}
                Part::Value => {
                    if !is_protocol(key, &leaf.text) {
                        self.joined.add(number, &leaf.text);
                    }
                    if !self.reader.seen.is_empty() && self.list.len() < limits::FINDINGS_MAX {
                        self.alone.insert(number, self.reader.seen.clone());
                    }
                    number += 1;
                }
            }
            if self.reader.seen.is_empty() {
                continue;
            }
            if self.list.len() < limits::FINDINGS_MAX {
                self.note(&walk.pointer(), leaf.part);
            } else {
                self.reader.complete = false;
                self.reader.seen.clear();
            }
        }
        walk.sound
    }

    fn note(&mut self, pointer: &str, part: Part) {
        for seen in self.reader.seen.drain(..) {
            if self.list.len() >= limits::FINDINGS_MAX {
                self.reader.complete = false;
                return;
            }
            let range = seen.range.clone();
            self.list.push(seen.at(pointer, part, range));
        }
    }

    /// Reads the strings one after the other as if they were one, and notes what lies in several of them.
    fn joined(&mut self, text: &str) {
        if !self.joined.is_several() {
            return;
        }
        let joined = std::mem::take(&mut self.joined);
        let seams = joined.seams();
        let about = About { origin: self.origin, part: Part::Value, key: "", seams: &seams };
        self.reader.read(&joined.text, Reading::Joined, about);
        settle(&mut self.reader.seen);
        let mut by_leaf: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
        for seen in self.reader.seen.drain(..) {
            let parts = joined.parts(&seen.range, seen.is_secret());
            // An address at the end of a string is no other one because of how the next string begins. A secret may be longer
            // than it seemed.
            let is_known = |(leaf, range): &(usize, Range<usize>)| {
                self.alone.get(leaf).is_some_and(|alone| alone.iter().any(|one| one.is_alike(&seen, range)))
            };
            if !seen.is_secret() && parts.iter().any(is_known) {
                continue;
            }
            for (leaf, range) in parts {
                let mut finding = seen.clone().at("", Part::Value, range);
                finding.place.decodings.insert(0, Decoding::Joined);
                by_leaf.entry(leaf).or_default().push(finding);
            }
        }
        let mut walk = Walk::new(text);
        let mut number = 0;
        while let Some((leaf, _)) = by_leaf.first_key_value() {
            let wanted = *leaf;
            let Some(found) = walk.next_leaf() else { return };
            if found.part == Part::Key {
                continue;
            }
            if number == wanted {
                for mut finding in by_leaf.remove(&wanted).into_iter().flatten() {
                    if self.list.len() >= limits::FINDINGS_MAX {
                        self.reader.complete = false;
                        return;
                    }
                    finding.place.pointer = walk.pointer();
                    self.list.push(finding);
                }
            }
            number += 1;
        }
    }
}

/// What MCP itself says between the contents of an answer, so that it does not keep apart what was split over them.
fn is_protocol(key: &str, value: &str) -> bool {
    match key {
        "type" => matches!(value, "text" | "image" | "audio" | "resource" | "resource_link"),
        "role" => matches!(value, "user" | "assistant"),
        "mimeType" => value.len() < 64,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
