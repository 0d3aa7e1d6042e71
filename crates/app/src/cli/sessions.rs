//! Where the command line keeps the sessions of its person: a file for each gate, which nobody else can read, and which is
//! looked at no more once its time is over.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::client::segment;
use super::failure::Failure;

/// Names the directory, instead of the usual one.
const VARIABLE: &str = "PORTCULLIS_SESSIONS";

/// The sessions of whoever runs this.
pub(crate) struct Sessions(PathBuf);

impl Sessions {
    /// `$PORTCULLIS_SESSIONS`, or `portcullis/sessions` where this person keeps such things; `None` for somebody without a
    /// home.
    pub(crate) fn of_this_person() -> Option<Self> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = || set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
        set(VARIABLE).or_else(|| Some(state()?.join("portcullis/sessions"))).map(Self)
    }

    /// The file with the session at this gate, if there is one whose time is not over. What is over is taken away.
    pub(crate) fn at(&self, url: &str, now_seconds: u64) -> Option<PathBuf> {
        let mut found: Option<(u64, PathBuf)> = None;
        for (until, file) in self.files(url) {
            match until > now_seconds {
                true if found.as_ref().is_none_or(|(known, _)| until > *known) => found = Some((until, file)),
                true => {}
                // It opens nothing any more; that it stays is no harm.
                false => drop(std::fs::remove_file(file)),
            }
        }
        found.map(|(_, file)| file)
    }

    /// Keeps a session at this gate, in place of those before.
    pub(crate) fn keep(&self, url: &str, token: &str, until_seconds: u64) -> Result<PathBuf, Failure> {
        let failed = |error: std::io::Error| {
            Failure::of(&error).with_next(format!(
                "the session cannot be kept in `{}`: name another directory by {VARIABLE}",
                self.0.display()
            ))
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed)?;
        self.forget(url);
        let file = self.0.join(format!("{}@{until_seconds}.token", segment(url)));
        identity::write_private(&file, token.as_bytes()).map_err(failed)?;
        Ok(file)
    }

    /// Forgets what is kept of this gate; returns whether there was something.
    pub(crate) fn forget(&self, url: &str) -> bool {
        let mut was_there = false;
        for (_, file) in self.files(url) {
            was_there |= std::fs::remove_file(file).is_ok();
        }
        was_there
    }

    fn files(&self, url: &str) -> Vec<(u64, PathBuf)> {
        let gate = segment(url);
        let until = |file: &Path| {
            let (of, until) = file.file_name()?.to_str()?.strip_suffix(".token")?.rsplit_once('@')?;
            if of == gate { until.parse::<u64>().ok() } else { None }
        };
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter_map(|file| Some((until(&file)?, file))).collect()
    }
}

#[cfg(test)]
mod tests;
