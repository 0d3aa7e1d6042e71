//! Learns the weights: a linear machine on the sentences that speak loudest in each text.
//!
//! Only additions, multiplications and square roots, in one order: the same corpora make the same model to the byte.

use std::ops::Range;

use inspect::injection::concepts::Lexicon;
use inspect::injection::features::{BUCKETS, Family, Setting, Summary, Teller};
use inspect::injection::model::{Linear, SQUARE_LEAST, Sum, value};
use inspect::injection::windows::{sentences, windows};
use inspect::injection::words;

use super::random::Random;
use super::samples::Sample;

/// How it learns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Method {
    /// Times that every text is seen.
    pub(crate) epochs: usize,
    /// How far one step goes.
    pub(crate) rate: f32,
    /// How much each weight is drawn back to nothing.
    pub(crate) decay: f32,
    /// How often, of a hundred, a text is seen without its words.
    pub(crate) without_words: usize,
    /// Wordings and sources, at least, that a feature is known of.
    pub(crate) groups_min: u16,
    /// How much a harmless text counts next to an injected one.
    pub(crate) harmless_weight: f32,
}

impl Method {
    /// As the model of the crate is trained.
    pub(crate) const OURS: Self =
        Self { epochs: 8, rate: 0.05, decay: 0.00004, without_words: 35, groups_min: 4, harmless_weight: 2.0 };
}

/// How soon the margin of a score flattens out.
const MARGIN: f32 = 3.0;
/// Windows of a harmless text that teach each time it is seen.
const HARMLESS_WINDOWS: usize = 2;

/// A feature and its family, in one number.
#[derive(Clone, Copy)]
struct Feature(u32);

impl Feature {
    const OF_CONCEPTS: u32 = 1 << 31;
    const OF_KIN: u32 = 1 << 30;

    fn new(bucket: u32, family: Family) -> Self {
        match family {
            Family::Words => Self(bucket),
            Family::Concepts => Self(bucket | Self::OF_CONCEPTS),
            Family::Kin => Self(bucket | Self::OF_KIN),
        }
    }

    fn bucket(self) -> usize {
        (self.0 & !(Self::OF_CONCEPTS | Self::OF_KIN)) as usize
    }

    fn family(self) -> Family {
        match (self.0 & Self::OF_CONCEPTS, self.0 & Self::OF_KIN) {
            (0, 0) => Family::Words,
            (0, _) => Family::Kin,
            _ => Family::Concepts,
        }
    }

    fn value(self) -> f32 {
        value(self.family()) as f32
    }
}

/// Sentences that are looked at together, and what is told of them together.
struct Window {
    sentences: Range<usize>,
    company: Range<usize>,
    /// The bytes it stands at.
    place: Range<usize>,
}

/// One text, taken apart.
pub(crate) struct Sheet {
    features: Vec<Feature>,
    /// Ranges of the features.
    sentences: Vec<Range<usize>>,
    windows: Vec<Window>,
}

/// A text that teaches.
struct Bag {
    sheet: Sheet,
    injected: bool,
    group: usize,
    weight: f32,
}

/// Takes texts apart.
pub(crate) struct Reader {
    lexicon: Lexicon,
    teller: Teller,
    words: Vec<words::Word>,
    sentences: Vec<Range<usize>>,
}

impl Default for Reader {
    fn default() -> Self {
        let lexicon = Lexicon::new();
        let teller = Teller::new(&lexicon);
        Self { lexicon, teller, words: Vec::new(), sentences: Vec::new() }
    }
}

impl Reader {
    /// Every sentence and window of a text.
    pub(crate) fn read(&mut self, text: &str) -> Sheet {
        self.read_in(text, text.len())
    }

    /// The same of a part of a text of that many bytes.
    fn read_in(&mut self, text: &str, bytes: usize) -> Sheet {
        words::split(text, &self.lexicon, &mut self.words);
        sentences(&self.words, &mut self.sentences);
        let mut features = Vec::new();
        let mut told: Vec<(Range<usize>, Summary)> = Vec::new();
        for sentence in &self.sentences {
            let start = features.len();
            let words = self.words.get(sentence.clone()).unwrap_or_default();
            let summary = self.teller.sentence(words, |bucket, family| features.push(Feature::new(bucket, family)));
            told.push((start..features.len(), summary));
        }
        let mut found = Vec::new();
        for range in windows(&self.sentences) {
            let of = |sentence: Option<&Range<usize>>| sentence.and_then(|words| self.words.get(words.clone()));
            let (Some(first), Some(last)) = (
                of(self.sentences.get(range.start)).and_then(<[_]>::first),
                of(self.sentences.get(range.end - 1)).and_then(<[_]>::last),
            ) else {
                continue;
            };
            let own = told.get(range.clone()).unwrap_or_default();
            let summary = own.iter().fold(Summary::default(), |all, (_, summary)| all.and(*summary));
            let start = features.len();
            let setting = Setting::of(last.end - first.start, bytes);
            self.teller.company(&summary, setting, |bucket, family| features.push(Feature::new(bucket, family)));
            found.push(Window { sentences: range, company: start..features.len(), place: first.start..last.end });
        }
        Sheet { features, sentences: told.into_iter().map(|(range, _)| range).collect(), windows: found }
    }

