//! What the tests of this crate share: a clock and randomness that repeat, records to write, and disks that fail.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use model::{AgentKind, Clock, Entropy, Object, Reason, ReceiptId, Revision, Timestamp};

use crate::disk::{Disk, Writable};
use crate::files;
use crate::journal::{Journal, JournalError, Options, Recovery};
use crate::record::{End, Event, Intent, Outcome, Record, Refused, Who};
use crate::verify::{Report, Trusted, verify};

pub(crate) const ORIGIN: &str = "gate.example.com/audit";
pub(crate) const SEGMENT_BYTES: u64 = 1024 * 1024;

/// A clock that goes on a millisecond at each look.
pub(crate) struct TestClock(pub(crate) AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Numbers that never repeat within one process.
pub(crate) struct TestEntropy;

static BITS: AtomicU64 = AtomicU64::new(1);

impl Entropy for TestEntropy {
    fn bits(&self) -> u128 {
        let next = u128::from(BITS.fetch_add(1, Ordering::Relaxed));
        next.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    }
}

pub(crate) fn options() -> Options {
    Options {
        origin: ORIGIN.to_owned(),
        version: "0.1.0".to_owned(),
        flush_delay: Duration::from_millis(5),
        clock: Arc::new(TestClock(AtomicU64::new(1_790_000_000_000))),
        entropy: Arc::new(TestEntropy),
    }
}

pub(crate) fn open(directory: &Path) -> (Journal, Recovery) {
    Journal::open_on(Box::new(crate::disk::RealDisk), SEGMENT_BYTES, directory, options()).unwrap()
}

pub(crate) fn open_error(directory: &Path) -> JournalError {
    match Journal::open(directory, options()) {
        Ok(_) => panic!("the journal opened"),
        Err(error) => error,
    }
}

pub(crate) fn check(directory: &Path) -> Report {
    verify(directory, &Trusted::default(), &mut |_| {}).unwrap()
}

pub(crate) fn who() -> Who {
    Who {
        agent: "assistant".parse().unwrap(),
        kind: AgentKind::Delegated,
        user: Some("alice@example.com".parse().unwrap()),
        through: Vec::new(),
        changed: Vec::new(),
    }
}

pub(crate) fn intent_event() -> Event {
    Event::Intent(Intent {
        who: who(),
        session: None,
        endpoint: "support".parse().unwrap(),
        server: "crm".parse().unwrap(),
        method: "tools/call".to_owned(),
        request: Some("7".to_owned()),
        object: Some(Object::Tool { server: "crm".parse().unwrap(), name: "read_customer".parse().unwrap() }),
        call: None,
        pin: Some(model::Digest::of(b"definition")),
        arguments: None,
        request_bytes: 420,
        findings: None,
        policies: vec!["support-reads".parse().unwrap()],
        revision: Revision(12),
    })
}

pub(crate) fn outcome_event(intent: ReceiptId, end: End) -> Event {
    Event::Outcome(Outcome { intent, end, milliseconds: 3, answer: None, findings: None, detail: None })
}

pub(crate) fn refused_event(detail: &str) -> Event {
    Event::Refused(Refused {
        who: Some(who()),
        endpoint: Some("support".parse().unwrap()),
        method: Some("tools/call".to_owned()),
        request: None,
        object: None,
        control: "decide".to_owned(),
        reason: Reason::PolicyForbids,
        detail: detail.to_owned(),
        findings: None,
        policies: Vec::new(),
        revision: Revision(12),
    })
}

/// Runs a future to its end on a small runtime.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Writes `calls` intents with their outcomes, durable; gives the intents.
pub(crate) fn write_calls(journal: &Journal, calls: usize) -> Vec<Record> {
    let intents: Vec<Record> = (0..calls).map(|_| journal.record(intent_event())).collect();
    for intent in &intents {
        wait(journal.durable(intent)).unwrap();
        journal.queue(&journal.record(outcome_event(intent.id, End::Completed)));
    }
    wait(journal.flush()).unwrap();
    intents
}

/// A disk on which files can grow by so many bytes, and that can also fail to flush.
#[derive(Clone, Default)]
pub(crate) struct SmallDisk {
    pub(crate) room: Arc<AtomicU64>,
    pub(crate) sync_fails: Arc<AtomicBool>,
}

impl Disk for SmallDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        Ok(Box::new(SmallFile { file: files::open_writable(path)?, disk: self.clone() }))
    }
}

struct SmallFile {
    file: File,
    disk: SmallDisk,
}

impl Writable for SmallFile {
    fn put(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let room = self.disk.room.load(Ordering::SeqCst);
        let end = offset + u64::try_from(bytes.len()).unwrap();
        let growth = end.saturating_sub(self.file.metadata()?.len());
        let lacking = usize::try_from(growth.saturating_sub(room)).unwrap();
        self.file.put(&bytes[..bytes.len() - lacking], offset)?;
        self.disk.room.fetch_sub(growth.min(room), Ordering::SeqCst);
        if lacking == 0 { Ok(()) } else { Err(io::Error::from(io::ErrorKind::StorageFull)) }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.disk.sync_fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("input/output error"));
        }
        self.file.sync()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let before = self.file.metadata()?.len();
        self.file.truncate(length)?;
        self.disk.room.fetch_add(before.saturating_sub(length), Ordering::SeqCst);
        Ok(())
    }
}

/// A copy of a journal as it lies there now: what a crash would leave. Records are copied last, because a crash leaves no
/// checkpoint of records that are not there; files that are about to be renamed may be gone again.
pub(crate) fn crash(directory: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort_by_key(|path| path.extension().is_some_and(|extension| extension == "records"));
    for path in paths {
        match std::fs::copy(&path, copy.path().join(path.file_name().unwrap())) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound, "{}", path.display()),
        }
    }
    copy
}

/// A segment's bytes without the zeros it may grow into.
pub(crate) fn written(segment: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(segment).unwrap();
    bytes.truncate(bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1));
    bytes
}

/// The frames of a journal's first segment.
pub(crate) fn frames(directory: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(files::segment_path(directory, 0)).unwrap();
    let mut rest = bytes.as_slice();
    let mut frames = Vec::new();
    while let crate::frame::Frame::Entry { frame, .. } = crate::frame::read(rest) {
        frames.push(frame.to_vec());
        rest = &rest[frame.len()..];
    }
    frames
}

/// Puts other frames into a journal's first segment, without what is derived from them.
pub(crate) fn rewrite(directory: &Path, frames: &[Vec<u8>]) {
    std::fs::write(files::segment_path(directory, 0), frames.concat()).unwrap();
    std::fs::remove_file(directory.join(files::INDEX)).unwrap();
    std::fs::remove_file(directory.join(files::STATE)).unwrap();
}

/// A record in its frame.
pub(crate) fn frame_of(record: &Record) -> Vec<u8> {
    let mut frame = Vec::new();
    crate::frame::seal(&mut frame, |out| record.encode(out)).unwrap();
    frame
}
