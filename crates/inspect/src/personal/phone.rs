//! Telephone numbers, by the world's numbering plans.
//!
//! A number that begins with `+` is one if its country has numbers of that length (ITU-T E.164 and the national plans).
//! Without it, North America's three groups are known by their shape, and any other number by the words beside it.

use std::ops::Range;

use super::digits::Digits;
use crate::rules::apply::is_near;
use crate::{Rule, View};

/// Country codes, and how many digits follow them at least and at most.
const PLANS: &[(u32, usize, usize)] = &[
    (1, 10, 10),
    (7, 10, 10),
    (20, 8, 10),
    (27, 9, 9),
    (30, 10, 10),
    (31, 9, 9),
    (32, 8, 9),
    (33, 9, 9),
    (34, 9, 9),
    (36, 8, 9),
    (39, 6, 11),
    (40, 9, 9),
    (41, 9, 9),
    (43, 7, 13),
    (44, 9, 10),
    (45, 8, 8),
    (46, 7, 10),
    (47, 8, 8),
    (48, 9, 9),
    (49, 7, 12),
    (51, 8, 9),
    (52, 10, 10),
    (53, 6, 8),
    (54, 10, 11),
    (55, 10, 11),
    (56, 9, 9),
    (57, 10, 10),
    (58, 10, 10),
    (60, 8, 10),
    (61, 9, 9),
    (62, 8, 12),
    (63, 8, 10),
    (64, 8, 10),
    (65, 8, 8),
    (66, 8, 9),
    (81, 9, 10),
    (82, 8, 10),
    (84, 9, 10),
    (86, 9, 11),
    (90, 10, 10),
    (91, 10, 10),
    (92, 9, 10),
    (93, 9, 9),
    (94, 9, 9),
    (95, 7, 10),
    (98, 10, 10),
    (212, 9, 9),
    (213, 8, 9),
    (216, 8, 8),
    (218, 8, 9),
    (220, 7, 7),
    (221, 9, 9),
    (225, 10, 10),
    (233, 9, 9),
    (234, 8, 10),
    (237, 8, 9),
    (250, 9, 9),
    (251, 9, 9),
    (254, 9, 9),
    (255, 9, 9),
    (256, 9, 9),
    (258, 8, 9),
    (260, 9, 9),
    (263, 9, 9),
    (264, 8, 9),
    (297, 7, 7),
    (298, 6, 6),
    (299, 6, 6),
    (350, 8, 8),
    (351, 9, 9),
    (352, 6, 9),
    (353, 7, 9),
    (354, 7, 9),
    (355, 8, 9),
    (356, 8, 8),
    (357, 8, 8),
    (358, 6, 11),
    (359, 8, 9),
    (370, 8, 8),
    (371, 8, 8),
    (372, 7, 8),
    (373, 8, 8),
    (374, 8, 8),
    (375, 9, 9),
    (376, 6, 6),
    (377, 8, 9),
    (378, 8, 10),
    (380, 9, 9),
    (381, 8, 9),
    (382, 8, 8),
    (383, 8, 8),
    (385, 8, 9),
    (386, 8, 8),
    (387, 8, 8),
    (389, 8, 8),
    (420, 9, 9),
    (421, 9, 9),
    (423, 7, 7),
    (501, 7, 7),
    (502, 8, 8),
    (503, 8, 8),
    (504, 8, 8),
    (505, 8, 8),
    (506, 8, 8),
    (507, 7, 8),
    (509, 8, 8),
    (591, 8, 8),
    (592, 7, 7),
    (593, 8, 9),
    (595, 9, 9),
    (597, 6, 7),
    (598, 8, 8),
    (673, 7, 7),
    (679, 7, 7),
    (852, 8, 8),
    (853, 8, 8),
    (855, 8, 9),
    (856, 8, 10),
    (880, 8, 10),
    (886, 8, 9),
    (960, 7, 7),
    (961, 7, 8),
    (962, 8, 9),
    (963, 8, 9),
    (964, 9, 10),
    (965, 8, 8),
    (966, 8, 9),
    (967, 7, 9),
    (968, 8, 8),
    (970, 8, 9),
    (971, 8, 9),
    (972, 8, 9),
    (973, 8, 8),
    (974, 8, 8),
    (975, 7, 8),
    (976, 8, 8),
    (977, 8, 10),
    (992, 9, 9),
    (993, 8, 8),
    (994, 9, 9),
    (995, 9, 9),
    (996, 9, 9),
    (998, 9, 9),
];

/// Digits in a number (E.164 §6.1, and the shortest that a plan has).
const DIGITS: std::ops::RangeInclusive<usize> = 6..=15;
/// Bytes in a number as people write it.
const NUMBER_BYTES_MAX: usize = 32;

/// Every telephone number in the text.
pub(super) fn numbers(view: &View<'_>, digits: &Digits, rules: &[Rule]) -> Vec<Range<usize>> {
    let bytes = view.text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    digits.each(|digit| {
        let run = run(bytes, digit, at);
        at = run.end;
        found.extend(number(view, run, rules));
        at
    });
    found
}

