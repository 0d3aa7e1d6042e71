//! What a killed gate may leave behind: no process, and no more files than the last time.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a child may take to notice that its gate is gone.
const GRACE: Duration = Duration::from_secs(2);
/// Bytes that a file may have which is no part of the journal's record: of databases, states, locks, keys.
const SMALL_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
// What things take, generously.
const RECORD_BYTES: u64 = 2_048;
const INDEX_ENTRY_BYTES: u64 = 96;
const CHECKPOINT_BYTES: u64 = 1_024;
/// A segment grows ahead by a megabyte.
const AHEAD_BYTES: u64 = 2 * 1024 * 1024;

/// A process, told from a later one with the same id by when it started.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Relative {
    id: u32,
    started: u64,
}

/// The variable that every gate of this test has, and what it starts inherits unless it is taken out; the settings'
/// path is its value.
pub(super) const MARK: &str = "export GATE_UNDER_TEST=\"$3\"";

/// Everything that descends from a process, however far, at this moment.
pub(super) fn family(ancestor: u32) -> HashSet<Relative> {
    let all: Vec<(Relative, u32)> =
        ids().into_iter().filter_map(|id| status(id).map(|(it, parent, _)| (it, parent))).collect();
    let mut ids = HashSet::from([ancestor]);
    let mut family = HashSet::new();
    loop {
        let more: Vec<&Relative> =
            all.iter().filter(|(it, parent)| ids.contains(parent) && !ids.contains(&it.id)).map(|(it, _)| it).collect();
        if more.is_empty() {
            return family;
        }
        ids.extend(more.iter().map(|it| it.id));
        family.extend(more.into_iter().cloned());
    }
}

/// Waits until nothing is left of a killed gate: none of its family, nothing with its mark, nothing that works in its
/// directory or names it.
pub(super) async fn none_survives(family: &HashSet<Relative>, directory: &Path) {
    let deadline = Instant::now() + GRACE;
    loop {
        let left = survivors(family, directory);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "the gate was killed, and these live on: {left:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn survivors(family: &HashSet<Relative>, directory: &Path) -> Vec<String> {
    let directory = directory.to_str().unwrap();
    let lives = |id: u32| {
        // A dead one that nobody has waited for yet runs no more.
        let (relative, _, state) = status(id).filter(|(_, _, state)| *state != 'Z')?;
        let holds = |file: &str| {
            let bytes = fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(directory)
        };
        let at = fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|path| path.starts_with(directory));
        let ours = family.contains(&relative) || at || holds("environ") || holds("cmdline");
        (ours && id != std::process::id()).then(|| format!("{relative:?} {state}"))
    };
    ids().into_iter().filter_map(lives).collect()
}

fn ids() -> Vec<u32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// A process, its parent, and its state.
fn status(id: u32) -> Option<(Relative, u32, char)> {
    let line = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let fields: Vec<&str> = line.rsplit_once(") ")?.1.split(' ').collect();
    let relative = Relative { id, started: fields.get(19)?.parse().ok()? };
    Some((relative, fields.get(1)?.parse().ok()?, fields.first()?.chars().next()?))
}

/// The files of a data directory, by name, with their bytes. A segment's number is left out: there may be many. What is
/// under `local` belongs to the servers that are started there.
pub(super) fn files(data: &Path) -> BTreeMap<String, u64> {
    let mut files = BTreeMap::new();
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = path.strip_prefix(data).unwrap().to_str().unwrap();
            if name == "local" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = if name.ends_with(".records") { "journal/*.records" } else { name };
            // A file beside its place may have been put there meanwhile.
            let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
            *files.entry(name.to_owned()).or_default() += bytes;
        }
    }
    files
}

/// There are no more files than after the first kill, and none is larger than what is in it.
pub(super) fn stay_bounded(first: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>, records: u64, starts: u64) {
    // A small file is written beside its place; a kill may leave one of each.
    let more: Vec<&String> = now.keys().filter(|name| !first.contains_key(*name) && !name.ends_with(".new")).collect();
    assert!(more.is_empty(), "kills leave files behind: {more:?}");
    for (name, bytes) in now {
        let most = match name.as_str() {
            "journal/*.records" => records * RECORD_BYTES + AHEAD_BYTES,
            "journal/index" => records * INDEX_ENTRY_BYTES + AHEAD_BYTES,
            "journal/checkpoints" => starts * CHECKPOINT_BYTES + 64 * CHECKPOINT_BYTES,
            "journal/checkpoint" | "journal/checkpoint.new" => CHECKPOINT_BYTES,
            _ => SMALL_FILE_BYTES_MAX,
        };
        assert!(*bytes <= most, "`{name}` has {bytes} bytes, more than {most}, with {records} records");
    }
}
