//! From a place in a reading back to the place in the string it was made of.

use std::ops::Range;

use model::Decoding;

/// How the bytes of one reading follow from those of the text it was made of.
#[derive(Debug)]
pub(crate) enum Map {
    /// All of it stands for this range: what a decoded piece was encoded in.
    Whole(Range<usize>),
    /// Byte for byte, but for places at which something was undone or left out; in the order of the text.
    Pieces(Vec<Turn>),
}

/// From `after` on in the reading, bytes follow those from `before` on in the text it was made of, one for one, until the
/// next turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) after: usize,
    pub(crate) before: usize,
    /// What was undone just before this place. `None` where text begins that is as it was.
    pub(crate) undone: Option<Decoding>,
}

impl Map {
    /// The range of the text that a range of the reading was made of.
    pub(crate) fn back(&self, range: &Range<usize>) -> Range<usize> {
        match self {
            Self::Whole(whole) => whole.clone(),
            Self::Pieces(turns) => {
                let start = origin_of(turns, range.start);
                // The end of a range is the place after its last byte: what follows an undone piece is not in it.
                let last = origin_of(turns, range.end.saturating_sub(1));
                let next = turns.partition_point(|turn| turn.after < range.end);
                let end = turns.get(next).filter(|turn| turn.after == range.end).map(|turn| turn.before);
                start..end.unwrap_or(last + 1).max(start)
            }
        }
    }

    /// What was undone within a range of the reading.
    pub(crate) fn undone(&self, range: &Range<usize>, into: &mut Vec<Decoding>) {
        let Self::Pieces(turns) = self else { return };
        let from = turns.partition_point(|turn| turn.after < range.start);
        let within = turns.iter().skip(from).take_while(|turn| turn.after <= range.end);
        for decoding in within.filter_map(|turn| turn.undone) {
            if !into.contains(&decoding) {
                into.push(decoding);
            }
        }
    }
}

fn origin_of(turns: &[Turn], at: usize) -> usize {
    let after = turns.partition_point(|turn| turn.after <= at);
    match after.checked_sub(1).and_then(|index| turns.get(index)) {
        Some(turn) => turn.before + (at - turn.after),
        None => at,
    }
}

/// A reading that is being written, with its map.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) text: String,
    pub(crate) turns: Vec<Turn>,
}

impl Writer {
    /// Copies text that stands as it is, from `before` on.
    pub(crate) fn keep(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes what stands for `range` of the text before.
    pub(crate) fn put(&mut self, range: &Range<usize>, instead: &str, undone: Decoding) {
        // Two turns: one where the replacement begins, so that its first byte leads to the beginning of the range, and
        // one behind it.
        self.turns.push(Turn { after: self.text.len(), before: range.start, undone: None });
        self.text.push_str(instead);
        self.turns.push(Turn { after: self.text.len(), before: range.end, undone: Some(undone) });
    }
}
