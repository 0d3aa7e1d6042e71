//! Files that only grow, and that a failed write leaves as they were.
//!
//! A file that is flushed with every append, a segment, grows ahead of what is in it: zeros are written in steps, and
//! appends then replace them. A flush so finds the file's length and its blocks as they were and writes no metadata,
//! which would cost as much as the records. The zeros are written, not only asked for: blocks that a file system has set
//! apart but never written are metadata again when something first stands in them. Zeros at the end of a file mean
//! nothing to a reader, and are cut off when nothing more will follow.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use model::limits::JOURNAL_AHEAD_BYTES;

use crate::files::{self, FileError};

/// What is written ahead, as much as one write takes.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// A file as the journal needs it. Tests hand in disks that are full or broken.
pub(crate) trait Writable: Send {
    /// Writes all of `bytes` from byte `offset` on, or fails having written any part of them.
    fn put(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

impl Writable for File {
    fn put(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// Opens files for the journal.
pub(crate) trait Disk: Send {
    /// Opens a file for writing, made if it is not there.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Writable>>;
}

/// The real one.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        Ok(Box::new(files::open_writable(path)?))
    }
}

/// A growing file with a known good length.
pub(crate) struct Growing {
    file: Box<dyn Writable>,
    path: PathBuf,
    length: u64,
    /// Whether more than zeros may stand beyond `length`, because a write failed half-way.
    ragged: bool,
    /// Bytes of zeros that are written ahead at a time.
    step: u64,
    /// An append that ends beyond this byte writes zeros ahead.
    ahead: u64,
}

impl Growing {
    /// Opens a file and cuts it to `length`.
    pub(crate) fn open(disk: &dyn Disk, path: PathBuf, length: u64) -> Result<Self, FileError> {
        let file = disk.open(&path).map_err(FileError::on("open", &path))?;
        let mut growing = Self { file, path, length, ragged: true, step: 0, ahead: length };
        growing.mend()?;
        Ok(growing)
    }

    /// The same for a file that will grow ahead of its durable appends.
    pub(crate) fn open_ahead(disk: &dyn Disk, path: PathBuf, length: u64) -> Result<Self, FileError> {
        Ok(Self { step: JOURNAL_AHEAD_BYTES, ..Self::open(disk, path, length)? })
    }

    /// Bytes that are good.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends all of `bytes`, or nothing.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let written = self.write(bytes);
        self.settle(written)
    }

    /// Appends all of `bytes` and makes them durable, or nothing.
    pub(crate) fn append_durably(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let durable = self.write(bytes).and_then(|end| {
            self.write_ahead(end);
            // A flush that failed may have dropped the very pages: all of it is cut off and written again.
            self.sync().map(|()| end)
        });
        self.settle(durable)
    }

    /// Makes what was appended durable.
    pub(crate) fn sync(&mut self) -> Result<(), FileError> {
        self.file.sync().map_err(FileError::on("flush", &self.path))
    }

    /// Leaves the file with what is good and nothing else.
    pub(crate) fn trim(&mut self) -> Result<(), FileError> {
        self.ragged |= self.ahead > self.length;
        self.ahead = self.length;
        self.mend()
    }

    /// Writes `bytes` behind what is good; gives where they end.
    fn write(&mut self, bytes: &[u8]) -> Result<u64, FileError> {
        self.mend()?;
        self.ragged = true;
        self.file.put(bytes, self.length).map_err(FileError::on("append to", &self.path))?;
        Ok(self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
    }

    /// Writes zeros from `end` on, if what was written before is used up.
    fn write_ahead(&mut self, end: u64) {
        if self.step == 0 || end <= self.ahead {
            return;
        }
        self.ahead = end.saturating_add(self.step);
        let mut at = end;
        while at < self.ahead {
            let left = usize::try_from(self.ahead - at).unwrap_or(usize::MAX);
            let zeros = ZEROS.get(..left).unwrap_or(&ZEROS);
            if self.file.put(zeros, at).is_err() {
                // What is left of a full disk is for records. The next step's records do without.
                self.file.truncate(end).unwrap_or_default();
                return;
            }
            at += u64::try_from(zeros.len()).unwrap_or_default();
        }
    }

    fn settle(&mut self, end: Result<u64, FileError>) -> Result<(), FileError> {
        match end {
            Ok(end) => {
                self.length = end;
                self.ragged = false;
                Ok(())
            }
            Err(error) => {
                // Zeros may have taken what the disk had left, and not every file system says so at the write.
                self.ahead = self.length.saturating_add(self.step);
                // Give the space back now; when even that fails, the next append begins with it.
                self.mend().unwrap_or_default();
                Err(error)
            }
        }
    }

    fn mend(&mut self) -> Result<(), FileError> {
        if self.ragged {
            self.file.truncate(self.length).map_err(FileError::on("cut", &self.path))?;
            self.ragged = false;
        }
        Ok(())
    }
}
