//! A file of somebody else's: read whole, changed in one step, with what it was kept beside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// Bytes of settings that are read: some clients keep whole histories in theirs.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A file as it was found; it need not exist.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where it is in truth: settings may be links into somebody's collection, which stay links.
    path: PathBuf,
    text: Option<String>,
}

/// Why a file was left alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("`{path}` cannot be read")]
    Read {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` is larger than {BYTES_MAX} bytes")]
    TooLarge { path: String },
    #[error("`{path}` was changed by somebody else meanwhile, and was left as it is")]
    Changed { path: String },
    #[error("`{path}` cannot be written")]
    Write {
        path: String,
        #[source]
        source: io::Error,
    },
}

impl Found {
    pub(crate) fn read(path: &Path) -> Result<Self, FileError> {
        let failed = |source| FileError::Read { path: path.display().to_string(), source };
        let path = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Self { path: path.to_owned(), text: None });
            }
            Err(error) => return Err(failed(error)),
        };
        let mut text = String::new();
        // What is no file may never end, or never begin.
        if !fs::metadata(&path).map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is no file")));
        }
        let file = File::open(&path).map_err(failed)?;
        file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
        if u64::try_from(text.len()).is_ok_and(|bytes| bytes > BYTES_MAX) {
            return Err(FileError::TooLarge { path: path.display().to_string() });
        }
        Ok(Self { path, text: Some(text) })
    }

    /// Whether it exists.
    pub(crate) fn exists(&self) -> bool {
        self.text.is_some()
    }

    /// What it says; nothing when it does not exist.
    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is the file at this path.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        self.path == path || fs::canonicalize(path).is_ok_and(|real| real == self.path)
    }

    /// Puts `text` in its place, at once or not at all, and keeps what it was beside it. Gives the copy's path.
    pub(crate) fn write(&self, text: &str, now: Timestamp) -> Result<Option<PathBuf>, FileError> {
        if Self::read(&self.path)?.text != self.text {
            return Err(FileError::Changed { path: self.path.display().to_string() });
        }
        self.replace(text, now).map_err(|source| FileError::Write { path: self.path.display().to_string(), source })
    }

    fn replace(&self, text: &str, now: Timestamp) -> io::Result<Option<PathBuf>> {
        let permissions = fs::metadata(&self.path).map(|metadata| metadata.permissions()).ok();
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let backup = match &self.text {
            None => None,
            Some(before) => {
                let copy = self.beside(&format!("{}.backup", now.strftime("%Y%m%dT%H%M%S%fZ")));
                create(&copy, before, permissions.clone())?;
                Some(copy)
            }
        };
        let new = self.beside(&format!("{}.new", std::process::id()));
        let placed = create(&new, text, permissions).and_then(|()| fs::rename(&new, &self.path));
        if placed.is_err() {
            drop(fs::remove_file(&new));
        }
        placed.map(|()| backup)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(ending);
        self.path.with_file_name(name)
    }
}

/// Creates a file that only its owner can read, unless the one it stands in for was open to others.
fn create(path: &Path, text: &str, permissions: Option<fs::Permissions>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests;
