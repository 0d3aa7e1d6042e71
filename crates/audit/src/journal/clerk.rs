//! The thread that signs checkpoints and keeps the state to recover from, so that its flushes delay no call.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::limits;

use super::queue::Queue;
use crate::disk::{Growing, RealDisk};
use crate::files::{self, FileError};
use crate::note::{NOTE_LINES, Signer};
use crate::state::Standing;

/// Between two checkpoints that are kept.
const KEPT: Duration = Duration::from_millis(limits::CHECKPOINT_KEPT_MILLISECONDS);

/// The hand to the thread.
pub(super) struct Clerk {
    desk: SyncSender<Task>,
    thread: JoinHandle<()>,
}

enum Task {
    Sign(Standing),
    SignLast(Standing),
}

struct Office {
    directory: PathBuf,
    signer: Signer,
    history: Growing,
    kept: Option<Instant>,
}

impl Clerk {
    /// Starts the thread.
    pub(super) fn start(directory: &Path, signer: Signer, queue: Arc<Queue>) -> Result<Self, FileError> {
        let path = directory.join(files::CHECKPOINTS);
        let whole = files::read_if_there(&path)?.map_or(0, |text| whole_notes(&text));
        let history = Growing::open(&RealDisk, path, whole)?;
        let office = Office { directory: directory.to_path_buf(), signer, history, kept: None };
        let (desk, tasks) = sync_channel(1);
        let builder = thread::Builder::new().name("journal-clerk".to_owned());
        let thread = builder
            .spawn(move || office.run(&tasks, &queue))
            .map_err(FileError::on("start the thread for", directory))?;
        Ok(Self { desk, thread })
    }

    /// Hands over where the journal stands, unless the clerk is busy. Says whether it was taken.
    pub(super) fn offer(&self, standing: impl FnOnce() -> Standing) -> bool {
        match self.desk.try_send(Task::Sign(standing())) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    /// Has the last checkpoint signed and kept, and waits until it is.
    pub(super) fn finish(self, standing: Standing) {
        let Self { desk, thread } = self;
        // A clerk that is gone cannot sign; the journal is whole without it.
        desk.send(Task::SignLast(standing)).unwrap_or_default();
        drop(desk);
        thread.join().unwrap_or_default();
    }
}

impl Office {
    fn run(mut self, tasks: &Receiver<Task>, queue: &Queue) {
        for task in tasks {
            let result = match task {
                Task::Sign(standing) => {
                    let keep = self.kept.is_none_or(|kept| kept.elapsed() >= KEPT);
                    self.sign(&standing, keep)
                }
                Task::SignLast(standing) => self.sign(&standing, true),
            };
            queue.note_checkpoint(result);
        }
    }

    fn sign(&mut self, standing: &Standing, keep: bool) -> Result<(), FileError> {
        let index = self.directory.join(files::INDEX);
        File::open(&index).and_then(|index| index.sync_data()).map_err(FileError::on("flush", &index))?;
        let note = self.signer.sign(standing.tree.size(), standing.tree.root());
        // The checkpoint before the state: recovery believes no state that is ahead of what was signed.
        files::replace(&self.directory.join(files::CHECKPOINT), note.as_bytes())?;
        standing.write(&self.directory)?;
        if keep {
            self.history.append_durably(format!("{note}\n").as_bytes())?;
            self.kept = Some(Instant::now());
        }
        Ok(())
    }
}

/// Bytes of the notes in a history that were written whole.
fn whole_notes(text: &str) -> u64 {
    let lines: Vec<&str> = text.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
    let whole = lines.chunks_exact(NOTE_LINES).flatten().map(|line| line.len()).sum::<usize>();
    u64::try_from(whole).unwrap_or_default()
}
