//! Reads the blobs of RPM's own database, as SUSE has it (`Packages.db`), which nobody trusts: a page or more of slots, each of
//! which says where a blob is, and the blobs. What is checked is what RPM checks when it reads one (`rpmpkg.c`), so that what
//! is read here is what is read there; and that no two slots lead to the same bytes, so that none is read twice.

use std::collections::BTreeSet;

/// Bytes of the head of the file, of a page of slots, and of what everything is counted in.
const HEAD_BYTES: usize = 32;
const PAGE_BYTES: usize = 4_096;
const BLOCK_BYTES: usize = 16;
/// Bytes before a blob, and behind it.
const BEFORE_BYTES: usize = 16;
const BEHIND_BYTES: usize = 12;

/// Why a database cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    #[error("it is no database of RPM's that is known")]
    Unknown,
    #[error("it is damaged")]
    Damaged,
}

/// Gives each blob.
pub(super) fn blobs<'a>(bytes: &'a [u8], blob: &mut dyn FnMut(&'a [u8])) -> Result<(), Unread> {
    let head = bytes.get(..HEAD_BYTES).filter(|head| head.starts_with(b"RpmP\0\0\0\0")).ok_or(Unread::Unknown)?;
    let pages = number(head, 12).ok_or(Unread::Unknown)?;
    let slots_end = pages.checked_mul(PAGE_BYTES).ok_or(Unread::Damaged)?;
    let slots = bytes.get(HEAD_BYTES..slots_end).ok_or(Unread::Damaged)?;
    if !bytes.len().is_multiple_of(BLOCK_BYTES) {
        return Err(Unread::Damaged);
    }
    let mut names = BTreeSet::new();
    let mut bytes_left = bytes.len() - slots_end;
    for slot in slots.chunks_exact(BLOCK_BYTES) {
        let slot = Slot::read(slot).ok_or(Unread::Damaged)?;
        if slot.from == 0 {
            continue;
        }
        bytes_left = bytes_left.checked_sub(slot.bytes).ok_or(Unread::Damaged)?;
        if slot.from < slots_end || slot.name == 0 || !names.insert(slot.name) {
            return Err(Unread::Damaged);
        }
        blob(slot.blob(bytes).ok_or(Unread::Damaged)?);
    }
    Ok(())
}

/// What says where a blob is.
struct Slot {
    /// The number of the package.
    name: usize,
    from: usize,
    bytes: usize,
}

impl Slot {
    fn read(slot: &[u8]) -> Option<Self> {
        let in_bytes = |at| number(slot, at)?.checked_mul(BLOCK_BYTES);
        let (name, from, bytes) = (number(slot, 4)?, in_bytes(8)?, in_bytes(12)?);
        slot.starts_with(b"Slot").then_some(Self { name, from, bytes })
    }

    /// The blob, whose length stands before it and behind it, and is not made shorter by what fills the last block.
    fn blob<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let all = bytes.get(self.from..self.from.checked_add(self.bytes)?)?;
        let (before, rest) = all.split_at_checked(BEFORE_BYTES)?;
        let length = number(before, 12)?;
        let filled = length.checked_add(BEFORE_BYTES + BEHIND_BYTES)?.checked_next_multiple_of(BLOCK_BYTES)?;
        let behind = all.get(all.len().checked_sub(BEHIND_BYTES)?..)?;
        let is_whole = before.starts_with(b"BlbS")
            && number(before, 4)? == self.name
            && filled == self.bytes
            && number(behind, 4)? == length
            && behind.ends_with(b"BlbE");
        rest.get(..length).filter(|_| is_whole)
    }
}

/// A number of four bytes, the weightiest last.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let number = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
    usize::try_from(number).ok()
}

#[cfg(test)]
pub(super) mod tests;
