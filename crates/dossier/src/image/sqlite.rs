//! Reads a table of a database that nobody trusts, without SQLite itself: what of its format is needed for that
//! (<https://www.sqlite.org/fileformat2.html>), every number in it checked, and no byte read more than once or twice.

use std::borrow::Cow;

/// What every database begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Bytes of the head of the file, behind which its first page begins.
const HEAD_BYTES: usize = 100;
/// The column of the schema that names a table, and that with its root page (section 2.6).
const NAME: usize = 1;
const ROOT: usize = 3;

/// Why a table cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    #[error("it is no database of SQLite that is known")]
    Unknown,
    #[error("it is damaged")]
    Damaged,
    #[error("it has no table of that name")]
    NoTable,
}

/// A database, as far as it may still be read.
struct Database<'a> {
    bytes: &'a [u8],
    /// Bytes of a page, and those of them that hold something.
    page: usize,
    usable: usize,
    /// Pages that may still be looked at: in a whole database none is looked at twice.
    pages_left: usize,
    /// Bytes of rows that may still be read: in a whole database none overlap.
    bytes_left: usize,
}

/// Gives each row of the table of this name.
pub(super) fn rows(bytes: &[u8], table: &str, row: &mut dyn FnMut(&Row<'_>)) -> Result<(), Unread> {
    let mut root = None;
    Database::open(bytes)?.each(1, &mut |one| {
        if one.bytes(NAME) == Some(table.as_bytes()) {
            root = root.or_else(|| one.number(ROOT));
        }
    })?;
    let root = root.ok_or(Unread::NoTable)?;
    Database::open(bytes)?.each(usize::try_from(root).map_err(|_| Unread::Damaged)?, row)
}

impl<'a> Database<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Unread> {
        let head = bytes.get(..HEAD_BYTES).filter(|head| head.starts_with(MAGIC)).ok_or(Unread::Unknown)?;
        // 1 stands for 65536, which does not fit.
        let page = match number(head, 16..18).ok_or(Unread::Unknown)? {
            1 => 65_536,
            page => page,
        };
        let reserved = number(head, 20..21).ok_or(Unread::Unknown)?;
        let is_utf8 = number(head, 56..60).is_some_and(|encoding| encoding <= 1);
        let usable = page.checked_sub(reserved).filter(|usable| *usable >= 480).ok_or(Unread::Unknown)?;
        if !is_utf8 || !page.is_power_of_two() {
            return Err(Unread::Unknown);
        }
        Ok(Self { bytes, page, usable, pages_left: bytes.len() / page, bytes_left: bytes.len() })
    }

    /// A page by its number, counted from one.
    fn page(&mut self, number: usize) -> Result<&'a [u8], Unread> {
        self.pages_left = self.pages_left.checked_sub(1).ok_or(Unread::Damaged)?;
        let from = number.checked_sub(1).and_then(|before| before.checked_mul(self.page)).ok_or(Unread::Damaged)?;
        let to = from.checked_add(self.page).ok_or(Unread::Damaged)?;
        self.bytes.get(from..to).ok_or(Unread::Damaged)
    }

    /// Gives each row of the table with this root page (section 1.6).
    fn each(mut self, root: usize, row: &mut dyn FnMut(&Row<'_>)) -> Result<(), Unread> {
        let mut open = vec![root];
        while let Some(at) = open.pop() {
            let page = self.page(at)?;
            let head = if at == 1 { HEAD_BYTES } else { 0 };
            let is_leaf = match page.get(head) {
                Some(0x0d) => true,
                Some(0x05) => false,
                _ => return Err(Unread::Damaged),
            };
            let count = number(page, head + 3..head + 5).ok_or(Unread::Damaged)?;
            let cells = head + if is_leaf { 8 } else { 12 };
            let mut below = Vec::new();
            for index in 0..count {
                let at = cells + 2 * index;
                let cell = number(page, at..at + 2).ok_or(Unread::Damaged)?;
                if is_leaf {
                    let payload = self.payload(page, cell)?;
                    row(&Row::read(&payload).ok_or(Unread::Damaged)?);
                } else {
                    below.push(number(page, cell..cell + 4).ok_or(Unread::Damaged)?);
                }
            }
            if !is_leaf {
                below.push(number(page, head + 8..head + 12).ok_or(Unread::Damaged)?);
            }
            open.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// What a cell of a leaf holds, with what of it lies on pages of its own.
    fn payload(&mut self, page: &'a [u8], cell: usize) -> Result<Cow<'a, [u8]>, Unread> {
        let damaged = || Unread::Damaged;
        let (length, at) = varint(page, cell).ok_or_else(damaged)?;
        let length = usize::try_from(length).map_err(|_| Unread::Damaged)?;
        let (_, at) = varint(page, at).ok_or_else(damaged)?;
        self.bytes_left = self.bytes_left.checked_sub(length.max(1)).ok_or_else(damaged)?;
        let most = self.usable - 35;
        let least = (self.usable - 12) * 32 / 255 - 23;
        let here = if length <= most {
            length
        } else {
            let fits = least + (length - least) % (self.usable - 4);
            if fits <= most { fits } else { least }
        };
        let local = page.get(at..at + here).ok_or_else(damaged)?;
        if here == length {
            return Ok(Cow::Borrowed(local));
        }
        let mut all = local.to_vec();
        let mut next = number(page, at + here..at + here + 4).ok_or_else(damaged)?;
        while all.len() < length {
            let page = self.page(next)?;
            let part = page.get(4..self.usable.min(4 + length - all.len())).ok_or_else(damaged)?;
            all.extend_from_slice(part);
            next = number(page, 0..4).ok_or_else(damaged)?;
        }
        Ok(Cow::Owned(all))
    }
}

/// A row of a table (section 2.1).
pub(super) struct Row<'a> {
    /// The kind of each column, and its bytes.
    columns: Vec<(u64, &'a [u8])>,
}

/// Columns of a row that are looked at.
const COLUMNS_MAX: usize = 8;

impl<'a> Row<'a> {
    fn read(payload: &'a [u8]) -> Option<Self> {
        let (head, mut at) = varint(payload, 0)?;
        let head = usize::try_from(head).ok()?;
        let mut from = head;
        let mut columns = Vec::new();
        while at < head && columns.len() < COLUMNS_MAX {
            let (kind, behind) = varint(payload, at)?;
            let length = match kind {
                0 | 8 | 9 => 0,
                1..=4 => kind,
                5 => 6,
                6 | 7 => 8,
                10 | 11 => return None,
                _ => (kind - 12) / 2,
            };
            let to = from.checked_add(usize::try_from(length).ok()?)?;
            columns.push((kind, payload.get(from..to)?));
            (at, from) = (behind, to);
        }
        Some(Self { columns })
    }

    /// The text or the bytes in a column.
    pub(super) fn bytes(&self, column: usize) -> Option<&'a [u8]> {
        self.columns.get(column).filter(|(kind, _)| *kind >= 12).map(|(_, bytes)| *bytes)
    }

    /// The number in a column, if it is not negative.
    fn number(&self, column: usize) -> Option<u64> {
        match self.columns.get(column)? {
            (8, _) => Some(0),
            (9, _) => Some(1),
            (1..=6, bytes) if bytes.first().is_some_and(|first| *first < 0x80) => {
                Some(bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
            }
            _ => None,
        }
    }
}

/// A number of up to four bytes, the weightiest first.
fn number(bytes: &[u8], at: std::ops::Range<usize>) -> Option<usize> {
    Some(bytes.get(at)?.iter().fold(0, |number, byte| (number << 8) | usize::from(*byte)))
}

/// A number of one to nine bytes, of which each but the ninth says whether it goes on; and where it ends.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number: u64 = 0;
    for length in 0..8 {
        let byte = *bytes.get(at.checked_add(length)?)?;
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((number, at + length + 1));
        }
    }
    Some(((number << 8) | u64::from(*bytes.get(at.checked_add(8)?)?), at + 9))
}

#[cfg(test)]
mod tests;
