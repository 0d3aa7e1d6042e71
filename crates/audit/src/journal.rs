//! The journal that the gate writes: records go in from many tasks, and come out durable, many to a flush.
//!
//! [`Journal::durable`] and [`Journal::queue`] frame the record where they are called and put it in the batch that
//! gathers; one thread of its own takes the batch whole, writes and flushes it, and wakes all who wait. While a flush
//! runs the next batch gathers, so the busier the gate, the more records share a flush. See `committer.rs` for
//! that thread and `clerk.rs` for the one that signs checkpoints beside it.

mod clerk;
mod committer;
mod flush;
mod load;
mod queue;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use model::{Clock, Entropy, Reason, ReceiptId, Timestamp, limits};

use crate::archive::Archive;
use crate::batch::Batch;
use crate::commitments::Commitments;
use crate::disk::{Disk, RealDisk};
use crate::files::{self, FileError};
use crate::note::{NoteError, PublicKey, Signer};
use crate::record::{End, Event, Opened, Outcome, Record, RecordError};
use crate::recovery;
use crate::writer::{Indexed, Writer};
pub use flush::Durable;
use queue::Queue;

/// How a journal is opened.
pub struct Options {
    /// The journal's name, in every checkpoint: what it is the journal of, such as `gate.example.com/audit`. It is
    /// chosen once; white space and `+` are not allowed.
    pub origin: String,
    /// The gate's version, for the record that tells of the opening.
    pub version: String,
    /// How long a record that nobody waits for may wait for company. 20 ms is a good value.
    pub flush_delay: Duration,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives ids and, the first time, keys.
    pub entropy: Arc<dyn Entropy>,
}

/// What opening the journal found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Records that were there.
    pub records: u64,
    /// Records that were read to be sure, because they were written after the last state was kept.
    pub replayed: u64,
    /// Bytes of a record that a crash had torn, cut off. No call had been sent on it.
    pub truncated_bytes: u64,
    /// Intents of the last run without an outcome, now closed as unknown.
    pub orphans: u64,
    /// Milliseconds it took.
    pub milliseconds: u64,
}

/// How the journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether records can be written.
    pub condition: Condition,
    /// Records that wait to be written.
    pub pending: u64,
    /// Why the last checkpoint could not be signed and kept, if it could not. Records are written none the less.
    pub checkpoint: Option<String>,
}

/// Whether records can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// They can.
    Writing,
    /// They cannot; calls are refused until they can. It is tried again and again.
    Unwritable {
        /// Since when.
        since: Timestamp,
        /// Why, for the operator.
        why: String,
    },
    /// The journal is closed.
    Closed,
}

