//! Somebody who reads the journal's files with no code of the product's: frames and lines as they are documented, each
//! intent with its end, and what must hold of them whenever the gate has started.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Why recovery says it closed an intent.
const ORPHANED: &str = "the gate stopped before it recorded how this ended";

/// What was read so far of a journal that grows.
pub(super) struct Auditor {
    directory: PathBuf,
    /// Where to read on: the segment's place among them, and the byte in it.
    segment: usize,
    offset: u64,
    pub(super) records: u64,
    /// By their receipts.
    pub(super) intents: HashMap<String, Intent>,
    /// Receipts of what is no intent: refusals, listings, changes.
    pub(super) others: HashSet<String>,
    /// The changes of state, by their numbers.
    pub(super) changes: BTreeSet<u64>,
    /// Starts of the gate, intents that recovery closed, bytes that it cut off.
    pub(super) starts: u64,
    pub(super) orphans: u64,
    pub(super) torn_bytes: u64,
    open: HashSet<String>,
    /// How many records of orphans have just been read, one after another.
    closing: u64,
}

/// A call that was about to leave.
pub(super) struct Intent {
    /// Its JSON-RPC id, as JSON.
    pub(super) request: String,
    /// How it ended; `open` until that is known.
    pub(super) end: String,
}

impl Auditor {
    /// Of the journal in a data directory.
    pub(super) fn of(data: &Path) -> Self {
        Self {
            directory: data.join("journal"),
            segment: 0,
            offset: 0,
            records: 0,
            intents: HashMap::new(),
            others: HashSet::new(),
            changes: BTreeSet::new(),
            starts: 0,
            orphans: 0,
            torn_bytes: 0,
            open: HashSet::new(),
            closing: 0,
        }
    }

    /// Reads on up to the last start of the gate, which may be writing further records.
    pub(super) fn read_to_start(&mut self) {
        let mut found = self.found();
        let start = found.iter().rposition(|(_, _, record)| record["kind"] == "opened");
        found.truncate(start.expect("the gate has started since") + 1);
        self.take_all(found);
    }

    /// Reads all there is. The gate does not run.
    pub(super) fn read_to_end(&mut self) {
        let found = self.found();
        self.take_all(found);
    }

    /// The records that were not read yet, each with its segment's place and the byte after it.
    fn found(&self) -> Vec<(usize, u64, Value)> {
        let mut found = Vec::new();
        for (place, path) in segments(&self.directory).iter().enumerate().skip(self.segment) {
            let from = if place == self.segment { self.offset } else { 0 };
            let mut file = File::open(path).unwrap();
            file.seek(SeekFrom::Start(from)).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            found.extend(records(&bytes).map(|(end, record)| (place, from + end as u64, record)));
        }
        found
    }

    fn take_all(&mut self, found: Vec<(usize, u64, Value)>) {
        for (segment, offset, record) in found {
            self.take(&record);
            (self.segment, self.offset) = (segment, offset);
            self.records += 1;
        }
    }

    fn take(&mut self, record: &Value) {
        let id = record["id"].as_str().unwrap().to_owned();
        let event = &record["event"];
        let closing = std::mem::take(&mut self.closing);
        match record["kind"].as_str().unwrap() {
            "intent" => {
                let request = event["request"].as_str().unwrap_or_default().to_owned();
                let intent = Intent { request, end: "open".to_owned() };
                assert!(self.intents.insert(id.clone(), intent).is_none(), "two intents are {id}");
                self.open.insert(id);
            }
            "outcome" => {
                let intent = event["intent"].as_str().unwrap();
                assert!(self.open.remove(intent), "{intent} has no intent, or a second end: {record:#}");
                let end = event["end"]["type"].as_str().unwrap().to_owned();
                if event["end"]["why"] == ORPHANED {
                    assert_eq!(end, "unknown");
                    self.closing = closing + 1;
                }
                self.intents.get_mut(intent).unwrap().end = end;
            }
            "opened" => {
                let orphans = event["orphans"].as_u64().unwrap();
                assert_eq!(orphans, closing, "recovery tells how many it closed: {record:#}");
                assert_eq!(event["records"].as_u64().unwrap() + orphans, self.records, "{record:#}");
                assert!(self.open.is_empty(), "open after a start: {:?}", self.open);
                self.starts += 1;
                self.orphans += orphans;
                self.torn_bytes += event["truncated_bytes"].as_u64().unwrap();
            }
            "changed" => {
                self.changes.insert(event["outbox"].as_u64().unwrap());
                self.others.insert(id);
            }
            "unrecorded" => panic!("the gate could not write: {record:#}"),
            _ => {
                self.others.insert(id);
            }
        }
    }

    /// How many intents ended in each way.
    pub(super) fn ends(&self) -> HashMap<&str, usize> {
        let mut ends = HashMap::new();
        for intent in self.intents.values() {
            *ends.entry(intent.end.as_str()).or_default() += 1;
        }
        ends
    }
}

/// The segments' files, in order.
pub(super) fn segments(journal: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "records")).collect();
    segments.sort();
    segments
}

/// The whole records at the beginning of a segment's bytes, each with the byte at which it ends: four bytes of
/// checksum, four of length, a line of JSON. The checksums are for `audit verify`.
pub(super) fn records(bytes: &[u8]) -> impl Iterator<Item = (usize, Value)> + use<'_> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let length = bytes.get(at + 4..at + 8)?;
        let length = u32::from_le_bytes(length.try_into().unwrap()) as usize;
        let record = serde_json::from_slice(bytes.get(at + 8..at + 8 + length)?).ok()?;
        at += 8 + length;
        Some((at, record))
    })
}
