//! How loudly does a definition speak to a model?
//!
//! For those who grade definitions: a score instead of a finding, with the words that have it. Definitions have weights of
//! their own (`model/definition.bin`), because their words are few and known before they are served: what is told of them
//! is each word, each two in a row, the letters that words are made of, and what words mean and are used like ([`pieces`]),
//! the rarer the more. A word that was never seen is known by its letters, in any language, or by its kin.

pub mod pieces;

use std::ops::Range;
use std::sync::LazyLock;

use super::concepts::Lexicon;
use super::windows::{sentences, windows};
use super::words::{self, Word};
use pieces::PIECES;

/// The weights of this crate; see `model/README.md`.
const WEIGHTS: &[u8] = include_bytes!("../../model/definition.bin");
/// What the file begins with.
const MAGIC: &[u8; 8] = b"PCDEF001";
/// Steps of a piece's worth in one.
pub const WORTH_STEPS: u32 = 16;
/// What is added to the square of a window's worth, so that a few pieces alone do not say much.
pub const SQUARE_LEAST: f32 = 500.0;

/// What was learned of each piece.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// How much a piece speaks for an order, in steps of `scale`.
    pub weights: Vec<i8>,
    /// How much it is worth: the more, the rarer it is. Nothing is known of what is worth nothing.
    pub worths: Vec<u8>,
    /// What one step of a weight is.
    pub scale: f32,
    /// What a text without pieces scores.
    pub bias: f32,
    /// From which score on a text is suspicious.
    pub suspicion: f32,
    /// From which score on there is hardly a doubt.
    pub certainty: f32,
    /// From which score on it says something beside other evidence, and nothing alone.
    pub hint: f32,
}

/// What pieces add up to. That of several sentences is the sum of theirs.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    weight: i64,
    square: u64,
}

impl Weights {
    fn add(&self, sum: &mut Sum, piece: u32) {
        let Ok(place) = usize::try_from(piece) else { return };
        let (Some(weight), Some(worth)) = (self.weights.get(place), self.worths.get(place)) else { return };
        sum.weight += i64::from(*weight) * i64::from(*worth);
        sum.square += u64::from(*worth) * u64::from(*worth);
    }

    fn score(&self, sum: Sum) -> f32 {
        let steps = WORTH_STEPS as f32;
        let square = sum.square as f32 / (steps * steps) + SQUARE_LEAST;
        sum.weight as f32 * self.scale / steps / square.sqrt() + self.bias
    }

    /// Reads a file of weights; nothing if it is not one.
    pub fn read(file: &[u8]) -> Option<Self> {
        let mut rest = file.strip_prefix(MAGIC)?;
        let mut number = || {
            let (bytes, left) = rest.split_first_chunk::<4>()?;
            rest = left;
            let number = f32::from_le_bytes(*bytes);
            number.is_finite().then_some(number)
        };
        let (scale, bias, suspicion, certainty, hint) = (number()?, number()?, number()?, number()?, number()?);
        let (weights, worths) = rest.split_at_checked(PIECES)?;
        let weights = weights.iter().map(|byte| i8::from_le_bytes([*byte])).collect();
        let is_ours = worths.len() == PIECES;
        is_ours.then(|| Self { weights, worths: worths.to_vec(), scale, bias, suspicion, certainty, hint })
    }

    /// The file of these weights.
    pub fn write(&self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        for number in [self.scale, self.bias, self.suspicion, self.certainty, self.hint] {
            file.extend(number.to_le_bytes());
        }
        file.extend(self.weights.iter().flat_map(|weight| weight.to_le_bytes()));
        file.extend(&self.worths);
        file
    }
}

/// Weighs definitions.
pub struct Scale {
    lexicon: Lexicon,
    weights: Weights,
}

/// The words of a text that speak loudest to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Loudest {
    /// How loudly: 0 is between what describes and what instructs.
    pub score: f32,
    /// What that means.
    pub level: Level,
    /// How near a hint is to being suspicious: from 0 to 1.
    pub nearness: f32,
    /// Where they stand, in bytes.
    pub range: Range<usize>,
}

/// How loud is loud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As most honest definitions are.
    Low,
    /// As few of them are: it says something beside other evidence.
    Hint,
    /// As hardly any of them is.
    Suspicious,
    /// As nearly none of them is.
    Certain,
}

static SCALE: LazyLock<Option<Scale>> = LazyLock::new(|| Some(Scale::new(Weights::read(WEIGHTS)?)));

impl Scale {
    /// That of the weights that ship.
    pub fn shipped() -> Option<&'static Self> {
        SCALE.as_ref()
    }

    /// With other weights: for those who train them.
    pub fn new(weights: Weights) -> Self {
        Self { lexicon: Lexicon::new(), weights }
    }

    /// The words of a definition's text that speak loudest to a model; none if it has too few.
    pub fn loudest(&self, text: &str) -> Option<Loudest> {
        let mut words = Vec::new();
        let mut ranges = Vec::new();
        words::split(text, &self.lexicon, &mut words);
        sentences(&words, &mut ranges);
        let sums: Vec<Sum> = ranges.iter().map(|range| self.sum(text, of(&words, range))).collect();
        let scores = windows(&ranges).filter_map(|window| {
            let own = sums.get(window.clone())?;
            let sum = own.iter().fold(Sum::default(), |all, own| Sum {
                weight: all.weight + own.weight,
                square: all.square + own.square,
            });
            Some((self.weights.score(sum), window))
        });
        let (score, window) = scores.max_by(|one, other| one.0.total_cmp(&other.0))?;
        let place = ranges.get(window.start)?.start..ranges.get(window.end.checked_sub(1)?)?.end;
        let words = of(&words, &place);
        Some(Loudest {
            score,
            level: self.level(score),
            nearness: self.nearness(score),
            range: words.first()?.start..words.last()?.end,
        })
    }

    fn sum(&self, text: &str, words: &[Word]) -> Sum {
        let mut sum = Sum::default();
        pieces::tell(text, words, &mut |piece| self.weights.add(&mut sum, piece));
        sum
    }

    fn nearness(&self, score: f32) -> f32 {
        let Weights { suspicion, hint, .. } = self.weights;
        ((score - hint) / (suspicion - hint).max(f32::EPSILON)).clamp(0.0, 1.0)
    }

    fn level(&self, score: f32) -> Level {
        let Weights { certainty, suspicion, hint, .. } = self.weights;
        match score {
            score if score >= certainty => Level::Certain,
            score if score >= suspicion => Level::Suspicious,
            score if score >= hint => Level::Hint,
            _ => Level::Low,
        }
    }
}

fn of<'words>(words: &'words [Word], range: &Range<usize>) -> &'words [Word] {
    words.get(range.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
