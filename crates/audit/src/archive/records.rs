//! Reads single records out of their segments.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::ReadError;
use crate::files::{self, FileError};
use crate::frame::{self, Frame, HEADER_BYTES};
use crate::index::Entry;
use crate::record::Record;

/// A journal's segments, the one read last kept open.
pub(super) struct Records {
    directory: PathBuf,
    firsts: Vec<u64>,
    open: Option<(PathBuf, u64, File)>,
}

impl Records {
    pub(super) fn open(directory: &Path) -> Result<Self, FileError> {
        Ok(Self { directory: directory.to_path_buf(), firsts: files::segments(directory)?, open: None })
    }

    /// The record that the index has at `index`. Its checksum and its id must be what the index says.
    pub(super) fn read(&mut self, index: u64, entry: &Entry) -> Result<Record, ReadError> {
        let (path, file) = self.segment(index)?;
        let length = usize::try_from(entry.length).unwrap_or_default();
        let mut frame = vec![0; HEADER_BYTES.saturating_add(length)];
        file.read_exact_at(&mut frame, entry.offset).map_err(FileError::on("read", &path))?;
        let damaged = |meaning: String| ReadError::Damaged { index, meaning };
        let Frame::Entry { entry: bytes, .. } = frame::read(&frame) else {
            return Err(damaged("its checksum does not fit".to_owned()));
        };
        let record = Record::decode(bytes).map_err(|error| damaged(format!("it cannot be read: {error}")))?;
        if record.id == entry.id { Ok(record) } else { Err(damaged("the index has another id for it".to_owned())) }
    }

    fn segment(&mut self, index: u64) -> Result<(PathBuf, &File), FileError> {
        let after = self.firsts.partition_point(|&first| first <= index);
        // A segment that began after the listing is not known here; the next question sees it.
        let first = after.checked_sub(1).and_then(|at| self.firsts.get(at)).copied().unwrap_or(0);
        let held = self.open.take().filter(|(_, held, _)| *held == first);
        let held = match held {
            Some(held) => held,
            None => {
                let path = files::segment_path(&self.directory, first);
                let file = File::open(&path).map_err(FileError::on("open", &path))?;
                (path, first, file)
            }
        };
        let (path, _, file) = self.open.insert(held);
        Ok((path.clone(), file))
    }
}
