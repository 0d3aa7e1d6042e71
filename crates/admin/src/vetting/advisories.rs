//! The file of advisories that settings name: read when it is needed, and how that went.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use dossier::Component;
use dossier::advisories::{Compared, Excerpt};
use model::{Timestamp, limits};

use crate::view::AdvisoriesView;

/// The file of advisories, as `portcullis advisories import` made it.
#[derive(Clone)]
pub struct Advisories {
    path: PathBuf,
    stale_days: u32,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// What it was, when it could be read last.
    compared: Option<Compared>,
    /// Why it could not be read.
    trouble: Option<String>,
}

/// A file, as its directory tells of it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nobody looked, or there is nothing to look for.
    #[default]
    Nothing,
    /// It is not there.
    Missing,
    /// It is one of this number, length and date.
    There { number: u64, bytes: u64, at: (i64, i64) },
}

impl From<&Metadata> for Seen {
    fn from(file: &Metadata) -> Self {
        Self::There { number: file.ino(), bytes: file.len(), at: (file.mtime(), file.mtime_nsec()) }
    }
}

impl Advisories {
    /// Those of a file. They are old from so many days after their import on.
    pub fn new(path: PathBuf, stale_days: u32) -> Self {
        Self { path, stale_days, known: Arc::default() }
    }

    /// Which file is there now.
    pub(super) fn seen(&self) -> Seen {
        std::fs::metadata(&self.path).map_or(Seen::Missing, |file| Seen::from(&file))
    }

    /// Reads what is said of these components, and whether the file is whole. Blocks.
    pub(super) fn read(&self, components: &[Component], now: Timestamp) -> Option<Excerpt> {
        let read = self.attempt(components);
        let mut known = self.known();
        match read {
            Ok(excerpt) => {
                if known.trouble.take().is_some() {
                    tracing::info!("the advisories can be read again");
                }
                known.compared = Some(excerpt.compared().clone());
                let days = age_days(excerpt.compared(), now);
                if days >= u64::from(self.stale_days) {
                    let path = self.path.display();
                    tracing::warn!(%path, days, "the advisories are old: import those of today");
                }
                Some(excerpt)
            }
            Err(why) => {
                let path = self.path.display();
                tracing::error!(%path, "servers are not compared with advisories: {why}");
                known.trouble = Some(why);
                None
            }
        }
    }

    fn attempt(&self, components: &[Component]) -> Result<Excerpt, String> {
        let unread = |error: std::io::Error| format!("the file cannot be read: {error}");
        let file = File::open(&self.path).map_err(unread)?;
        if file.metadata().map_err(unread)?.len() > limits::ADVISORY_INDEX_BYTES_MAX {
            return Err(format!("the file has more than {} bytes", limits::ADVISORY_INDEX_BYTES_MAX));
        }
        Excerpt::read(file, components).map_err(|error| error.to_string())
    }

    /// How they are.
    pub(super) fn view(&self, now: Timestamp) -> AdvisoriesView {
        let known = self.known();
        let compared = known.compared.as_ref();
        let age = compared.map(|compared| age_days(compared, now));
        AdvisoriesView {
            file: self.path.display().to_string(),
            advisories: compared.map(|compared| compared.advisories),
            imported_at: compared
                .map(|compared| u64::try_from(compared.imported_at).unwrap_or(0).saturating_mul(1_000)),
            stale: age.is_some_and(|days| days >= u64::from(self.stale_days)),
            trouble: known.trouble.clone(),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn age_days(compared: &Compared, now: Timestamp) -> u64 {
    let imported = u64::try_from(compared.imported_at).unwrap_or(0);
    (now.0 / 1_000).saturating_sub(imported) / (24 * 60 * 60)
}
