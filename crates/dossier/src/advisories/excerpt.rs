//! What an index says of some packages: a run over the whole of it, which keeps only that.
//!
//! The run also finds out whether the index is whole. What was kept of one that is not is thrown away.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

use aws_lc_rs::digest::{Context, SHA256};
use model::{Digest, limits};

use super::{Compared, Head, Index, NoIndex};
use crate::components::Component;

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 * 1024;
/// Bytes of a first line.
const HEAD_BYTES_MAX: u64 = 4096;

/// What an index says of some packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    compared: Compared,
    lines: Vec<u8>,
    /// The words of all ecosystems that the whole has something of.
    known: BTreeSet<String>,
}

impl Excerpt {
    /// Reads an index to its end, and keeps what it says of these packages.
    ///
    /// # Errors
    /// When it is no index, or not whole.
    pub fn read<'a>(from: impl Read, of: impl IntoIterator<Item = &'a Component>) -> Result<Self, NoIndex> {
        let unread = |error: std::io::Error| NoIndex::Unread(error.to_string());
        let keys = |one: &'a Component| one.advised().map(|(name, _)| super::key(one.ecosystem, name).into_bytes());
        let wanted: BTreeSet<Vec<u8>> = of.into_iter().flat_map(keys).collect();
        let mut from = BufReader::with_capacity(BUFFER_BYTES, from);
        let mut line = Vec::new();
        (&mut from).take(HEAD_BYTES_MAX).read_until(b'\n', &mut line).map_err(unread)?;
        let head = Head::read(&line)?;
        let (mut digest, mut bytes, mut lines) = (Context::new(&SHA256), 0_u64, Vec::new());
        let (mut known, mut last) = (BTreeSet::new(), Vec::new());
        let most = u64::try_from(limits::ADVISORY_LINE_BYTES_MAX).unwrap_or(u64::MAX);
        loop {
            line.clear();
            let read = (&mut from).take(most).read_until(b'\n', &mut line).map_err(unread)?;
            if read == 0 {
                break;
            }
            digest.update(&line);
            bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            // Nothing is as long that was imported.
            if line.last() != Some(&b'\n') || bytes > head.bytes {
                return Err(NoIndex::Damaged);
            }
            // They are in order: what is about one ecosystem lies together.
            let ecosystem = line.split(|byte| *byte == b'\t').next().unwrap_or_default();
            if ecosystem != last && known.len() < limits::ADVISORY_ECOSYSTEMS_MAX {
                last = ecosystem.to_owned();
                known.insert(String::from_utf8_lossy(ecosystem).into_owned());
            }
            if key_of(&line).is_some_and(|key| wanted.contains(key)) {
                if lines.len().saturating_add(line.len()) > limits::ADVISORY_EXCERPT_BYTES_MAX {
                    return Err(NoIndex::TooMuch);
                }
                lines.extend_from_slice(&line);
            }
        }
        let digest = digest.finish();
        let is_whole = bytes == head.bytes && digest.as_ref() == Digest::as_bytes(&head.digest).as_slice();
        is_whole.then(|| Self { compared: head.compared(), lines, known }).ok_or(NoIndex::Damaged)
    }

    /// It, to be looked up.
    pub fn index(&self) -> Index<'_> {
        Index { compared: self.compared.clone(), lines: &self.lines, known: Some(&self.known) }
    }

    /// What the whole index is.
    pub fn compared(&self) -> &Compared {
        &self.compared
    }
}

/// What a line is about: all before its second tab, and that.
fn key_of(line: &[u8]) -> Option<&[u8]> {
    let mut tabs = line.iter().enumerate().filter_map(|(at, byte)| (*byte == b'\t').then_some(at));
    let second = tabs.nth(1)?;
    line.get(..=second)
}
