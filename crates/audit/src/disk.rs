//! Files that only grow, and that a failed write leaves as they were.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::files::{self, FileError};

/// A file as the journal needs it. Tests hand in disks that are full or broken.
pub(crate) trait Append: Send {
    /// Writes all of `bytes` at the end, or fails having written any part of them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

impl Append for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
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
    /// Opens a file for appending, made if it is not there.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Append>>;
}

/// The real one.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Append>> {
        Ok(Box::new(files::open_append(path)?))
    }
}

/// A growing file with a known good length.
pub(crate) struct Growing {
    file: Box<dyn Append>,
    path: PathBuf,
    length: u64,
    /// Whether the file may be longer than `length`, because a write failed half-way.
    ragged: bool,
}

impl Growing {
    /// Opens a file and cuts it to `length`.
    pub(crate) fn open(disk: &dyn Disk, path: PathBuf, length: u64) -> Result<Self, FileError> {
        let file = disk.open(&path).map_err(FileError::on("open", &path))?;
        let mut growing = Self { file, path, length, ragged: true };
        growing.mend()?;
        Ok(growing)
    }

    /// Bytes that are good.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends all of `bytes`, or nothing.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.mend()?;
        self.ragged = true;
        let written = self.file.append(bytes).map_err(FileError::on("append to", &self.path));
        self.settle(written, bytes.len())
    }

    /// Appends all of `bytes` and makes them durable, or nothing.
    pub(crate) fn append_durably(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.mend()?;
        self.ragged = true;
        let written = self.file.append(bytes).map_err(FileError::on("append to", &self.path));
        // A flush that failed may have dropped the very pages: all of it is cut off and written again.
        let durable = written.and_then(|()| self.file.sync().map_err(FileError::on("flush", &self.path)));
        self.settle(durable, bytes.len())
    }

    /// Makes what was appended durable.
    pub(crate) fn sync(&mut self) -> Result<(), FileError> {
        self.file.sync().map_err(FileError::on("flush", &self.path))
    }

    fn settle(&mut self, result: Result<(), FileError>, bytes: usize) -> Result<(), FileError> {
        match result {
            Ok(()) => {
                self.length += u64::try_from(bytes).unwrap_or_default();
                self.ragged = false;
                Ok(())
            }
            Err(error) => {
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