    /// The highest score of a text's windows.
    pub(crate) fn score(&mut self, text: &str, linear: &Linear) -> f32 {
        Self::highest(&self.read(text), linear)
    }

    /// The same of one part of it.
    pub(crate) fn score_part(&mut self, text: &str, part: Range<usize>, linear: &Linear) -> f32 {
        let (mut start, mut end) = (part.start, part.end.min(text.len()));
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let Some(inside) = text.get(start..end) else { return f32::NEG_INFINITY };
        let sheet = self.read_in(inside, text.len());
        Self::highest(&sheet, linear)
    }

    /// The highest score of the windows of a sample that mostly stand in its injection.
    pub(crate) fn injected(&mut self, sample: &Sample, linear: &Linear) -> f32 {
        Self::highest(&self.bag(sample).sheet, linear)
    }

    fn highest(sheet: &Sheet, linear: &Linear) -> f32 {
        let sum = |range: &Range<usize>| {
            let features = sheet.features.get(range.clone()).unwrap_or_default();
            features.iter().fold(Sum::default(), |mut sum, feature| {
                linear.add(&mut sum, feature.bucket() as u32, feature.family());
                sum
            })
        };
        let sums: Vec<Sum> = sheet.sentences.iter().map(sum).collect();
        let scores = sheet.windows.iter().map(|window| {
            let own = sums.get(window.sentences.clone()).unwrap_or_default();
            linear.score(own.iter().fold(sum(&window.company), |all, own| all.and(*own)))
        });
        scores.fold(f32::NEG_INFINITY, f32::max)
    }

    /// What a sample teaches by: of an injected text only what mostly stands in the injection.
    fn bag(&mut self, sample: &Sample) -> Bag {
        let mut sheet = self.read(&sample.text);
        if let Some(injected) = &sample.injected {
            sheet.windows.retain(|window| {
                let shared = window.place.end.min(injected.end).saturating_sub(window.place.start.max(injected.start));
                shared * 2 > window.place.len()
            });
        }
        Bag { sheet, injected: sample.injected.is_some(), group: sample.group, weight: weight(sample.kind) }
    }
}

/// Learns from samples of one surface.
pub(crate) fn train(samples: &[Sample], method: Method, seed: u64) -> Linear {
    let mut reader = Reader::default();
    let mut bags: Vec<Bag> =
        samples.iter().filter(|sample| weight(sample.kind) > 0.0).map(|one| reader.bag(one)).collect();
    bags.retain(|bag| !bag.sheet.windows.is_empty());
    let known = known(&bags, method.groups_min);
    let mut machine = Machine {
        weights: vec![0.0; BUCKETS],
        squares: vec![1e-6; BUCKETS],
        known,
        bias: 0.0,
        method,
        sums: Vec::new(),
        averaged: vec![0.0; BUCKETS],
    };
    let mut random = Random::new(seed);
    let mut order: Vec<usize> = (0..bags.len()).collect();
    for epoch in 0..method.epochs {
        random.shuffle(&mut order);
        for index in &order {
            if let Some(bag) = bags.get(*index) {
                machine.learn(bag, epoch, random.happens(method.without_words));
            }
        }
        if epoch * 2 >= method.epochs {
            for (sum, weight) in machine.averaged.iter_mut().zip(&machine.weights) {
                *sum += weight;
            }
        }
    }
    machine.linear()
}

/// How much an injected text counts: an order alone is often somebody's to a person.
fn weight(kind: &str) -> f32 {
    match kind {
        "bare" | "polite" => 0.3,
        "sequence" => 0.7,
        "aside" => 0.2,
        _ => 1.0,
    }
}

/// Which features enough wordings and sources have.
fn known(bags: &[Bag], groups_min: u16) -> Vec<bool> {
    let mut counts: Vec<(usize, u16)> = vec![(usize::MAX, 0); BUCKETS];
    let mut order: Vec<usize> = (0..bags.len()).collect();
    order.sort_by_key(|index| bags.get(*index).map(|bag| bag.group));
    for bag in order.iter().filter_map(|index| bags.get(*index)) {
        let told = bag.sheet.windows.iter().flat_map(|window| {
            let own = bag.sheet.sentences.get(window.sentences.clone()).unwrap_or_default();
            own.iter().chain(std::iter::once(&window.company))
        });
        for feature in told.flat_map(|range| bag.sheet.features.get(range.clone()).unwrap_or_default()) {
            if let Some((last, count)) = counts.get_mut(feature.bucket())
                && *last != bag.group
            {
                (*last, *count) = (bag.group, count.saturating_add(1));
            }
        }
    }
    counts.into_iter().map(|(_, count)| count >= groups_min).collect()
}