/// The digits around `digit` and what people write between them, with the sign or bracket before.
fn run(bytes: &[u8], digit: usize, from: usize) -> Range<usize> {
    let before = bytes.get(from..digit).unwrap_or_default();
    let signs = before.iter().rev().take(2).take_while(|byte| matches!(byte, b'+' | b'(')).count();
    let rest = bytes.get(digit..).unwrap_or_default();
    let mut length = 0;
    let mut between = 0;
    for (offset, byte) in rest.iter().enumerate().take(NUMBER_BYTES_MAX) {
        match byte {
            b'0'..=b'9' => {
                length = offset + 1;
                between = 0;
            }
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' if between < 2 => between += 1,
            _ => break,
        }
    }
    digit - signs..digit + length
}

fn number(view: &View<'_>, run: Range<usize>, rules: &[Rule]) -> Option<Range<usize>> {
    let bytes = view.text.as_bytes();
    let text = view.text.get(run.clone())?;
    if text.len() < *DIGITS.start() {
        return None;
    }
    let digits: Vec<u32> = crate::check::number::digits(text).collect();
    let stands_alone = {
        let before = run.start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let before_that = run.start.checked_sub(2).and_then(|at| bytes.get(at)).copied();
        let after = bytes.get(run.end).copied();
        let behind = bytes.get(run.end + 1).copied();
        let joined = matches!(before, Some(b'.' | b'-' | b'/' | b':' | b','))
            && before_that.is_some_and(|b| b.is_ascii_alphanumeric());
        let goes_on =
            matches!(after, Some(b':' | b'/' | b',' | b'.' | b'-')) && behind.is_some_and(|b| b.is_ascii_digit());
        let extension = after == Some(b'x') && behind.is_some_and(|b| b.is_ascii_digit());
        !joined
            && !goes_on
            && !before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'=' | b'#' | b'$'))
            && (extension || !after.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'%' | b'@')))
    };
    if !stands_alone || !DIGITS.contains(&digits.len()) || is_date_or_range(text) {
        return None;
    }
    let called_one = || rules.iter().any(|rule| is_near(view, &run, &rule.needs));
    let sure = match text.strip_prefix('+') {
        Some(_) => in_plan(&digits),
        None => is_north_american(text, &digits) || is_international(text, &digits) || called_one(),
    };
    sure.then(|| with_extension(bytes, run))
}

fn with_extension(bytes: &[u8], run: Range<usize>) -> Range<usize> {
    let rest = bytes.get(run.end..).unwrap_or_default();
    let digits = match rest {
        [b'x', digits @ ..] => digits.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    run.start..run.end + if digits > 0 { digits + 1 } else { 0 }
}

/// Whether a country has numbers of this length.
fn in_plan(digits: &[u32]) -> bool {
    (1..=3).any(|length| {
        let code = digits.iter().take(length).fold(0, |code, digit| code * 10 + digit);
        let rest = digits.len().saturating_sub(length);
        // A nought in brackets after the code is not dialled from abroad.
        let trunk = usize::from(digits.get(length) == Some(&0));
        PLANS.iter().any(|(known, least, most)| *known == code && (*least..=*most + trunk).contains(&rest))
    })
}

/// `00` and a country's number, with something between its groups.
fn is_international(text: &str, digits: &[u32]) -> bool {
    text.starts_with("00") && text.contains([' ', '-', '.']) && in_plan(digits.get(2..).unwrap_or_default())
}

/// Three digits, three digits, four digits, and what people write between them; with or without the country's 1.
fn is_north_american(text: &str, digits: &[u32]) -> bool {
    let groups: Vec<usize> =
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|group| !group.is_empty()).map(str::len).collect();
    let grouped = matches!(groups.as_slice(), [3, 3, 4] | [1, 3, 3, 4] | [3, 3, 3, 4]);
    let country = match digits.len() {
        10 => true,
        11 => digits.first() == Some(&1),
        13 => digits.starts_with(&[0, 0, 1]),
        _ => false,
    };
    let separators: Vec<char> = text.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    let same = separators.windows(2).all(|pair| pair.first() == pair.last());
    grouped && country && (same || text.contains('(')) && !text.contains('/')
}

/// Dates and spans of years have as many digits.
fn is_date_or_range(text: &str) -> bool {
    let groups: Vec<&str> =
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let year = |group: &str| group.len() == 4 && (group.starts_with("19") || group.starts_with("20"));
    match groups.as_slice() {
        [first, second, third, ..] if first.len() + second.len() + third.len() == 8 => {
            year(first) && second.len() == 2 && third.len() == 2 || year(third) && first.len() <= 2 && second.len() <= 2
        }
        [first, second] => year(first) && year(second),
        [whole] if whole.len() == 8 => year(whole.get(..4).unwrap_or_default()),
        _ => false,
    }
}
