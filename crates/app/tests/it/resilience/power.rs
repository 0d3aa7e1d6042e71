//! Power that fails, as far as that can be simulated: whatever had been flushed is on the disk, and of what had not
//! been, anything may be: the old bytes, the new ones, zeros, somebody else's, each sector for itself.
//!
//! A gate is killed under load and its files are spoilt behind the last flush that anybody was told of. The gate must
//! then start with everything that it had acknowledged; where a file lost what had been flushed, it must refuse and
//! name it. Recovery of the journal alone runs as the gate runs it, through `audit::Journal::open`, at every byte; the
//! gate itself runs with everything spoilt at once. A few of each run with every test; all bytes, and as many gates as
//! one likes:
//!
//! ```text
//! POWER_LOSSES=300 cargo test --release -p app --test it power -- --nocapture
//! ```

mod disk;
mod outage;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use audit::{Journal, Options, Trusted};
use model::{Clock, Entropy, Timestamp};

use super::chance::Chance;
use super::{journal_is_intact, refuses_to_start};
use crate::gate::files::ANA;
use crate::verdict::passes;
use disk::Spoilt;
use outage::Outage;

/// How many gates start on spoilt files with every test.
const GATES: usize = 12;
/// At how many bytes the journal is spoilt with every test.
const PLACES: usize = 60;

/// How many gates were asked for.
fn asked_for() -> Option<usize> {
    std::env::var("POWER_LOSSES").ok().map(|text| text.parse().expect("POWER_LOSSES is a number"))
}

fn chance() -> Chance {
    let seed = Chance::seed_of("POWER_SEED");
    println!("POWER_SEED={seed}");
    Chance::new(seed)
}

/// Numbers and times that do not matter here, but that do not repeat.
struct Plain(AtomicU64);

