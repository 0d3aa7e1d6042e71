//! Fits models, and where their suspicion begins, without a look at what they are scored on.

use std::collections::BTreeMap;

use inspect::injection::anchors::Anchors;
use inspect::injection::model::{Linear, Model, Surface};

use super::corpora::FOLDS;
use super::pointing;
use super::samples::{Folds, Maker, Sample};
use super::train::{Method, Reader, train};

/// Injected texts made of each wording.
const INJECTED_EACH: usize = 32;
/// Harmless texts made of each wording.
const HARMLESS_EACH: usize = 24;
/// Poisoned definitions made of each wording.
const POISONED_EACH: usize = 16;

/// What is learned of which folds, each once.
pub(crate) struct Lab<'m> {
    maker: &'m Maker,
    /// By the folds that were left out, rising, and the surface.
    fitted: BTreeMap<(Option<u8>, Option<u8>, bool), Linear>,
}

impl<'m> Lab<'m> {
    /// One that learned nothing yet.
    pub(crate) fn new(maker: &'m Maker) -> Self {
        Self { maker, fitted: BTreeMap::new() }
    }

    /// The model for both surfaces. With `left_out`, nothing of that fold is used, neither for weights nor for
    /// thresholds.
    pub(crate) fn fit(&mut self, left_out: Option<u8>) -> anyhow::Result<Model> {
        Ok(Model {
            anchors: self.anchors(left_out)?,
            data: self.surface(Surface::Data, left_out),
            definitions: self.surface(Surface::Definition, left_out),
        })
    }

    /// The same for data alone.
    pub(crate) fn fit_data(&mut self, left_out: Option<u8>) -> anyhow::Result<Model> {
        let data = self.surface(Surface::Data, left_out);
        Ok(Model { anchors: self.anchors(left_out)?, definitions: data.clone(), data })
    }

    fn anchors(&mut self, left_out: Option<u8>) -> anyhow::Result<Anchors> {
        let folds = left_out.map_or(Folds::All, |fold| Folds::Without(fold, None));
        let linear = self.without(Surface::Data, left_out, None);
        pointing::fit(&telling(samples(self.maker, Surface::Data, folds), &linear), 7)
    }

    /// The weights of a surface, and from which score on a text is suspicious: as what is harmless scores by models that
    /// know nothing of its fold.
    fn surface(&mut self, surface: Surface, left_out: Option<u8>) -> Linear {
        let mut reader = Reader::default();
        let mut harmless = Vec::new();
        for inner in (0..FOLDS).filter(|fold| Some(*fold) != left_out) {
            let linear = self.without(surface, Some(inner), left_out);
            for sample in unseen(self.maker, surface, Folds::Only(inner)) {
                harmless.push((sample.kind, reader.score(&sample.text, &linear)));
            }
        }
        let mut linear = self.without(surface, left_out, None);
        linear.suspicion = suspicion(&harmless, surface);
        linear.certainty = certainty(&harmless, linear.suspicion);
        linear.hint = hint(&harmless, surface).min(linear.suspicion);
        linear
    }

    fn without(&mut self, surface: Surface, first: Option<u8>, second: Option<u8>) -> Linear {
        let (first, second) = (first.max(second), first.min(second));
        let maker = self.maker;
        let fit = || {
            let folds = first.map_or(Folds::All, |first| Folds::Without(first, second));
            train(&samples(maker, surface, folds), Method::OURS, 3)
        };
        self.fitted.entry((first, second, surface == Surface::Data)).or_insert_with(fit).clone()
    }
}

/// The samples without those injections that say too little even to who reads them.
fn telling(mut samples: Vec<Sample>, linear: &Linear) -> Vec<Sample> {
    let mut reader = Reader::default();
    samples.retain(|sample| sample.injected.is_none() || reader.injected(sample, linear) > 0.2);
    samples
}

fn samples(maker: &Maker, surface: Surface, folds: Folds) -> Vec<Sample> {
    match surface {
        Surface::Data => {
            let mut samples = maker.injected(folds, INJECTED_EACH, 1);
            samples.extend(maker.harmless(folds, HARMLESS_EACH, 2));
            samples
        }
        Surface::Definition => {
            let mut samples = maker.poisoned(folds, POISONED_EACH, 1);
            samples.extend(maker.trusted(folds, 2));
            samples
        }
    }
}

fn unseen(maker: &Maker, surface: Surface, folds: Folds) -> Vec<Sample> {
    match surface {
        Surface::Data => maker.harmless(folds, HARMLESS_EACH, 5),
        Surface::Definition => maker.trusted(folds, 5),
    }
}

/// Kinds of harmless data, and the share of each that may look suspicious.
const TOLERATED: &[(&[&str], f32)] = &[
    (&["result", "mail"], 0.03),
    (&["result", "mail", "sentence"], 0.008),
    (&["hard", "request"], 0.03),
    (&["definition as data"], 0.075),
    (&["made data"], 0.2),
    (&["made"], 0.35),
];

/// The lowest score that few harmless texts reach that were not trained on.
fn suspicion(harmless: &[(&str, f32)], surface: Surface) -> f32 {
    let of = |kinds: &[&str], share: f32| {
        let scores = harmless.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, score)| *score);
        highest(scores.collect(), share)
    };
    match surface {
        Surface::Data => TOLERATED.iter().map(|(kinds, share)| of(kinds, *share)).fold(f32::MIN, f32::max),
        Surface::Definition => of(&["definition"], 0.006),
    }
}

/// From where on nearly nothing harmless is left.
fn certainty(harmless: &[(&str, f32)], suspicion: f32) -> f32 {
    highest(harmless.iter().map(|(_, score)| *score).collect(), 0.002).max(suspicion)
}

/// From where on it says something beside other evidence.
fn hint(harmless: &[(&str, f32)], surface: Surface) -> f32 {
    let is_own = |kind: &str| surface == Surface::Data || kind == "definition";
    highest(harmless.iter().filter(|(kind, _)| is_own(kind)).map(|(_, score)| *score).collect(), HINT_SHARE)
}

/// The share of what is harmless that may give a hint.
const HINT_SHARE: f32 = 0.06;

/// The score that this share of them exceeds.
fn highest(mut scores: Vec<f32>, share: f32) -> f32 {
    scores.retain(|score| score.is_finite());
    scores.sort_by(|a, b| b.total_cmp(a));
    let index = (scores.len() as f32 * share) as usize;
    scores.get(index).copied().unwrap_or_default()
}
