//! Walks a message, shows its strings to the detectors, and says what was seen where.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use model::{Decoding, Finding, FingerprintKey, Part, limits};

use crate::findings::{Seen, settle};
use crate::injection::Injection;
use crate::injection::model::Model;
use crate::known::{Known, Set};
use crate::personal::Personal;
use crate::prefilter::Prefilter;
use crate::readings::{About, BEFORE, Eyes, Joined, Reader, floor};
use crate::secrets::Secrets;
use crate::walk::Walk;
use crate::{Detector, Findings, Origin, Reading, RuleError, Rules, Values};

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
        let injection = Injection::new(&rules);
        Self::of(rules, injection, None)
    }

    /// The same with what an organisation knows, by fingerprints under this key.
    ///
    /// # Errors
    ///
    /// As [`Self::with`].
    pub fn knowing(rules: Rules, key: FingerprintKey, sets: Vec<Set>) -> Result<Self, RuleError> {
        let injection = Injection::new(&rules);
        Self::of(rules, injection, Some(Known::new(key, sets)))
    }

    /// An inspector with another model of injected instructions: for those who train one.
    ///
    /// # Errors
    ///
    /// As [`with`](Self::with).
    pub fn with_model(rules: Rules, model: Model) -> Result<Self, RuleError> {
        let injection = Injection::with(&rules, Some(model));
        Self::of(rules, injection, None)
    }

    /// An inspector that looks for secrets and nothing else: for comparisons with others that look for no more.
    ///
    /// # Errors
    ///
    /// As [`with`](Self::with).
    pub fn of_secrets() -> Result<Self, RuleError> {
        let rules = Rules::standard()?.of_class("secret")?;
        Self::by(vec![Box::new(Secrets::new(&rules)), Box::new(rules)])
    }

    fn of(rules: Rules, injection: Injection, known: Option<Known>) -> Result<Self, RuleError> {
        let mut detectors: Vec<Box<dyn Detector>> =
            vec![Box::new(Secrets::new(&rules)), Box::new(Personal::new(&rules)), Box::new(injection), Box::new(rules)];
        if let Some(known) = known {
            detectors.push(Box::new(known));
        }
        Self::by(detectors)
    }

    fn by(detectors: Vec<Box<dyn Detector>>) -> Result<Self, RuleError> {
        let prefilter = Prefilter::new(&detectors).ok_or(RuleError::TooManyWords)?;
        Ok(Self { detectors, prefilter })
    }

    /// Looks at a text that is one string, and no JSON.
    pub fn scan_text(&self, text: &str, origin: Origin) -> Findings {
        if text.len() > limits::INSPECTED_BYTES_MAX {
            return Findings { list: Vec::new(), complete: false };
        }
        let mut reader = Reader::new(self.eyes(None));
        reader.read(text, Reading::Original, About { origin, part: Part::Value, key: "", seams: &[], amid: 0 });
        settle(&mut reader.seen);
        let place = |seen: Seen| {
            let range = seen.range.clone();
            seen.at("", Part::Value, range)
        };
        Findings { list: reader.seen.drain(..).map(place).collect(), complete: reader.complete }
    }

    /// Looks at all keys, strings and long numbers of a JSON text.
    pub fn scan_json(&self, text: &str, origin: Origin) -> Findings {
        Self::scan(text, origin, None, self.eyes(None))
    }

    /// The same for one message of a stream: what began in those before and goes on in this one is seen too, at its place in
    /// this one.
    pub fn scan_json_after(&self, text: &str, origin: Origin, tail: &mut Tail) -> Findings {
        Self::scan(text, origin, Some(tail), self.eyes(None))
    }

    /// The same, for known texts as well, and for one message of a stream if there is a tail.
    pub fn scan_for(&self, text: &str, origin: Origin, tail: Option<&mut Tail>, values: &Values) -> Findings {
        Self::scan(text, origin, tail, self.eyes(Some(values)))
    }

    /// Looks for known texts and for nothing else.
    pub fn find_values(&self, text: &str, values: &Values) -> Findings {
        let eyes = Eyes { detectors: &[], prefilter: None, values: Some(values) };
        Self::scan(text, Origin::Text, None, eyes)
    }

    fn eyes<'i>(&'i self, values: Option<&'i Values>) -> Eyes<'i> {
        let values = values.filter(|values| !values.is_empty());
        Eyes { detectors: &self.detectors, prefilter: Some(&self.prefilter), values }
    }

    fn scan(text: &str, origin: Origin, mut tail: Option<&mut Tail>, eyes: Eyes<'_>) -> Findings {
        if text.len() > limits::INSPECTED_BYTES_MAX {
            return Findings { list: Vec::new(), complete: false };
        }
        let mut scan = Scan {
            reader: Reader::new(eyes),
            origin,
            list: Vec::new(),
            joined: Joined::default(),
            stream: tail.as_mut().map(|tail| Joined::after(std::mem::take(&mut tail.0))),
            alone: HashMap::new(),
        };
        let sound = scan.leaves(text);
        let (joined, stream) = (std::mem::take(&mut scan.joined), scan.stream.take());
        scan.joined(text, &joined);
        if let (Some(stream), Some(tail)) = (stream, tail) {
            if stream.goes_on() {
                scan.joined(text, &stream);
            }
            let from = floor(&stream.text, stream.text.len().saturating_sub(limits::JOINED_BYTES_MAX));
            stream.text.get(from..).unwrap_or_default().clone_into(&mut tail.0);
        }
        Findings { list: scan.list, complete: scan.reader.complete && sound }
    }
}

/// How the messages of a stream ended so far: what goes on in the next one may have begun there.
#[derive(Debug, Default)]
pub struct Tail(String);

/// The inspection of one JSON text.
struct Scan<'i> {
    reader: Reader<'i>,
    origin: Origin,
    list: Vec<Finding>,
    joined: Joined,
    /// The same with how earlier messages ended before it, and without what MCP says around the contents of notifications.
    stream: Option<Joined>,
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
                About { origin: self.origin, part: leaf.part, key, seams: &[], amid: 0 },
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
                        if let Some(stream) = self.stream.as_mut().filter(|_| !is_around(key)) {
                            stream.add(number, &leaf.text);
                        }
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
    fn joined(&mut self, text: &str, joined: &Joined) {
        if !joined.is_several() {
            return;
        }
        let seams = joined.seams();
        let about = About { origin: self.origin, part: Part::Value, key: "", seams: &seams, amid: 0 };
        self.reader.read(&joined.text, Reading::Joined, about);
        settle(&mut self.reader.seen);
        let mut by_leaf: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
        for seen in self.reader.seen.drain(..) {
            let mut parts = joined.parts(&seen.range, seen.is_secret());
            if joined.goes_on() {
                // What lies in this message alone was seen when its own strings were joined.
                let before = parts.len();
                parts.retain(|(leaf, _)| *leaf != BEFORE);
                if parts.len() == before {
                    continue;
                }
            }
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

/// Whether a member is around the contents of a message, so that what is split over several messages is read as one.
fn is_around(key: &str) -> bool {
    ["jsonrpc", "method", "id", "progressToken", "progress", "total", "level", "logger", "resultType", "taskId"]
        .contains(&key)
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