impl Clock for Plain {
    fn now(&self) -> Timestamp {
        Timestamp(1_900_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl Entropy for Plain {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    }
}

/// As `serve` opens it.
fn options() -> Options {
    let plain = Arc::new(Plain(AtomicU64::new(1)));
    Options {
        origin: "portcullis".to_owned(),
        version: "test".to_owned(),
        flush_delay: Duration::from_millis(20),
        clock: Arc::clone(&plain) as _,
        entropy: plain,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_keeps_what_was_flushed_wherever_the_rest_ends() {
    let mut chance = chance();
    let outage = Outage::under_load(&mut chance).await;
    let places = match asked_for() {
        Some(_) => (outage.flushed..=outage.written).collect(),
        None => some_of(outage.flushed, outage.written, &mut chance),
    };
    let scratch = tempfile::tempdir().unwrap();
    let journal = scratch.path().join("journal");
    let (began, mut most) = (Instant::now(), 0);
    for &at in &places {
        outage.lay_out(scratch.path());
        let by_chance = Spoilt::by_chance(&outage, &mut chance);
        let spoilt = Spoilt { tail: (by_chance.tail.0, at), ..by_chance };
        spoilt.spoil_journal(&outage, &journal, &mut chance);
        let opened = Journal::open(&journal, options());
        let (opened, recovery) = opened.unwrap_or_else(|error| panic!("{spoilt:?}: {error}"));
        opened.close();
        drop(opened);
        let report = audit::verify(&journal, &Trusted::default(), &mut |_| {}).unwrap();
        assert_eq!(report.problems, [], "{spoilt:?}");
        assert_eq!((report.open_intents.len(), report.signed), (0, report.records), "{spoilt:?}");
        outage.nothing_is_lost(scratch.path(), &spoilt);
        most = most.max(recovery.truncated_bytes);
    }
    println!(
        "{} journals, spoilt at so many of {} bytes: all opened, with {} acknowledged calls each; at most {most} bytes \
         cut off; {:.1?}",
        places.len(),
        outage.written + 1 - outage.flushed,
        outage.acknowledged.len(),
        began.elapsed()
    );
}

/// Some places between two, the first and the last among them.
fn some_of(first: usize, last: usize, chance: &mut Chance) -> Vec<usize> {
    let mut places: Vec<usize> = (0..PLACES).map(|_| first + chance.below(last + 1 - first)).collect();
    places.extend([first, last]);
    places.sort_unstable();
    places.dedup();
    places
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_starts_with_all_it_acknowledged_whatever_the_disk_made_of_the_rest() {
    let mut chance = chance();
    let outage = Outage::under_load(&mut chance).await;
    let data = outage.gate.directory().join("data");
    let mut ready = Vec::new();
    for _ in 0..asked_for().unwrap_or(GATES) {
        outage.lay_out(&data);
        let spoilt = Spoilt::by_chance(&outage, &mut chance);
        println!("{spoilt:?}");
        spoilt.spoil_journal(&outage, &data.join("journal"), &mut chance);
        spoilt.spoil_database(&outage, &data, &mut chance);
        let began = Instant::now();
        outage.gate.again().await;
        ready.push(began.elapsed());
        outage.changes_are_in_force().await;
        passes(&outage.gate.client(ANA).call("read_ticket", serde_json::json!({ "ticket": "1" })).await.unwrap());
        outage.gate.end().await;
        journal_is_intact(&outage.gate).await;
        outage.nothing_is_lost(&data, &spoilt);
    }
    ready.sort_unstable();
    println!("{} gates: all started; ready at most {:?} later", ready.len(), ready.last().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_whose_disk_lost_what_was_flushed_says_where() {
    let mut chance = chance();
    let outage = Outage::under_load(&mut chance).await;
    let data = outage.gate.directory().join("data");
    let journal = data.join("journal");
    let segment = outage.segment.file_name().unwrap().to_str().unwrap();
    let bytes = fs::read(outage.disk.path().join("journal").join(segment)).unwrap();
    let signed = outage.signed_end;
    let mut ways: Vec<(String, Vec<u8>)> = Vec::new();
    for at in [0, 1, signed / 3, signed - 100, signed - 1] {
        ways.push((format!("cut at {at}"), bytes[..at].to_vec()));
        ways.push((format!("zeros from {at}"), [&bytes[..at], &vec![0; bytes.len() - at]].concat()));
    }
    let sector = chance.below(signed / 512) * 512;
    let lost = [&bytes[..sector], &[0; 512], &bytes[sector + 512..]].concat();
    ways.push((format!("zeros for the sector at {sector}"), lost));
    for (way, spoilt) in ways {
        outage.lay_out(&data);
        // With it, what was signed long ago is not read again at every start. The auditor always reads it.
        fs::remove_file(journal.join("state")).unwrap();
        fs::write(journal.join(segment), &spoilt).unwrap();
        let said = outage.gate.cli(&["audit", "verify", "--dir", journal.to_str().unwrap()]).await;
        assert!(!said.ok && said.err.contains("the journal is not as it was written"), "{way}: {said:?}");
        let said = refuses_to_start(outage.gate.directory()).await;
        assert!(said.starts_with("error: cannot open the journal in `DIR/data/journal`: "), "{way}: {said}");
        assert!(said.contains(segment), "{way}: {said}");
        assert_eq!(fs::read(journal.join(segment)).unwrap(), spoilt, "{way}: it is evidence, and stays as it is");
    }
    for file in ["checkpoint", "signing.key"] {
        outage.lay_out(&data);
        let whole = fs::read(journal.join(file)).unwrap();
        fs::write(journal.join(file), &whole[..whole.len() / 2]).unwrap();
        let said = refuses_to_start(outage.gate.directory()).await;
        assert!(said.contains(file), "{file}: {said}");
    }
    outage.lay_out(&data);
    outage.gate.again().await;
    outage.changes_are_in_force().await;
    outage.gate.end().await;
    outage.nothing_is_lost(&data, &Spoilt::not_at_all(&outage));
}
