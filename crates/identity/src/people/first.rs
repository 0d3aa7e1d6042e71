//! The code for the first administrator: where no group makes anybody one yet, whoever may read a file of the gate's may be it
//! for one session.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use model::{Digest, Entropy, Timestamp, limits};

use super::{Entrance, locked};
use crate::private::write_private;

/// A code that is good once, for an hour. The file that it was written to is gone once it was used.
pub struct FirstCode {
    digest: Digest,
    file: PathBuf,
    until: Timestamp,
}

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
#[error("the code for the first administrator cannot be written to `{}`", file.display())]
pub struct FirstCodeError {
    file: PathBuf,
    #[source]
    source: std::io::Error,
}

impl FirstCode {
    /// Writes a new code to a file that its owner alone can read. One from before is worth nothing any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(file: &Path, entropy: &dyn Entropy, now: Timestamp) -> Result<Self, FirstCodeError> {
        let code = format!("first-{:032x}", entropy.bits());
        let failed = |source| FirstCodeError { file: file.to_owned(), source };
        write_private(file, code.as_bytes()).map_err(failed)?;
        let until = Timestamp(now.0.saturating_add(limits::FIRST_CODE_MILLISECONDS_MAX));
        Ok(Self { digest: Digest::of(code.as_bytes()), file: file.to_owned(), until })
    }

    /// Takes a code of before away.
    ///
    /// # Errors
    /// When it is there and stays.
    pub fn forget(file: &Path) -> Result<(), FirstCodeError> {
        match std::fs::remove_file(file) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                Err(FirstCodeError { file: file.to_owned(), source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Entrance {
    /// Spends the code, if this is it. Digests are compared, so that time tells nothing of it.
    pub(super) fn spend_first(&self, given: &str) -> bool {
        let mut first = locked(&self.first);
        let is_it = |code: &mut FirstCode| self.now() < code.until && code.digest == Digest::of(given.as_bytes());
        let Some(spent) = first.take_if(is_it) else { return false };
        drop(first);
        if let Err(error) = FirstCode::forget(&spent.file) {
            tracing::warn!(
                error = model::with_causes(&error),
                "a code that was used is still there, and worth nothing"
            );
        }
        true
    }
}