/// Why the journal did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// A file operation failed.
    #[error("the journal could not be opened")]
    File(#[from] FileError),
    /// Another process writes this journal.
    #[error("another gate writes the journal in `{}`", directory.display())]
    Locked {
        /// The journal's directory.
        directory: PathBuf,
    },
    /// The name or the key of the journal is not what it was.
    #[error("the journal in `{}` belongs to the key `{found}`; this gate has `{ours}`", directory.display())]
    OtherKey {
        /// The journal's directory.
        directory: PathBuf,
        /// The public key that lies there.
        found: String,
        /// The public key that the settings and the signing key make.
        ours: String,
    },
    /// The journal's name cannot be one.
    #[error("`{origin}` cannot be a journal's name")]
    Origin {
        /// The name.
        origin: String,
        /// Why.
        #[source]
        source: NoteError,
    },
    /// What the journal holds is not what was written. Nothing is changed; `portcullis audit verify` tells more.
    #[error("the journal is damaged in `{file}` at byte {offset}, record {index}: {meaning}")]
    Damaged {
        /// The file's name.
        file: String,
        /// The byte.
        offset: u64,
        /// The record's number.
        index: u64,
        /// What is wrong.
        meaning: String,
    },
    /// The record could not be made durable, and never will be: what it announces must not be done.
    #[error("the journal cannot be written")]
    Unwritable(#[source] FileError),
    /// More records wait than are allowed to.
    #[error("{pending} records wait for the journal already")]
    Overloaded {
        /// How many.
        pending: usize,
    },
    /// The record has no bytes.
    #[error("the record cannot be written")]
    Record(#[source] Arc<RecordError>),
    /// The journal is closed.
    #[error("the journal is closed")]
    Closed,
}

/// The journal. Share it in an `Arc`; the last to drop it closes it.
pub struct Journal {
    queue: Arc<Queue>,
    running: Mutex<Option<Running>>,
    commitments: Commitments,
    public_key: PublicKey,
    archive: Archive,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// What ends when the journal is closed.
struct Running {
    committer: JoinHandle<()>,
    /// Keeps others from writing this journal.
    _lock: File,
}

impl Journal {
    /// Opens the journal in a directory, made if it is not there, and repairs what a crash left: a torn record at the
    /// end is cut off, intents without an outcome are closed as unknown.
    ///
    /// # Errors
    /// When the files cannot be read or written, another process writes the journal, or what it holds is damaged.
    pub fn open(directory: &Path, options: Options) -> Result<(Self, Recovery), JournalError> {
        Self::open_on(Box::new(RealDisk), limits::JOURNAL_SEGMENT_BYTES, directory, options)
    }

    pub(crate) fn open_on(
        disk: Box<dyn Disk>,
        segment_bytes_max: u64,
        directory: &Path,
        options: Options,
    ) -> Result<(Self, Recovery), JournalError> {
        let began = options.clock.now();
        files::make_directory(directory)?;
        let lock = lock(directory)?;
        let signer = signer(directory, &options)?;
        let public_key = signer.public().clone();
        let commitments = Commitments::open(directory)?;
        let (mut writer, found) = recovery::recover(directory, disk, &public_key, segment_bytes_max)?;
        let Options { clock, entropy, flush_delay, version, .. } = options;
        let orphans = u64::try_from(found.orphans.len()).unwrap_or(u64::MAX);
        let opened = Opened { version, records: found.records, truncated_bytes: found.truncated_bytes, orphans };
        let stamp = || (ReceiptId::new(clock.now().0, entropy.bits()), clock.now());
        announce(&mut writer, opened, &found.orphans, stamp)?;
        let queue = Arc::new(Queue::new(Arc::clone(&clock), Arc::clone(&entropy)));
        let clerk = clerk::Clerk::start(directory, signer, Arc::clone(&queue))?;
        let committer = committer::start(writer, Arc::clone(&queue), clerk, flush_delay)
            .map_err(FileError::on("start the thread for", directory))?;
        let recovery = Recovery {
            records: found.records,
            replayed: found.replayed,
            truncated_bytes: found.truncated_bytes,
            orphans,
            milliseconds: clock.now().milliseconds_since(began),
        };
        let archive = Archive::at(directory);
        let running = Mutex::new(Some(Running { committer, _lock: lock }));
        Ok((Self { queue, running, commitments, public_key, archive, clock, entropy }, recovery))
    }

    /// A new receipt's id.
    pub fn receipt_id(&self) -> ReceiptId {
        ReceiptId::new(self.clock.now().0, self.entropy.bits())
    }

    /// A record of something that happens now, with an id of its own.
    pub fn record(&self, event: Event) -> Record {
        let at = self.clock.now();
        Record { id: ReceiptId::new(at.0, self.entropy.bits()), at, event }
    }

    /// Puts a record in the journal, and says when it is durable. It is in the queue when this returns: dropping the
    /// future does not take it back, so an intent that is then not acted on needs its outcome (`NotSent`) like any.
    pub fn durable(&self, record: &Record) -> Durable {
        self.queue.put_awaited(record)
    }

    /// Puts a record in the journal without waiting. It goes out with the next flush, after `flush_delay` at the
    /// latest. An outcome is kept until it can be written; of other records those that find
    /// [`limits::RECORDS_PENDING_MAX`] waiting are only counted, in a record `unrecorded`.
    pub fn queue(&self, record: &Record) {
        self.queue.put(record);
    }

    /// Counts an arrival that was refused before anyone was authenticated. Records of the counts follow at a bounded
    /// rate.
    pub fn stranger(&self, source: &str, reason: Reason) {
        self.queue.stranger(source, reason);
    }

    /// Resolves when all that was put in the journal before is durable and can be found.
    pub fn flush(&self) -> Durable {
        self.queue.flush()
    }

    /// How the journal is.
    pub fn health(&self) -> Health {
        self.queue.health()
    }

    /// The key for commitments.
    pub fn commitments(&self) -> &Commitments {
        &self.commitments
    }

    /// Who signs the checkpoints.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// What is in the journal, to read. Its calls read files: keep them off the threads that serve calls.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Writes what waits, signs a last checkpoint and lets go of the directory. Records put in later are refused.
    /// Blocks for a flush or two; closing twice is no error.
    pub fn close(&self) {
        self.queue.close();
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { committer, _lock }) = running {
            // A thread that panicked has told its waiters already.
            committer.join().unwrap_or_default();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

/// Takes the journal for this process.
fn lock(directory: &Path) -> Result<File, JournalError> {
    let path = directory.join(files::LOCK);
    let file = files::open_writable(&path).map_err(FileError::on("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { directory: directory.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(FileError::on("lock", &path)(source).into()),
    }
}

/// The journal's keys, made the first time. A journal that has records keeps the keys it was begun with.
fn signer(directory: &Path, options: &Options) -> Result<Signer, JournalError> {
    let seed = directory.join(files::SIGNING_KEY);
    if files::segments(directory)?.is_empty() {
        files::make_key(&seed, &*options.entropy)?;
        files::make_key(&directory.join(files::COMMITMENTS_KEY), &*options.entropy)?;
    }
    let signer = Signer::new(&options.origin, &*files::read_key(&seed)?)
        .map_err(|source| JournalError::Origin { origin: options.origin.clone(), source })?;
    let ours = signer.public().to_string();
    let beside = directory.join(files::PUBLIC_KEY);
    match files::read_if_there(&beside)? {
        None => files::replace(&beside, format!("{ours}\n").as_bytes())?,
        Some(found) if found.trim_end() == ours => {}
        Some(found) => {
            let found = found.trim_end().chars().take(400).collect();
            return Err(JournalError::OtherKey { directory: directory.to_path_buf(), found, ours });
        }
    }
    Ok(signer)
}

/// Closes the last run's orphans and records that the gate is there again.
fn announce(
    writer: &mut Writer,
    opened: Opened,
    orphans: &[ReceiptId],
    stamp: impl Fn() -> (ReceiptId, Timestamp),
) -> Result<(), JournalError> {
    let mut batch = Batch::default();
    let why = "the gate stopped before it recorded how this ended";
    let closing = orphans.iter().map(|&intent| {
        let milliseconds = stamp().1.0.saturating_sub(intent.milliseconds());
        let end = End::Unknown(why.to_owned());
        Event::Outcome(Outcome { intent, end, milliseconds, answer: None, findings: None, detail: None })
    });
    for event in closing.chain([Event::Opened(opened)]) {
        let (id, at) = stamp();
        batch.add(&Record { id, at, event }, false).map_err(|source| JournalError::Record(Arc::new(source)))?;
    }
    writer.commit(&batch, Indexed::Now).map_err(JournalError::Unwritable)
}

#[cfg(test)]
mod tests;
