//! The journal's share: what one durable record costs, and how many there can be.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use audit::{Event, Intent, Journal, Options, Who};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use model::{AgentKind, Clock, Entropy, Object, Revision, Timestamp};
use serde::Serialize;

use bench::{payload, process};

/// Tasks that append at once: as many as the benchmark has connections, and as many as a busy gate may have.
pub(crate) const TASKS: [usize; 2] = [64, 1024];
/// How long they append.
const PERIOD: Duration = Duration::from_secs(3);
/// How long a record that nobody waits for may wait: the gate's own value.
const FLUSH_DELAY: Duration = Duration::from_millis(20);

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Appended {
    /// Tasks, each with one record at a time.
    pub(crate) tasks: usize,
    /// Durable records per second.
    pub(crate) records_per_second: f64,
    /// CPU of this process for each, encoding and hashing included.
    pub(crate) cpu_microseconds_per_record: f64,
}

/// An open journal in a folder of its own, emptied first.
pub(crate) fn open(directory: &Path) -> anyhow::Result<Journal> {
    if directory.exists() {
        fs::remove_dir_all(directory).context("remove an earlier journal")?;
    }
    let options = Options {
        origin: "bench/audit".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        flush_delay: FLUSH_DELAY,
        clock: Arc::new(Machine),
        entropy: Arc::new(Randomness(SystemRandom::new())),
    };
    let (journal, _) = Journal::open(directory, options).context("open a journal")?;
    Ok(journal)
}

/// Appends intents from this many tasks, each waiting until its own is durable.
pub(crate) fn append(journal: &Arc<Journal>, tasks: usize) -> anyhow::Result<Appended> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    let intent = intent(journal)?;
    let over = Arc::new(AtomicBool::new(false));
    let appended = Arc::new(AtomicU64::new(0));
    let before = process::usage(std::process::id())?;
    let started = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..tasks)
            .map(|_| {
                let (journal, intent) = (Arc::clone(journal), intent.clone());
                let (over, appended) = (Arc::clone(&over), Arc::clone(&appended));
                tokio::spawn(async move {
                    while !over.load(Ordering::Relaxed) {
                        journal.durable(&journal.record(Event::Intent(intent.clone()))).await?;
                        appended.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok::<_, audit::JournalError>(())
                })
            })
            .collect();
        tokio::time::sleep(PERIOD).await;
        over.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.context("a task stopped")?.context("append a record")?;
        }
        anyhow::Ok(())
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = process::usage(std::process::id())?.cpu.saturating_sub(before.cpu);
    let records = appended.load(Ordering::Relaxed) as f64;
    Ok(Appended {
        tasks,
        records_per_second: records / seconds,
        cpu_microseconds_per_record: cpu.as_secs_f64() * 1e6 / records,
    })
}

/// The intent of one of the benchmark's calls.
fn intent(journal: &Journal) -> anyhow::Result<Intent> {
    let call = payload::call(7, 1024, 1024);
    Ok(Intent {
        who: Who {
            agent: "desk".parse()?,
            kind: AgentKind::Delegated,
            user: Some("ada".parse()?),
            through: Vec::new(),
            changed: Vec::new(),
        },
        session: None,
        call: None,
        endpoint: "desk".parse()?,
        server: "shop".parse()?,
        method: "tools/call".to_owned(),
        request: Some("7".to_owned()),
        object: Some(Object::Tool { server: "shop".parse()?, name: payload::TOOL.parse()? }),
        pin: Some(model::Digest::from_bytes([7; 32])),
        arguments: Some(journal.commitments().salts(journal.receipt_id()).arguments.commit(&call)),
        request_bytes: 1024,
        findings: None,
        policies: vec!["agent-works".parse()?, "user-works".parse()?],
        revision: Revision(1),
    })
}

/// The machine's clock.
struct Machine;

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// The machine's randomness.
struct Randomness(SystemRandom);

impl Entropy for Randomness {
    fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        // Ids of a benchmark's records may repeat; a machine without randomness has other troubles.
        let _ = self.0.fill(&mut bytes);
        u128::from_ne_bytes(bytes)
    }
}
