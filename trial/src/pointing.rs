//! Learns what anchors weigh: words that point at where a text is worth reading.
//!
//! A place that is not read finds nothing, so nearly every injection has to pass; what is left of harmless text is what
//! reading costs.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use anyhow::Context;
use inspect::injection::anchors::{Anchors, Scales, words};

use super::random::Random;
use super::samples::Sample;

/// Times that every text is seen.
const EPOCHS: usize = 12;
/// How far one step goes.
const RATE: f32 = 0.08;
/// How much each weight is drawn back to nothing.
const DECAY: f32 = 0.000_3;
/// How much a harmless place counts next to an injection.
const HARMLESS_WEIGHT: f32 = 0.35;
/// Steps of a byte in one unit of a weight.
const STEPS: f32 = 16.0;
/// How much of harmless results may be read.
const READ_SHARE: f64 = 0.6;
/// More than any place weighs that has to be read.
const LEAST_MAX: i32 = 400;

/// The anchors of a text: which, and where.
type Hits = Vec<(usize, Range<usize>)>;

/// Looks for anchors as the gate does.
pub(crate) struct Finder(AhoCorasick);

impl Finder {
    /// One for all anchors.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let words: Vec<String> = words().map(str::to_ascii_lowercase).collect();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words);
        Ok(Self(automaton.context("the anchors are too many")?))
    }

    /// The anchors of a text.
    pub(crate) fn hits(&self, text: &str) -> Hits {
        self.0.find_overlapping_iter(text).map(|found| (found.pattern().as_usize(), found.range())).collect()
    }
}

/// Weights and threshold for these samples.
pub(crate) fn fit(samples: &[Sample], seed: u64) -> anyhow::Result<Anchors> {
    let finder = Finder::new()?;
    let count = words().count();
    let injected: Vec<Hits> = samples
        .iter()
        .filter_map(|sample| {
            let injected = sample
                .injected
                .clone()
                .filter(|_| !matches!(sample.kind, "bare" | "polite" | "aside" | "many-shot"))?;
            Some(finder.hits(sample.text.get(injected)?))
        })
        .collect();
    // What only looks like an injection is for the model to tell: it is read anyway.
    let is_data = |sample: &&Sample| matches!(sample.kind, "result" | "mail" | "sentence" | "made data");
    let harmless: Vec<Hits> = samples
        .iter()
        .filter(|sample| sample.injected.is_none())
        .filter(is_data)
        .map(|sample| finder.hits(&sample.text))
        .collect();
    let mut scout = Scout { weights: vec![0.3; count], bias: -1.5 };
    let mut random = Random::new(seed);
    let mut order: Vec<(bool, usize)> =
        (0..injected.len()).map(|at| (true, at)).chain((0..harmless.len()).map(|at| (false, at))).collect();
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for (is_injected, at) in &order {
            let hits = if *is_injected { injected.get(*at) } else { harmless.get(*at) };
            scout.learn(hits.map_or(&[], Vec::as_slice), *is_injected);
        }
    }
    let mut anchors = Anchors {
        weights: scout.weights.iter().map(|weight| (weight * STEPS).round().clamp(-127.0, 127.0) as i8).collect(),
        least: i32::MIN,
    };
    let lengths: Vec<(&Hits, usize)> = samples
        .iter()
        .filter(|sample| sample.injected.is_none())
        .filter(is_data)
        .zip(&harmless)
        .filter(|(sample, _)| matches!(sample.kind, "result" | "mail"))
        .map(|(sample, hits)| (hits, sample.text.len()))
        .collect();
    // The lowest threshold by which no more is read than that.
    let (mut low, mut high) = (1, LEAST_MAX);
    while low < high {
        anchors.least = i32::midpoint(low, high);
        if read(&anchors, &lengths) <= READ_SHARE { high = anchors.least } else { low = anchors.least + 1 }
    }
    anchors.least = low;
    // One word alone points at nothing.
    let most = i8::try_from(low - 1).unwrap_or(i8::MAX);
    for weight in &mut anchors.weights {
        *weight = (*weight).min(most);
    }
    Ok(anchors)
}

struct Scout {
    weights: Vec<f32>,
    bias: f32,
}

impl Scout {
    /// Learns from a text: of an injection the place that weighs most, of a harmless text every place by itself.
    fn learn(&mut self, hits: &[(usize, Range<usize>)], injected: bool) {
        if injected {
            if let Some(best) = self.heaviest(hits) {
                self.step(hits.get(best).unwrap_or_default(), 1.0, 1.0);
            }
            return;
        }
        let mut start = 0;
        while start < hits.len() {
            let Some(range) = window(hits, start) else { break };
            let end = range.end;
            self.step(hits.get(range).unwrap_or_default(), -1.0, HARMLESS_WEIGHT);
            start = end;
        }
        if let Some(best) = self.heaviest(hits) {
            self.step(hits.get(best).unwrap_or_default(), -1.0, HARMLESS_WEIGHT);
        }
    }

    fn heaviest(&self, hits: &[(usize, Range<usize>)]) -> Option<Range<usize>> {
        let windows = (0..hits.len()).filter_map(|start| window(hits, start));
        let weighed = windows.map(|range| (self.weight(hits.get(range.clone()).unwrap_or_default()), range));
        weighed.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, range)| range)
    }

    fn weight(&self, hits: &[(usize, Range<usize>)]) -> f32 {
        distinct(hits).into_iter().map(|word| self.weights.get(word).copied().unwrap_or_default()).sum()
    }

    fn step(&mut self, hits: &[(usize, Range<usize>)], side: f32, weight: f32) {
        let words = distinct(hits);
        let score = self.weight(hits) + self.bias;
        let toward = side * score;
        let lack = 1.0 - toward / (1.0 + toward.abs());
        let slope = side * lack * weight * RATE;
        for word in words {
            if let Some(own) = self.weights.get_mut(word) {
                // A word can point at a place, and never away from it: an attacker could add it.
                *own = (*own + slope * 0.5 - DECAY * *own).max(0.0);
            }
        }
        self.bias += slope * 0.1;
    }
}

/// The hits within reach from one on.
fn window(hits: &[(usize, Range<usize>)], start: usize) -> Option<Range<usize>> {
    let (_, first) = hits.get(start)?;
    let end = hits
        .iter()
        .skip(start)
        .position(|(_, place)| place.end > first.start + inspect::injection::anchors::REACH_BYTES);
    Some(start..end.map_or(hits.len(), |offset| start + offset.max(1)))
}

fn distinct(hits: &[(usize, Range<usize>)]) -> Vec<usize> {
    let mut words: Vec<usize> = hits.iter().map(|(word, _)| *word).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The share of the texts, by their anchors and lengths, that is read.
fn read(anchors: &Anchors, texts: &[(&Hits, usize)]) -> f64 {
    let mut scales = Scales::default();
    let (mut read, mut all) = (0, 0);
    for (hits, length) in texts {
        let parts = anchors.parts(hits.iter().cloned(), *length, &mut scales);
        read += parts.iter().map(ExactSizeIterator::len).sum::<usize>();
        all += length;
    }
    read as f64 / (all as f64).max(1.0)
}
