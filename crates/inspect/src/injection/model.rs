//! The trained model: one weight for each feature, and where a sum begins to mean something.
//!
//! The file is made by the benchmark's trainer, to the byte the same from the same corpora. Its layout: the eight
//! bytes `PCINJ004`; what anchors must weigh (`i32`), how many there are (`u32`), and a byte for each; then for each of
//! the two surfaces five `f32` (scale, bias, suspicion, certainty, hint) and [`BUCKETS`] weights of one byte.

use super::anchors::{self, Anchors};
use super::features::{BUCKETS, CONCEPT_VALUE, Family};

/// What the file begins with.
const MAGIC: &[u8; 8] = b"PCINJ004";

/// Where a text is met: instructions mean something else in each place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Surface {
    /// Where data is expected: results, resources, arguments, questions to people.
    Data,
    /// Definitions of tools and prompts, which tell a model when to use them.
    Definition,
}

/// The weights of one surface.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Of each feature, in steps of `scale`.
    pub weights: Vec<i8>,
    /// What one step of a weight is.
    pub scale: f32,
    /// What a text without features scores.
    pub bias: f32,
    /// From which score on a text is suspicious.
    pub suspicion: f32,
    /// From which score on there is hardly a doubt.
    pub certainty: f32,
    /// From which score on it says something beside other evidence, and nothing alone.
    pub hint: f32,
}

/// What is added to the square of a window, so that a few features alone do not say much.
pub const SQUARE_LEAST: f32 = 60.0;

/// What features add up to. That of several sentences is the sum of theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    weight: i32,
    square: i32,
}

impl Sum {
    /// That of features of one family: what they weigh together, and how many of them weigh anything.
    pub(super) fn of(weight: i32, known: i32, family: Family) -> Self {
        let value = value(family);
        Self { weight: weight * value, square: known * value * value }
    }

    /// That of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { weight: self.weight + other.weight, square: self.square + other.square }
    }
}

impl Linear {
    /// Adds a feature.
    #[inline]
    pub fn add(&self, sum: &mut Sum, bucket: u32, family: Family) {
        let weight = i32::from(self.weight(bucket));
        // What nothing is known of speaks neither for nor against.
        *sum = sum.and(Sum::of(weight, i32::from(weight != 0), family));
    }

    /// The weight of a feature.
    #[inline]
    pub(super) fn weight(&self, bucket: u32) -> i8 {
        usize::try_from(bucket).ok().and_then(|bucket| self.weights.get(bucket)).copied().unwrap_or_default()
    }

    /// The score of what was added up.
    pub fn score(&self, sum: Sum) -> f32 {
        sum.weight as f32 * self.scale / (sum.square as f32 + SQUARE_LEAST).sqrt() + self.bias
    }
}

/// How much a feature of a family counts.
pub fn value(family: Family) -> i32 {
    match family {
        Family::Words | Family::Kin => 1,
        Family::Concepts => CONCEPT_VALUE,
    }
}

/// What was learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Where to look.
    pub anchors: Anchors,
    /// For data.
    pub data: Linear,
    /// For definitions.
    pub definitions: Linear,
}

impl Model {
    /// The weights for a surface.
    pub fn of(&self, surface: Surface) -> &Linear {
        match surface {
            Surface::Data => &self.data,
            Surface::Definition => &self.definitions,
        }
    }

    /// Reads a model's file; nothing if it is not one.
    pub fn read(file: &[u8]) -> Option<Self> {
        let mut rest = file.strip_prefix(MAGIC)?;
        let least = i32::from_le_bytes(array(&mut rest)?);
        let count = usize::try_from(u32::from_le_bytes(array(&mut rest)?)).ok()?;
        let weights = bytes(&mut rest, count)?;
        let data = linear(&mut rest)?;
        let definitions = linear(&mut rest)?;
        let is_ours = count == anchors::words().count() && rest.is_empty();
        is_ours.then_some(Self { anchors: Anchors { weights, least }, data, definitions })
    }

    /// Writes the model's file.
    pub fn write(&self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        file.extend(self.anchors.least.to_le_bytes());
        file.extend(u32::try_from(self.anchors.weights.len()).unwrap_or(u32::MAX).to_le_bytes());
        file.extend(self.anchors.weights.iter().flat_map(|weight| weight.to_le_bytes()));
        for linear in [&self.data, &self.definitions] {
            for number in [linear.scale, linear.bias, linear.suspicion, linear.certainty, linear.hint] {
                file.extend(number.to_le_bytes());
            }
            file.extend(linear.weights.iter().flat_map(|weight| weight.to_le_bytes()));
        }
        file
    }
}

fn linear(rest: &mut &[u8]) -> Option<Linear> {
    let mut number = || {
        let number = f32::from_le_bytes(array(rest)?);
        number.is_finite().then_some(number)
    };
    let (scale, bias, suspicion, certainty, hint) = (number()?, number()?, number()?, number()?, number()?);
    let weights = bytes(rest, BUCKETS)?;
    Some(Linear { weights, scale, bias, suspicion, certainty, hint })
}

fn array(rest: &mut &[u8]) -> Option<[u8; 4]> {
    let (bytes, left) = rest.split_first_chunk::<4>()?;
    *rest = left;
    Some(*bytes)
}

fn bytes(rest: &mut &[u8], count: usize) -> Option<Vec<i8>> {
    let (bytes, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(bytes.iter().map(|byte| i8::from_le_bytes([*byte])).collect())
}
