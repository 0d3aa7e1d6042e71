//! How fast the journal is on this machine: durable records a second from many tasks, what they cost, and how fast
//! the result is verified, opened again after a crash, and searched.
//!
//! `cargo run --release -p audit --example append_speed [TASKS] [SECONDS] [DIRECTORY]`

#![expect(clippy::print_stdout, reason = "an example tells its findings on standard output")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use audit::{Archive, End, Event, Filter, Intent, Journal, Options, Outcome, Trusted, Who, verify};
use model::{AgentKind, Clock, Digest, Entropy, Object, ReceiptId, Revision, Timestamp};

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Numbers that do not repeat: enough for measuring.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    }
}

fn options() -> Options {
    Options {
        origin: "speed.example.com".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        flush_delay: Duration::from_millis(20),
        clock: Arc::new(WallClock),
        entropy: Arc::new(Counting(AtomicU64::new(1))),
    }
}

/// Seconds of processor time of this process: user, system.
fn processor_seconds() -> Option<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = |field: Option<&str>| field?.parse::<f64>().ok().map(|ticks| ticks / 100.0);
    Some((ticks(fields.next())?, ticks(fields.next())?))
}

fn intent(like: &Intent, journal: &Journal, id: ReceiptId, arguments: &[u8]) -> Event {
    let arguments = Some(journal.commitments().salts(id).arguments.commit(arguments));
    Event::Intent(Intent { arguments, ..like.clone() })
}

async fn call(journal: &Journal, like: &Intent, body: &[u8]) -> Result<(), audit::JournalError> {
    let mut record = journal.record(Event::Opened(audit::Opened {
        version: String::new(),
        records: 0,
        truncated_bytes: 0,
        orphans: 0,
    }));
    record.event = intent(like, journal, record.id, body);
    journal.durable(&record).await?;
    let answer = Some(journal.commitments().salts(record.id).answer.commit(body));
    let outcome =
        Outcome { intent: record.id, end: End::Completed, milliseconds: 3, answer, findings: None, detail: None };
    journal.queue(&journal.record(Event::Outcome(outcome)));
    Ok(())
}

fn sample() -> Result<Intent, Box<dyn Error>> {
    Ok(Intent {
        who: Who {
            agent: "support-assistant".parse()?,
            kind: AgentKind::Delegated,
            user: Some("alice@example.com".parse()?),
            through: Vec::new(),
            changed: Vec::new(),
        },
        session: Some("01J9Z6Y8K3S4T5V6W7X8Y9Z0A1".to_owned()),
        endpoint: "support".parse()?,
        server: "crm".parse()?,
        method: "tools/call".to_owned(),
        request: Some("42".to_owned()),
        object: Some(Object::Tool { server: "crm".parse()?, name: "read_customer".parse()? }),
        call: None,
        pin: Some(Digest::of(b"definition")),
        arguments: None,
        request_bytes: 1024,
        findings: None,
        policies: vec!["support-may-read".parse()?, "everyone-connects".parse()?],
        revision: Revision(12),
    })
}

fn append(directory: &Path, tasks: usize, seconds: u64) -> Result<(), Box<dyn Error>> {
    let (journal, recovery) = Journal::open(directory, options())?;
    println!("opened: {recovery:?}");
    let journal = Arc::new(journal);
    let like = Arc::new(sample()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let (began, before) = (Instant::now(), processor_seconds().unwrap_or_default());
    let until = began + Duration::from_secs(seconds);
    let handles: Vec<_> = (0..tasks)
        .map(|_| {
            let (journal, like) = (Arc::clone(&journal), Arc::clone(&like));
            runtime.spawn(async move {
                let body = vec![b'x'; 1024];
                let mut latencies = Vec::new();
                while Instant::now() < until {
                    let began = Instant::now();
                    call(&journal, &like, &body).await?;
                    latencies.push(began.elapsed());
                }
                Ok::<_, audit::JournalError>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for handle in handles {
        latencies.extend(runtime.block_on(handle)??);
    }
    let (took, after) = (began.elapsed().as_secs_f64(), processor_seconds().unwrap_or_default());
    latencies.sort_unstable();
    let calls = f64::from(u32::try_from(latencies.len())?);
    let at = |per_mille: usize| latencies.get(latencies.len() * per_mille / 1000).copied().unwrap_or_default();
    let (user, system) = (after.0 - before.0, after.1 - before.1);
    println!("{tasks} tasks, {took:.1} s: {:.0} durable intents/s, {:.0} records/s", calls / took, 2.0 * calls / took);
    println!("  latency p50 {:?}, p99 {:?}, max {:?}", at(500), at(990), at(999));
    println!(
        "  processor time per record {:.2} µs ({:.2} user, {:.2} system); per call, commitments included, {:.2} µs",
        (user + system) * 0.5e6 / calls,
        user * 0.5e6 / calls,
        system * 0.5e6 / calls,
        (user + system) * 1e6 / calls
    );
    journal.close();
    Ok(())
}

fn read_back(directory: &Path) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let report = verify(directory, &Trusted::default(), &mut |_| {})?;
    let took = began.elapsed().as_secs_f64();
    let records = f64::from(u32::try_from(report.records)?);
    println!(
        "verify: {} records, {} MB, in {took:.2} s: {:.0} records/s, {} problems",
        report.records,
        report.bytes / 1_000_000,
        records / took,
        report.problems_total
    );
    let archive = Archive::at(directory);
    let page = archive.search(&Filter { before: Some(report.records / 2), ..Filter::default() }, 1)?;
    let began = Instant::now();
    if let Some(receipt) = page.receipts.first() {
        let proof = archive.find(receipt.written.record.id)?.and_then(|receipt| receipt.proof);
        println!("find: {:?}, proof of {} hashes", began.elapsed(), proof.map_or(0, |proof| proof.path.len()));
    }
    let began = Instant::now();
    println!("newest 50: {} in {:?}", archive.tail(50)?.len(), began.elapsed());
    let (_, recovery) = Journal::open(directory, options())?;
    println!("open again: {recovery:?}");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let tasks = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let directory = arguments.next().map_or_else(|| PathBuf::from("speed-journal"), PathBuf::from);
    append(&directory, tasks, seconds)?;
    read_back(&directory)
}
