//! Learns the weights of definitions: a linear machine on windows of a few sentences.
//!
//! It is fitted by descent on the dual of squared lacks of a margin (Hsieh and others, 2008), which has no rate to choose.
//! Only additions, multiplications, divisions and square roots, in one order: the same texts make the same weights to
//! the byte.

use std::collections::BTreeMap;

use inspect::injection::concepts::Lexicon;
use inspect::injection::definition::pieces::{PIECES, is_lesser, tell};
use inspect::injection::definition::{SQUARE_LEAST, WORTH_STEPS, Weights};
use inspect::injection::windows::{sentences, windows};
use inspect::injection::words;

use super::random::Random;

/// Windows that a piece must be in to be known.
const WINDOWS_MIN: u32 = 2;
/// How much a lack counts next to the size of the weights.
const COST: f32 = 1.0;
/// Times that every window is seen.
const ROUNDS: usize = 40;

/// A text that teaches.
pub(crate) struct Lesson {
    /// What it says.
    pub(crate) text: String,
    /// Whether it is poisoned.
    pub(crate) poisoned: bool,
    /// How much it counts next to others of its side.
    pub(crate) weight: f32,
}

/// One window: its pieces and how often each stands there.
struct Row {
    pieces: Vec<(u32, f32)>,
    poisoned: bool,
    weight: f32,
}

/// Weights without thresholds.
pub(crate) fn learn(lessons: &[Lesson]) -> Weights {
    let mut rows = rows(lessons);
    let worths = worths(&rows);
    for row in &mut rows {
        worth(row, &worths);
    }
    balance(&mut rows);
    let (weights, bias) = descend(&rows);
    let largest = weights.iter().fold(1e-6_f32, |largest, weight| largest.max(weight.abs()));
    let scale = largest / 127.0;
    let weights = weights.iter().map(|weight| (weight / scale).round() as i8).collect();
    Weights { weights, worths, scale, bias, suspicion: 0.0, certainty: 0.0, hint: 0.0 }
}

/// Every window of every text.
fn rows(lessons: &[Lesson]) -> Vec<Row> {
    let lexicon = Lexicon::new();
    let (mut words, mut ranges) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for Lesson { text, poisoned, weight } in lessons {
        words::split(text, &lexicon, &mut words);
        sentences(&words, &mut ranges);
        for window in windows(&ranges) {
            let mut counts: BTreeMap<u32, f32> = BTreeMap::new();
            for range in ranges.get(window).unwrap_or_default() {
                let own = words.get(range.clone()).unwrap_or_default();
                tell(text, own, &mut |piece| *counts.entry(piece).or_default() += 1.0);
            }
            rows.push(Row { pieces: counts.into_iter().collect(), poisoned: *poisoned, weight: *weight });
        }
    }
    rows
}

/// What each piece is worth: the rarer, the more.
fn worths(rows: &[Row]) -> Vec<u8> {
    let mut counts = vec![0_u32; PIECES];
    for (piece, _) in rows.iter().flat_map(|row| &row.pieces) {
        if let Some(count) = counts.get_mut(*piece as usize) {
            *count += 1;
        }
    }
    let all = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let worth = |(piece, count): (usize, u32)| {
        if count < WINDOWS_MIN {
            return 0;
        }
        // As the logarithm with e as its base goes, but the same on each machine.
        let rarity = (logarithm(all + 1) - logarithm(count + 1)) * std::f32::consts::LN_2 + 1.0;
        let lesser = u32::try_from(piece).is_ok_and(is_lesser);
        let share = if lesser { 0.5 } else { 1.0 };
        (rarity * share * WORTH_STEPS as f32).round().clamp(1.0, 255.0) as u8
    };
    counts.into_iter().enumerate().map(worth).collect()
}

/// The logarithm with 2 as its base, straight between its whole numbers.
fn logarithm(number: u32) -> f32 {
    let whole = number.max(1).ilog2();
    whole as f32 + number as f32 / (1_u32 << whole) as f32 - 1.0
}

/// Puts the worths in, and what is added to the square.
fn worth(row: &mut Row, worths: &[u8]) {
    let mut square = SQUARE_LEAST;
    for (piece, count) in &mut row.pieces {
        let worth = f32::from(worths.get(*piece as usize).copied().unwrap_or_default()) / WORTH_STEPS as f32;
        square += *count * worth * worth;
        *count *= worth;
    }
    row.pieces.retain(|(_, value)| *value > 0.0);
    let length = square.sqrt();
    row.pieces.iter_mut().for_each(|(_, value)| *value /= length);
}

/// Has both sides count the same.
fn balance(rows: &mut [Row]) {
    let sum = |poisoned: bool| rows.iter().filter(|row| row.poisoned == poisoned).count().max(1) as f32;
    let (of_poisoned, of_honest) = (sum(true), sum(false));
    let all = of_poisoned + of_honest;
    for row in rows {
        row.weight *= all / 2.0 / if row.poisoned { of_poisoned } else { of_honest };
    }
}

/// The weights that lack least, and what a text without pieces scores.
fn descend(rows: &[Row]) -> (Vec<f32>, f32) {
    let (mut weights, mut bias) = (vec![0.0_f32; PIECES], 0.0_f32);
    let mut duals = vec![0.0_f32; rows.len()];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = Random::new(11);
    for _ in 0..ROUNDS {
        random.shuffle(&mut order);
        for place in &order {
            let (Some(row), Some(dual)) = (rows.get(*place), duals.get_mut(*place)) else { continue };
            let side = if row.poisoned { 1.0 } else { -1.0 };
            let slack = 0.5 / (COST * row.weight);
            let mut score = bias;
            let mut square = 1.0 + slack;
            for (piece, value) in &row.pieces {
                score += weights.get(*piece as usize).copied().unwrap_or_default() * value;
                square += value * value;
            }
            let gradient = side * score - 1.0 + slack * *dual;
            let next = (*dual - gradient / square).max(0.0);
            let step = (next - *dual) * side;
            *dual = next;
            if step != 0.0 {
                bias += step;
                for (piece, value) in &row.pieces {
                    if let Some(weight) = weights.get_mut(*piece as usize) {
                        *weight += step * value;
                    }
                }
            }
        }
    }
    (weights, bias)
}
