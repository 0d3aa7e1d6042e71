//! SIGKILL at moments nobody planned, under everything at once: calls, refusals, streams, listings, halts, approvals
//! and applied files. Callers and people keep what they were told; after each kill that is what there is, what was open
//! is closed as unknown, the journal verifies from its first record, nothing lives on, and no file grows but by its
//! records.
//!
//! Ten kills run with every test. Two hundred, and a seed to repeat a run with:
//!
//! ```text
//! KILLS=200 cargo test --release -p app --test it kills -- --nocapture
//! KILLS=200 KILLS_SEED=… cargo test --release -p app --test it kills -- --nocapture
//! ```

mod crowd;
mod leftovers;
mod local;
mod people;

use std::collections::{BTreeMap, HashSet};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::auditor::Auditor;
use super::chance::Chance;
use super::{journal_is_intact, process_id};
use crate::gate::{Gate, Setup, serve};
use crowd::{Crowd, ID, Told, What};
use people::People;

/// How many kills run with every test.
const KILLS: usize = 10;
/// The longest that a gate is under load before it is killed.
const LIFE: Duration = Duration::from_millis(700);
/// How often the server behind goes on with what is slow.
const TICK: Duration = Duration::from_millis(40);
/// What starting again should take at most, on a machine that does nothing else: a figure.
const READY: Duration = Duration::from_millis(300);
/// What it never takes.
const READY_MAX: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_survives_every_kill() {
    let (kills, seed) = asked_for();
    let mut siege = Siege::begin(seed).await;
    for round in 0..kills {
        siege.round(round).await;
    }
    siege.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_killed_before_it_was_ever_ready_starts_the_next_time() {
    let (kills, seed) = asked_for();
    let mut siege = Siege::begin(seed).await;
    siege.gate.end().await;
    let data = siege.gate.directory().join("data");
    let (mut begun, mut start) = (BTreeMap::new(), LIFE);
    for _ in 0..kills {
        std::fs::remove_dir_all(&data).unwrap();
        siege.die_while_starting(start).await;
        let files = if data.exists() { leftovers::files(&data).len() } else { 0 };
        *begun.entry(files).or_insert(0) += 1;
        let began = Instant::now();
        siege.gate.again().await;
        start = start.min(began.elapsed());
        siege.gate.end().await;
        siege.verify().await;
    }
    println!("files there were at the kill, and how often: {begun:?}");
}

/// How many kills, and a seed.
fn asked_for() -> (usize, u64) {
    let kills = std::env::var("KILLS").map_or(KILLS, |text| text.parse().expect("KILLS is a number"));
    let seed = Chance::seed_of("KILLS_SEED");
    println!("KILLS={kills} KILLS_SEED={seed}");
    (kills, seed)
}

/// One gate that is killed again and again, and all that is known of it.
struct Siege {
    gate: Gate,
    chance: Chance,
    people: People,
    auditor: Auditor,
    /// Calls that reached the server, by their ids.
    reached: HashSet<String>,
    /// The files after the first kill.
    files: Option<BTreeMap<String, u64>>,
    figures: Figures,
}

#[derive(Default)]
struct Figures {
    kills: usize,
    kills_while_starting: usize,
    verified: usize,
    told: BTreeMap<&'static str, usize>,
    /// Calls whose callers have the answer, and whose end the journal does not know.
    answered_and_unknown: usize,
    /// Refusals and listings that were told, and whose records were still to be written; and the oldest of them.
    unwritten: usize,
    unwritten_for: Duration,
    children: usize,
    ready: Vec<Duration>,
}

impl Siege {
    async fn begin(seed: u64) -> Self {
        let mut state = vec![
            ("zones/moving.toml".to_owned(), people::zone(0)),
            ("policies/moving.cedar".to_owned(), people::policy(0)),
        ];
        state.extend(local::state());
        let gate = Gate::with(Setup { state, shell: Some(leftovers::MARK), ..Setup::default() }).await;
        gate.must(&["server", "check", "notes"]).await;
        gate.must(&["server", "approve", "notes", "--yes"]).await;
        let auditor = Auditor::of(&gate.directory().join("data"));
        let (chance, people) = (Chance::new(seed), People::new());
        Self { gate, chance, people, auditor, reached: HashSet::new(), files: None, figures: Figures::default() }
    }

    async fn round(&mut self, round: usize) {
        let told = self.live_and_die(round).await;
        let killed = Instant::now();
        if self.chance.one_in(6) {
            let start = self.figures.ready.last().copied().unwrap_or(LIFE);
            self.die_while_starting(start).await;
        }
        self.verify().await;
        let began = Instant::now();
        self.gate.again().await;
        let ready = began.elapsed();
        assert!(ready < READY_MAX, "it took {ready:?} to be ready again");
        self.figures.ready.push(ready);
        self.verify().await;
        self.auditor.read_to_start();
        self.nothing_told_is_lost(&told, killed);
        self.nothing_left_unrecorded();
        self.receipts_are_found(&told).await;
        self.people.all_in_force(&self.gate).await;
        self.files_stay_bounded();
    }

    /// Load, until SIGKILL at a moment that nobody planned; what the callers were told.
    async fn live_and_die(&mut self, round: usize) -> Vec<Told> {
        let Self { gate, chance, people, figures, .. } = self;
        // Many faults show in the first moments only.
        let life = if chance.one_in(4) { chance.within(LIFE / 10) } else { chance.within(LIFE) };
        let id = process_id(gate);
        let dying = Arc::new(AtomicBool::new(false));
        let crowd = Crowd::start(gate, round, chance, &dying);
        let end = async {
            tokio::time::sleep(life).await;
            let family = leftovers::family(id);
            dying.store(true, Ordering::Release);
            gate.kill();
            family
        };
        let tick = async {
            while !dying.load(Ordering::Acquire) {
                tokio::time::sleep(TICK).await;
                gate.desk.tick();
            }
        };
        let mut hand = chance.fork();
        let (family, (), ()) = tokio::join!(end, tick, people.change_on(gate, &mut hand, &dying));
        figures.kills += 1;
        figures.children += family.len();
        leftovers::none_survives(&family, gate.directory()).await;
        crowd.gone().await
    }

    /// A crash in the middle of starting, which takes so long.
    async fn die_while_starting(&mut self, start: Duration) {
        let mut command = serve(self.gate.directory(), Some(leftovers::MARK));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(self.chance.within(start)).await;
        let family = leftovers::family(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        self.figures.kills_while_starting += 1;
        leftovers::none_survives(&family, self.gate.directory()).await;
    }

    async fn verify(&mut self) {
        journal_is_intact(&self.gate).await;
        self.figures.verified += 1;
    }

    /// Every call that was answered, or began to be, has its intent. A refusal or listing has its record, unless it was
    /// told a moment before the kill: nothing left the gate on it, so nobody waits for its record.
    fn nothing_told_is_lost(&mut self, told: &[Told], killed: Instant) {
        let Self { auditor, figures, .. } = self;
        for Told { what, receipt, at } in told {
            *figures.told.entry(what.word()).or_default() += 1;
            let end = auditor.intents.get(receipt).map(|intent| intent.end.as_str());
            match end {
                Some(end) => {
                    let ends = what.ends();
                    assert!(ends.contains(&end), "{what:?}, and the journal says `{end}`: {receipt}");
                    figures.answered_and_unknown += usize::from(*what == What::Answered && end == "unknown");
                }
                None if auditor.others.contains(receipt) => {
                    assert!(matches!(what, What::Listed | What::Refused), "{what:?} has no intent: {receipt}");
                }
                None => {
                    assert!(matches!(what, What::Listed | What::Refused), "{what:?} is lost: {receipt}");
                    figures.unwritten += 1;
                    figures.unwritten_for = figures.unwritten_for.max(killed.saturating_duration_since(*at));
                }
            }
        }
    }

    /// Whatever reached the server has its intent, and reached it once.
    fn nothing_left_unrecorded(&mut self) {
        let requests: HashSet<&str> = self.auditor.intents.values().map(|intent| intent.request.as_str()).collect();
        for seen in self.gate.desk.take_seen() {
            let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
            let id = body["id"].to_string();
            if seen.of_the_gate || !id.contains(ID) {
                continue;
            }
            assert!(requests.contains(id.as_str()), "{id} left without an intent");
            assert!(self.reached.insert(id), "a call was made twice: {body:#}");
        }
    }

    /// Whoever asks the gate itself for a receipt gets it, with its end.
    async fn receipts_are_found(&mut self, told: &[Told]) {
        let answered: Vec<&Told> = told.iter().filter(|told| told.what == What::Answered).collect();
        for _ in 0..answered.len().min(2) {
            let receipt = &self.chance.one_of(&answered).receipt;
            let found = self.gate.read(&format!("/receipts/{receipt}")).await;
            let end = found["outcome"]["record"]["event"]["end"]["type"].as_str();
            assert_eq!(end, Some(self.auditor.intents[receipt].end.as_str()), "{found:#}");
        }
    }

    fn files_stay_bounded(&mut self) {
        let files = leftovers::files(&self.gate.directory().join("data"));
        let first = self.files.get_or_insert_with(|| files.clone());
        leftovers::stay_bounded(first, &files, self.auditor.records, self.auditor.starts);
    }

    /// Ends the gate in peace: then all that was acknowledged has its receipt, and each change exactly one number.
    async fn end(mut self) {
        let acknowledged = self.people.acknowledged;
        for _ in 0..50 {
            self.gate.end().await;
            self.auditor.read_to_end();
            if self.auditor.changes.len() >= acknowledged && are_dense(&self.auditor) {
                break;
            }
            self.gate.again().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let Self { figures, auditor, .. } = &self;
        for intent in auditor.intents.values().filter(|intent| intent.end == "not-sent") {
            assert!(!self.reached.contains(&intent.request), "{} was sent after all", intent.request);
        }
        assert!(auditor.changes.len() >= acknowledged, "{} of {acknowledged} changes", auditor.changes.len());
        assert!(are_dense(auditor), "a change has no receipt: {:?}", auditor.changes);
        let of = |word| figures.told.get(word).copied().unwrap_or_default();
        assert!(figures.unwritten * 4 < of("refused") + of("listed"), "{} are lost", figures.unwritten);
        assert!(of("answered") > figures.kills, "{:?}", figures.told);
        journal_is_intact(&self.gate).await;
        self.tell();
    }

    fn tell(&self) {
        let Self { figures, auditor, people, .. } = self;
        let mut ready = figures.ready.clone();
        ready.sort_unstable();
        let at = |part: usize| ready[(ready.len() - 1) * part / 100].as_secs_f64() * 1_000.0;
        println!("{} kills under load, {} while starting", figures.kills, figures.kills_while_starting);
        println!("verified whole {} times, intact; {} records at the end", figures.verified + 1, auditor.records);
        println!("told: {:?}; {} changes acknowledged", figures.told, people.acknowledged);
        println!("{} calls reached the server, ends: {:?}", self.reached.len(), auditor.ends());
        println!("orphans closed as unknown: {}; torn bytes cut off: {}", auditor.orphans, auditor.torn_bytes);
        println!("answered, and the end not recorded: {}", figures.answered_and_unknown);
        println!("refused or listed, and not recorded: {}, oldest {:?}", figures.unwritten, figures.unwritten_for);
        println!("processes under the gate at its kills: {} in all, none outlived it", figures.children);
        let late = ready.iter().filter(|took| **took > READY).count();
        println!("ready again: median {:.0} ms, p95 {:.0} ms, max {:.0} ms", at(50), at(95), at(100));
        println!("ready later than after {READY:?}: {late} of {}", ready.len());
        println!("files: {:?}", leftovers::files(&self.gate.directory().join("data")));
    }
}

/// Whether the numbers of the changes go from 1 on without a gap.
fn are_dense(auditor: &Auditor) -> bool {
    let last = auditor.changes.last().copied().unwrap_or_default();
    auditor.changes.len() as u64 == last
}

impl What {
    /// How the journal may say that an intent ended whose caller was told this. What the gate had no time to write down
    /// is unknown.
    fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Answered => &["completed", "unknown"],
            Self::Streamed => &["completed", "cut", "cancelled", "unknown"],
            Self::Withheld => &["result-withheld", "cut", "unknown"],
            // A halt or an approval came between the intent and the sending, or the answer.
            Self::Refused => &["not-sent", "result-withheld", "unknown"],
            Self::Listed => &[],
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Streamed => "streamed",
            Self::Listed => "listed",
            Self::Refused => "refused",
            Self::Withheld => "withheld",
        }
    }
}
