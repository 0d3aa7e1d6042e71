//! The journal's directory: what lies in it, and how its small files are written.
//!
//! Everything is for the gate's own account: the directory is 0700, its files are 0600. Small files are written
//! beside their place, flushed, and renamed into it, so that a crash leaves the old or the new one.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Entropy;
use zeroize::Zeroizing;

/// Held by the one journal that writes here.
pub(crate) const LOCK: &str = "lock";
/// The seed of the key that signs checkpoints.
pub(crate) const SIGNING_KEY: &str = "signing.key";
/// The public half, as a C2SP verifier key.
pub(crate) const PUBLIC_KEY: &str = "signing.pub";
/// The key for the salts of commitments.
pub(crate) const COMMITMENTS_KEY: &str = "commitments.key";
/// The latest signed checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// Earlier checkpoints, one after another.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// Where recovery begins.
pub(crate) const STATE: &str = "state";
/// One entry of fixed size for each record.
pub(crate) const INDEX: &str = "index";
/// How a segment's name ends; it begins with its first record's number.
const SEGMENT_EXTENSION: &str = ".records";
/// Digits in a segment's name: the most a 64-bit number has.
const SEGMENT_DIGITS: usize = 20;

/// A file operation that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {doing} `{}`", path.display())]
pub struct FileError {
    /// What was to be done, as a verb.
    pub doing: &'static str,
    /// To which file.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub source: Arc<io::Error>,
}

impl FileError {
    /// Wraps an I/O error, for `map_err`.
    pub(crate) fn on(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self { doing, path, source: Arc::new(source) }
    }

    /// Whether the file is not there.
    pub(crate) fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// Makes the directory, if it is not there.
pub(crate) fn make_directory(path: &Path) -> Result<(), FileError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(FileError::on("create the directory", path))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(FileError::on("flush the directory", path))
}

/// Opens a file for writing, made if it is not there, readable by its owner only.
pub(crate) fn open_writable(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Reads a small file whole.
pub(crate) fn read(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(FileError::on("read", path))
}

/// Reads a small file whole; `None` when it is not there.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>, FileError> {
    match read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a file in place whole.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let beside = path.with_added_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(FileError::on("write", &beside))?;
    file.write_all(contents).and_then(|()| file.sync_data()).map_err(FileError::on("write", &beside))?;
    std::fs::rename(&beside, path).map_err(FileError::on("put in place", path))
}

/// Reads the 32 bytes of a key.
pub(crate) fn read_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, FileError> {
    let mut key = Zeroizing::new([0; 32]);
    let mut file = File::open(path).map_err(FileError::on("open the key", path))?;
    file.read_exact(&mut *key).map_err(FileError::on("read the key", path))?;
    Ok(key)
}

/// Makes a key, once; a key that is there stays.
pub(crate) fn make_key(path: &Path, entropy: &dyn Entropy) -> Result<(), FileError> {
    if path.exists() {
        return Ok(());
    }
    let halves = [entropy.bits().to_be_bytes(), entropy.bits().to_be_bytes()];
    replace(path, &Zeroizing::new(halves.concat()))
}

/// A segment's path, from its first record's number.
pub(crate) fn segment_path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:0SEGMENT_DIGITS$}{SEGMENT_EXTENSION}"))
}

/// The first record's number of every segment, in order.
pub(crate) fn segments(directory: &Path) -> Result<Vec<u64>, FileError> {
    let mut firsts = Vec::new();
    let failed = || FileError::on("list", directory);
    for entry in std::fs::read_dir(directory).map_err(failed())? {
        let name = entry.map_err(failed())?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(SEGMENT_EXTENSION));
        let digits = digits.filter(|digits| digits.len() == SEGMENT_DIGITS);
        firsts.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    firsts.sort_unstable();
    Ok(firsts)
}
