//! Numbers of a known shape: cards, national ids.
//!
//! A shape is a text in which `d` stands for a digit and `a` for a letter, everything else for itself. All shapes of all
//! rules are looked for at once: groups of letters and digits are read from the left, and after each one it is seen
//! whether what was read so far is a shape.

use std::ops::Range;

use super::digits::Digits;
use crate::rules::apply::is_near;
use crate::{Found, Rule, View};

/// The shapes of all rules.
pub(super) struct Shapes {
    /// By the hash of a shape: the rule, and whether a word has to stand near. In order.
    by_hash: Vec<(u64, usize, bool)>,
    /// By the first bits of a hash: whether any shape has it.
    sieve: Vec<u64>,
    rules: Vec<Rule>,
}

/// Bits of a hash by which most groups are passed over.
const SIEVE_BITS: u32 = 12;

/// Where the sieve has its bit for a hash.
fn sieved(hash: u64) -> (usize, u64) {
    let place = hash >> (u64::BITS - SIEVE_BITS);
    (usize::try_from(place >> 6).unwrap_or_default(), 1 << (place & 63))
}

/// Characters between two groups of one number.
const SEPARATORS: &[u8] = b" -./()";
/// Groups of one number.
const GROUPS_MAX: usize = 8;
/// Bytes of one number.
const NUMBER_BYTES_MAX: usize = 32;

impl Shapes {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let mut by_hash = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let shapes = rule.shapes.iter().map(|shape| (shape, false));
            let shapes = shapes.chain(rule.shapes_in_context.iter().map(|shape| (shape, true)));
            by_hash.extend(shapes.map(|(shape, context)| (shape.bytes().fold(EMPTY, hash), index, context)));
        }
        by_hash.sort_unstable();
        let mut sieve = vec![0; 1 << (SIEVE_BITS - 6)];
        for (at, bit) in by_hash.iter().map(|(hash, ..)| sieved(*hash)) {
            if let Some(bits) = sieve.get_mut(at) {
                *bits |= bit;
            }
        }
        Self { by_hash, sieve, rules }
    }

    /// Finds every number of a shape in the text.
    pub(super) fn look(&self, view: &View<'_>, digits: &Digits, found: &mut Found<'_>) {
        let bytes = view.text.as_bytes();
        let mut at = 0;
        digits.each(|digit| {
            let [with_letters, group] = starts_of(bytes, digit).map(|start| start.max(at));
            let mut longest = |start| if begins_number(bytes, start) { self.longest(view, start, found) } else { None };
            let end = longest(with_letters).or_else(|| if group == with_letters { None } else { longest(group) });
            at = end.unwrap_or_else(|| end_of_group(bytes, digit));
            at
        });
    }

    /// Tells of the longest number that begins here, and says where it ends.
    fn longest(&self, view: &View<'_>, start: usize, found: &mut Found<'_>) -> Option<usize> {
        let bytes = view.text.as_bytes();
        let mut shape = EMPTY;
        let mut at = start;
        let mut best = None;
        for _ in 0..GROUPS_MAX {
            let end = end_of_group(bytes, at);
            if end - start > NUMBER_BYTES_MAX {
                break;
            }
            let group = bytes.get(at..end).unwrap_or_default();
            shape =
                group.iter().fold(shape, |shape, byte| hash(shape, if byte.is_ascii_digit() { b'd' } else { b'a' }));
            if ends_number(bytes, end)
                && let Some(rule) = self.rule(shape, view, &(start..end))
            {
                best = Some((rule, start..end));
            }
            let Some(separator) = bytes.get(end).filter(|byte| SEPARATORS.contains(byte)) else { break };
            shape = hash(shape, *separator);
            at = end + 1;
            if bytes.get(at) == Some(&b' ') && *separator == b')'
                || !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
            {
                break;
            }
        }
        let (rule, range) = best?;
        found.tell(std::slice::from_ref(rule), view, &range);
        Some(range.end)
    }

    /// The rule that takes a number of this shape.
    fn rule(&self, shape: u64, view: &View<'_>, range: &Range<usize>) -> Option<&Rule> {
        let (at, bit) = sieved(shape);
        if self.sieve.get(at).is_none_or(|bits| bits & bit == 0) {
            return None;
        }
        let from = self.by_hash.partition_point(|(hash, ..)| *hash < shape);
        let candidates = self.by_hash.get(from..)?.iter().take_while(|(hash, ..)| *hash == shape);
        let text = view.text.get(range.clone())?;
        // With a word beside it a number is that word's; without one it is the first whose sum is right.
        let fits = |context: bool| {
            candidates.clone().filter_map(|(_, index, needs)| Some((self.rules.get(*index)?, *needs))).find(
                |(rule, needs)| {
                    (context || !needs)
                        && (!context || is_near(view, range, &rule.needs))
                        && rule.national.is_none_or(|plan| plan.passes(text))
                },
            )
        };
        fits(true).or_else(|| fits(false)).map(|(rule, _)| rule)
    }
}

const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// Fowler, Noll and Vo's hash, one byte on.
fn hash(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// Where a number with this digit may begin: with a short group of letters before the digit's own group, and with that.
fn starts_of(bytes: &[u8], at: usize) -> [usize; 2] {
    let group = |at: usize| {
        let before = bytes.get(..at).unwrap_or_default();
        at - before.iter().rev().take(NUMBER_BYTES_MAX).take_while(|byte| byte.is_ascii_alphanumeric()).count()
    };
    let start = group(at);
    let separated = start.checked_sub(1).filter(|before| bytes.get(*before) == Some(&b' '));
    match separated.map(|before| (before, group(before))) {
        Some((before, letters)) if (1..=2).contains(&(before - letters)) && is_upper(bytes, letters..before) => {
            [letters, start]
        }
        Some(_) | None => [start, start],
    }
}

fn is_upper(bytes: &[u8], range: Range<usize>) -> bool {
    bytes.get(range).is_some_and(|letters| letters.iter().all(u8::is_ascii_uppercase))
}

fn end_of_group(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len())
}

/// Whether nothing stands before that the number would be a part of.
fn begins_number(bytes: &[u8], start: usize) -> bool {
    let before = |back: usize| start.checked_sub(back).and_then(|at| bytes.get(at)).copied();
    match before(1) {
        Some(b'_' | b'+' | b'#') => false,
        Some(b'-' | b'.' | b'/' | b',' | b':') => !before(2).is_some_and(|byte| byte.is_ascii_digit()),
        Some(byte) => !byte.is_ascii_alphanumeric(),
        None => true,
    }
}

/// Whether nothing follows that the number would be a part of.
fn ends_number(bytes: &[u8], end: usize) -> bool {
    let after = bytes.get(end + 1);
    match bytes.get(end) {
        Some(b'_' | b'@') => false,
        Some(b'-' | b'.' | b'/' | b',' | b':') => !after.is_some_and(u8::is_ascii_alphanumeric),
        Some(_) | None => true,
    }
}
