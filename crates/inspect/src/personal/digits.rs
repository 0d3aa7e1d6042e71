//! Where digits stand in a text: looked for once, for all that is made of them.

use std::ops::Range;

use crate::View;
use crate::bytes::next;

/// Rows of digits, in order.
pub(super) struct Digits(Vec<Range<usize>>);

impl Digits {
    /// Those of a view near which something is new.
    pub(super) fn of(view: &View<'_>) -> Self {
        let bytes = view.text.as_bytes();
        let mut rows = Vec::new();
        let mut at = 0;
        while let Some(start) = next(bytes, at, |byte| byte.is_ascii_digit()) {
            let rest = bytes.get(start..).unwrap_or_default();
            let end = rest.iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |length| start + length);
            if view.is_new(&(start..end)) {
                rows.push(start..end);
            }
            at = end;
        }
        Self(rows)
    }

    /// Each row.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Range<usize>> {
        self.0.iter()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls `take` with the first digit, and again with the first one from where it says that it ended.
    pub(super) fn each(&self, mut take: impl FnMut(usize) -> usize) {
        let mut from = 0;
        for row in self.rows() {
            while from < row.end {
                let digit = from.max(row.start);
                from = take(digit).max(digit + 1);
            }
        }
    }
}
