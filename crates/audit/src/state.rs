//! Where the journal stood a moment ago, so that opening reads only what came after.
//!
//! The file is a digest on the first line and JSON on the second. It is believed only as far as the signed checkpoint
//! that was written with it confirms: without that, recovery reads the whole journal.

use std::collections::HashSet;
use std::path::Path;

use model::{Digest, ReceiptId};
use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};
use crate::merkle::Frontier;

/// Where the journal stands: enough to go on from here without reading what came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The tree of all records.
    pub(crate) tree: Frontier,
    /// The segment written to, by its first record's number.
    pub(crate) segment: u64,
    /// Bytes in that segment.
    pub(crate) offset: u64,
    /// Intents without an outcome.
    pub(crate) open: HashSet<ReceiptId>,
}

/// The standing's form in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u8,
    size: u64,
    peaks: Vec<Digest>,
    segment: u64,
    offset: u64,
    open: Vec<ReceiptId>,
}

impl Standing {
    /// The beginning of an empty journal.
    pub(crate) fn beginning() -> Self {
        Self { tree: Frontier::default(), segment: 0, offset: 0, open: HashSet::new() }
    }

    /// The standing that was kept; `None` when there is none, or it is not what was written.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, FileError> {
        let text = files::read_if_there(&directory.join(files::STATE))?;
        Ok(text.and_then(|text| Self::parse(&text)))
    }

    fn parse(text: &str) -> Option<Self> {
        let (digest, json) = text.split_once('\n')?;
        if Digest::of(json.as_bytes()).to_string() != digest {
            return None;
        }
        let Form { v: 1, size, peaks, segment, offset, open } = serde_json::from_str(json).ok()? else { return None };
        let tree = Frontier::resume(size, peaks.iter().map(|peak| *peak.as_bytes()).collect())?;
        Some(Self { tree, segment, offset, open: open.into_iter().collect() })
    }

    /// Keeps the standing.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), FileError> {
        let path = directory.join(files::STATE);
        let mut open: Vec<ReceiptId> = self.open.iter().copied().collect();
        open.sort_unstable();
        let form = Form {
            v: 1,
            size: self.tree.size(),
            peaks: self.tree.peaks().iter().map(|peak| Digest::from_bytes(*peak)).collect(),
            segment: self.segment,
            offset: self.offset,
            open,
        };
        let json = serde_json::to_string(&form).map_err(std::io::Error::from).map_err(FileError::on("write", &path))?;
        files::replace(&path, format!("{}\n{json}", Digest::of(json.as_bytes())).as_bytes())
    }
}

#[cfg(test)]
mod tests;
