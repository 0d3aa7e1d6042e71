//! Which detectors' words stand in a text: one automaton over all of them.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::{Detector, Hit};

/// The automaton, and whose its words are.
pub(crate) struct Prefilter {
    automaton: AhoCorasick,
    /// By pattern: the detectors that look for it, and its index with each.
    owners: Vec<Vec<(usize, u32)>>,
}

impl Prefilter {
    /// An automaton over all detectors' keywords. `None` if they are more than an automaton can hold.
    pub(crate) fn new(detectors: &[Box<dyn Detector>]) -> Option<Self> {
        let mut words: Vec<(String, usize, u32)> = Vec::new();
        for (detector, keywords) in detectors.iter().map(|detector| detector.keywords()).enumerate() {
            for (index, keyword) in keywords.into_iter().enumerate() {
                words.push((keyword.to_ascii_lowercase(), detector, u32::try_from(index).ok()?));
            }
        }
        words.sort();
        let mut patterns: Vec<String> = Vec::new();
        let mut owners: Vec<Vec<(usize, u32)>> = Vec::new();
        for (word, detector, index) in words {
            if patterns.last() != Some(&word) {
                patterns.push(word);
                owners.push(Vec::new());
            }
            owners.last_mut()?.push((detector, index));
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&patterns)
            .ok()?;
        Some(Self { automaton, owners })
    }

    /// Adds, to each detector's list, where its words stand in the text. A text has at most `u32::MAX` bytes.
    pub(crate) fn mark(&self, text: &str, hits: &mut [Vec<Hit>]) {
        for found in self.automaton.find_overlapping_iter(text) {
            let (Ok(start), Ok(end)) = (u32::try_from(found.start()), u32::try_from(found.end())) else { return };
            for &(detector, keyword) in self.owners.get(found.pattern().as_usize()).into_iter().flatten() {
                if let Some(hits) = hits.get_mut(detector) {
                    hits.push(Hit { keyword, start, end });
                }
            }
        }
    }
}
