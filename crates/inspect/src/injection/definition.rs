//! How loudly does a definition speak to a model?
//!
//! For those who grade definitions: a score instead of a finding, with the words that have it. The weights are those by
//! which definitions are inspected on their way to an agent.

use std::ops::Range;
use std::sync::LazyLock;

use super::concepts::Lexicon;
use super::model::{Linear, Model};
use super::tables::Tables;
use super::windows::windows;
use super::{MODEL, Scratch};

/// Weighs definitions.
pub struct Scale {
    lexicon: Lexicon,
    linear: Linear,
    tables: Tables,
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

static SCALE: LazyLock<Option<Scale>> = LazyLock::new(|| Some(Scale::new(Model::read(MODEL)?.definitions)));

/// The words of a definition's text that speak loudest to a model, by the model that ships; none if it has too few.
pub fn loudest(text: &str) -> Option<Loudest> {
    SCALE.as_ref()?.loudest(text)
}

impl Scale {
    /// With other weights: for those who train them.
    pub fn new(linear: Linear) -> Self {
        let tables = Tables::of(&linear);
        Self { lexicon: Lexicon::new(), linear, tables }
    }

    /// The words that speak loudest.
    pub fn loudest(&self, text: &str) -> Option<Loudest> {
        let mut scratch = Scratch::new(&self.lexicon);
        scratch.split(text, &self.lexicon);
        scratch.weigh(&self.linear);
        let weighed = windows(&scratch.sentences).filter_map(|range| {
            let (place, sum) = scratch.window(range, (&self.linear, &self.tables), text.len())?;
            Some((self.linear.score(sum), place))
        });
        let (score, place) = weighed.max_by(|one, other| one.0.total_cmp(&other.0))?;
        let words = scratch.words.get(place)?;
        Some(Loudest {
            score,
            level: self.level(score),
            nearness: self.nearness(score),
            range: words.first()?.start..words.last()?.end,
        })
    }

    fn nearness(&self, score: f32) -> f32 {
        let Linear { suspicion, hint, .. } = self.linear;
        ((score - hint) / (suspicion - hint).max(f32::EPSILON)).clamp(0.0, 1.0)
    }

    fn level(&self, score: f32) -> Level {
        let Linear { certainty, suspicion, hint, .. } = self.linear;
        match score {
            score if score >= certainty => Level::Certain,
            score if score >= suspicion => Level::Suspicious,
            score if score >= hint => Level::Hint,
            _ => Level::Low,
        }
    }
}
