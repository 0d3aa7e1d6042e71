//! Words that point at where an instruction to a model may stand.
//!
//! Reading sentences is slow next to looking for words. So a text is read only where words stand close together that
//! orders to a model are made of: each has a weight, and what weighs enough within [`REACH_BYTES`] is read. The words
//! stand in `model/anchors.txt`, their weights are learned with the rest of the model.

use std::ops::Range;

/// One word a line.
const WORDS: &str = include_str!("../../model/anchors.txt");
/// Bytes within which words count together.
pub const REACH_BYTES: usize = 192;
/// Bytes before and after them that are read with them.
const AROUND_BYTES: usize = 192;

/// The words, in the order of their numbers.
pub fn words() -> impl Iterator<Item = &'static str> {
    WORDS.lines().filter(|line| !line.starts_with("# ") && !line.is_empty())
}

/// What the words weigh, and what they must weigh together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchors {
    /// By the number of the word. One that weighs nothing is not looked for.
    pub weights: Vec<i8>,
    /// What those within reach of each other must weigh for the place to be read.
    pub least: i32,
}

/// Counts which words are within reach.
#[derive(Debug, Default)]
pub struct Scales {
    counts: Vec<u32>,
    weight: i32,
}

impl Scales {
    fn put(&mut self, word: usize, weights: &[i8]) {
        if self.counts.len() < weights.len() {
            self.counts.resize(weights.len(), 0);
        }
        if let Some(count) = self.counts.get_mut(word) {
            // A word counts once, however often it is said.
            if *count == 0 {
                self.weight += weights.get(word).copied().map_or(0, i32::from);
            }
            *count += 1;
        }
    }

    fn take(&mut self, word: usize, weights: &[i8]) {
        if let Some(count) = self.counts.get_mut(word) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.weight -= weights.get(word).copied().map_or(0, i32::from);
            }
        }
    }
}

impl Anchors {
    /// Weighs the words of a text, in the order of their ends: tells of each the place of the first that is within its
    /// reach among all, its own place, and what those from the first to it weigh together.
    pub fn weigh(
        &self,
        hits: impl Iterator<Item = (usize, Range<usize>)> + Clone,
        scales: &mut Scales,
        mut tell: impl FnMut(Range<usize>, i32),
    ) {
        let mut behind = hits.clone();
        let mut first = behind.next();
        for (word, range) in hits {
            scales.put(word, &self.weights);
            while let Some((left, _)) = first.clone().filter(|(_, place)| place.start + REACH_BYTES < range.end) {
                scales.take(left, &self.weights);
                first = behind.next();
            }
            let start = first.as_ref().map_or(range.start, |(_, place)| place.start);
            tell(start.min(range.start)..range.end, scales.weight);
        }
        while let Some((left, _)) = first {
            scales.take(left, &self.weights);
            first = behind.next();
        }
        scales.weight = 0;
    }

    /// The parts of a text of that many bytes that are read, in their order.
    pub fn parts(
        &self,
        hits: impl Iterator<Item = (usize, Range<usize>)> + Clone,
        bytes: usize,
        scales: &mut Scales,
    ) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        self.weigh(hits, scales, |range, weight| {
            if weight < self.least {
                return;
            }
            let start = range.start.saturating_sub(AROUND_BYTES);
            let end = (range.end + AROUND_BYTES).min(bytes);
            match found.last_mut().filter(|before| before.end >= start) {
                Some(before) => before.end = end,
                None => found.push(start..end),
            }
        });
        found
    }
}