struct Machine {
    weights: Vec<f32>,
    squares: Vec<f32>,
    known: Vec<bool>,
    bias: f32,
    method: Method,
    /// What the sentences of a text add up to.
    sums: Vec<(f32, f32)>,
    /// The sum of the weights after each of the later epochs.
    averaged: Vec<f32>,
}

impl Machine {
    fn learn(&mut self, bag: &Bag, epoch: usize, without_words: bool) {
        let sheet = &bag.sheet;
        self.sums.clear();
        for sentence in &sheet.sentences {
            let sum = self.sum(sheet, sentence, without_words);
            self.sums.push(sum);
        }
        let mut scores: Vec<(f32, &Window)> = Vec::with_capacity(sheet.windows.len());
        for window in &sheet.windows {
            let own = self.sums.get(window.sentences.clone()).unwrap_or_default();
            let start = self.sum(sheet, &window.company, without_words);
            let (sum, square) = own.iter().fold(start, |all, own| (all.0 + own.0, all.1 + own.1));
            scores.push((sum / (square + SQUARE_LEAST).sqrt() + self.bias, window));
        }
        scores.sort_by(|one, other| other.0.total_cmp(&one.0));
        if bag.injected {
            // At first nothing is known of where an injection shows, so all of it teaches.
            let share = if epoch < 2 { 0.3 * bag.weight } else { 0.0 };
            for (place, (score, window)) in scores.iter().enumerate() {
                let weight = if place == 0 { bag.weight } else { share };
                if weight > 0.0 {
                    self.step(sheet, window, *score, 1.0, weight, without_words);
                }
            }
        } else {
            let mut taken: Vec<&Range<usize>> = Vec::new();
            for (score, window) in &scores {
                if taken.iter().all(|other| other.end <= window.sentences.start || window.sentences.end <= other.start)
                {
                    taken.push(&window.sentences);
                    self.step(sheet, window, *score, -1.0, self.method.harmless_weight, without_words);
                }
                if taken.len() >= HARMLESS_WINDOWS {
                    break;
                }
            }
        }
    }

    fn sum(&self, sheet: &Sheet, range: &Range<usize>, without_words: bool) -> (f32, f32) {
        let features = sheet.features.get(range.clone()).unwrap_or_default();
        let wanted = features.iter().filter(|feature| !(without_words && feature.family() == Family::Words));
        wanted.fold((0.0, 0.0), |(sum, square), feature| {
            let value = feature.value();
            let weight = self.weights.get(feature.bucket()).copied().unwrap_or_default();
            (sum + weight * value, if weight == 0.0 { square } else { square + value * value })
        })
    }

    /// One step down the square of what the score lacks of its margin.
    fn step(&mut self, sheet: &Sheet, window: &Window, score: f32, side: f32, weight: f32, without_words: bool) {
        // The slope of a soft margin: it flattens out, but never ends, so that what is plain stays above what is not.
        let toward = MARGIN * side * score;
        let lack = 1.0 - toward / (1.0 + toward.abs());
        let own = sheet.sentences.get(window.sentences.clone()).unwrap_or_default();
        let ranges = || own.iter().chain(std::iter::once(&window.company));
        let square: f32 = ranges().map(|range| self.sum(sheet, range, without_words).1).sum();
        let slope = -side * lack * weight;
        for feature in ranges().flat_map(|range| sheet.features.get(range.clone()).unwrap_or_default()) {
            let bucket = feature.bucket();
            if (without_words && feature.family() == Family::Words) || !self.known.get(bucket).copied().unwrap_or(false)
            {
                continue;
            }
            let (Some(own), Some(squares)) = (self.weights.get_mut(bucket), self.squares.get_mut(bucket)) else {
                continue;
            };
            let gradient = slope * feature.value() / (square + SQUARE_LEAST).sqrt() + self.method.decay * *own;
            *squares += gradient * gradient;
            *own -= self.method.rate * gradient / squares.sqrt();
            *own *= 1.0 - self.method.decay;
        }
        self.bias -= 0.002 * slope;
    }

    /// The weights in bytes.
    fn linear(&self) -> Linear {
        let rounds = (self.method.epochs - self.method.epochs.div_ceil(2)).max(1) as f32;
        let weights: Vec<f32> = self.averaged.iter().map(|sum| sum / rounds).collect();
        let largest = weights.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs())).max(1e-6);
        let scale = largest / 127.0;
        let weights = weights.iter().map(|weight| (weight / scale).round() as i8).collect();
        Linear { weights, scale, bias: self.bias, suspicion: 0.0, certainty: 0.0, hint: 0.0 }
    }
}
