//! A gate at the moment when the power fails: its files, and what it had acknowledged by then.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::disk::Spoilt;
use crate::gate::files::{ANA, CROWD, RECONCILER};
use crate::gate::{Gate, Setup};
use crate::resilience::auditor::{Auditor, records, segments};
use crate::resilience::chance::Chance;
use crate::verdict::receipt_id;

const CALLERS: usize = 8;
/// Long enough for a checkpoint under load, and for records that came after it.
const LOAD: Duration = Duration::from_millis(1_100);
const REST: Duration = Duration::from_millis(90);
const UNANSWERED: usize = 10;
/// Records in a block of the index, bytes of an entry and of the block's root behind them.
const INDEX: (usize, usize, usize) = (1_024, 80, 32);

/// A gate that is no more, and its files.
pub(super) struct Outage {
    pub(super) gate: Gate,
    /// Its data directory as the kill left it.
    pub(super) disk: TempDir,
    /// The checkpoint and the state that there were earlier.
    pub(super) earlier: TempDir,
    /// The newest segment.
    pub(super) segment: PathBuf,
    /// The receipts of the calls that were answered.
    pub(super) acknowledged: HashSet<String>,
    /// The byte of the segment up to which its records are under the signed root.
    pub(super) signed_end: usize,
    /// The byte up to which it was flushed for certain: a call was answered, or a root was signed.
    pub(super) flushed: usize,
    /// The byte up to which anything was written.
    pub(super) written: usize,
    /// The same of the index.
    pub(super) index_flushed: usize,
    pub(super) index_bytes: usize,
    /// The same of the database's log: a change was answered.
    pub(super) log_flushed: usize,
    pub(super) log_bytes: usize,
}

impl Outage {
    /// Changes of state, then calls, then nothing more.
    pub(super) async fn under_load(chance: &mut Chance) -> Self {
        let gate = Gate::with(Setup::default()).await;
        let data = gate.directory().join("data");
        for number in 0..5 {
            gate.must(&["halt", "user", &format!("somebody-{number}"), "--reason", "a test"]).await;
        }
        let log_flushed = bytes(&data.join("state.db-wal"));
        // The receipts of changes are no part of what may be lost below: they are flushed before the calls are.
        let told = |page: &serde_json::Value| page["receipts"].to_string().contains("somebody-4");
        gate.until("/receipts?kind=changed", told).await;
        let earlier = tempfile::tempdir().unwrap();
        for file in ["checkpoint", "state"] {
            fs::copy(data.join("journal").join(file), earlier.path().join(file)).unwrap();
        }
        let acknowledged = load(&gate, chance).await;
        let disk = tempfile::tempdir().unwrap();
        copy(&data, disk.path());
        let journal = disk.path().join("journal");
        let segment = segments(&journal).pop().unwrap();
        let all = fs::read(&segment).unwrap();
        let signed = fs::read_to_string(journal.join("checkpoint")).unwrap();
        let signed: usize = signed.lines().nth(1).unwrap().parse().unwrap();
        let lines: Vec<(usize, String)> =
            records(&all).map(|(end, record)| (end, record["id"].as_str().unwrap().to_owned())).collect();
        let signed_end = lines[signed - 1].0;
        let answered = lines.iter().rfind(|(_, id)| acknowledged.contains(id)).expect("an intent").0;
        Self {
            flushed: signed_end.max(answered),
            written: lines.last().unwrap().0,
            index_flushed: (signed / INDEX.0) * (INDEX.0 * INDEX.1 + INDEX.2) + (signed % INDEX.0) * INDEX.1,
            index_bytes: bytes(&journal.join("index")),
            log_bytes: bytes(&disk.path().join("state.db-wal")),
            gate,
            disk,
            earlier,
            segment,
            acknowledged,
            signed_end,
            log_flushed,
        }
    }

    /// Puts the files where they were, or elsewhere.
    pub(super) fn lay_out(&self, data: &Path) {
        drop(fs::remove_dir_all(data.join("journal")));
        copy(self.disk.path(), data);
    }

    /// What people were told is so.
    pub(super) async fn changes_are_in_force(&self) {
        let halts = self.gate.read("/halts").await.to_string();
        for number in 0..5 {
            assert!(halts.contains(&format!("somebody-{number}")), "{halts}");
        }
        assert!(self.gate.read("/zones").await.to_string().contains("This machine"));
    }

    /// Every call that was answered is in the journal, and closed; every change has its receipt.
    pub(super) fn nothing_is_lost(&self, data: &Path, spoilt: &Spoilt) {
        let mut auditor = Auditor::of(data);
        auditor.read_to_end();
        for receipt in &self.acknowledged {
            let intent = auditor.intents.get(receipt);
            let intent = intent.unwrap_or_else(|| panic!("{receipt} was answered and is lost: {spoilt:?}"));
            assert_ne!(intent.end, "open", "{receipt}: {spoilt:?}");
        }
        assert_eq!(auditor.changes.last(), Some(&(auditor.changes.len() as u64)), "{spoilt:?}");
    }
}

/// Calls, the last of which never end, until the gate is killed; the receipts of those that were answered.
async fn load(gate: &Gate, chance: &mut Chance) -> HashSet<String> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let client = gate.client([ANA, CROWD, RECONCILER][number % 3]);
        let (stop, mut chance) = (Arc::clone(&stop), chance.fork());
        callers.spawn(async move {
            let mut answered = Vec::new();
            while !stop.load(Ordering::Acquire) {
                tokio::time::sleep(chance.within(REST)).await;
                let reply = client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
                assert!(reply.result().is_some(), "{}", reply.json);
                answered.push(receipt_id(&reply).to_owned());
            }
            answered
        });
    }
    tokio::time::sleep(LOAD + chance.within(LOAD / 3)).await;
    stop.store(true, Ordering::Release);
    let answered = callers.join_all().await.concat().into_iter().collect();
    // The last that is written are calls whose callers never hear of them.
    let before = gate.desk.calls();
    let mut unanswered = JoinSet::new();
    for _ in 0..UNANSWERED {
        let client = gate.client(ANA);
        unanswered.spawn(async move { client.call("slow", json!({})).await.is_err() });
    }
    gate.desk.reached(before + UNANSWERED).await;
    gate.kill();
    assert!(unanswered.join_all().await.into_iter().all(|broken| broken));
    answered
}

fn bytes(path: &Path) -> usize {
    fs::metadata(path).unwrap().len() as usize
}

/// Copies what is in a folder over what is in another.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, beside) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &beside),
            false => drop(fs::copy(&path, &beside).unwrap()),
        }
    }
}
