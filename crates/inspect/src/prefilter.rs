//! Which detectors' words stand in a text: one automaton over all of them.

use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind};

use crate::{Detector, Hit};

/// Places at which a text is read at once.
const LANES: usize = 4;
/// Bytes of a share from which on it is worth it.
const SHARE_BYTES_MIN: usize = 64;

/// The automaton, and whose its words are.
pub(crate) struct Prefilter {
    automaton: DFA,
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
        // Its own prefilter looks for rare bytes, of which so many words have none.
        let automaton = DFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(&patterns)
            .ok()?;
        Some(Self { automaton, owners })
    }

    /// Adds, to each detector's list, where its words stand in the text. A text has at most `u32::MAX` bytes.
    ///
    /// What the next state is hangs on the one before, so that a processor waits for its memory at every byte. So a long text is
    /// read at several places at once.
    pub(crate) fn mark(&self, text: &str, hits: &mut [Vec<Hit>]) {
        let Ok(start) = self.automaton.start_state(Anchored::No) else { return };
        let bytes = text.as_bytes();
        let share = bytes.len() / LANES;
        if share < self.automaton.max_pattern_len().max(SHARE_BYTES_MIN) {
            self.walk(bytes, 0..bytes.len(), start, |state, end| self.matched(state, end, hits));
            return;
        }
        let mut seen: [Vec<(StateID, usize)>; LANES] = Default::default();
        let mut states = [start; LANES];
        let mut rest: &[u8] = bytes;
        let mut shares: [&[u8]; LANES] = [&[]; LANES];
        for (lane, (share_of, state)) in shares.iter_mut().zip(&mut states).enumerate() {
            (*share_of, rest) = rest.split_at_checked(share).unwrap_or((rest, &[]));
            // A word may have begun before the place at which it is read on.
            let before = (lane * share).saturating_sub(self.automaton.max_pattern_len());
            *state = self.walk(bytes, before..lane * share, start, |_, _| ());
        }
        let [one, two, three, four] = shares;
        for (at, (((one, two), three), four)) in one.iter().zip(two).zip(three).zip(four).enumerate() {
            for ((byte, state), seen) in [one, two, three, four].into_iter().zip(&mut states).zip(&mut seen) {
                *state = self.automaton.next_state(Anchored::No, *state, *byte);
                if self.automaton.is_special(*state) {
                    seen.push((*state, at + 1));
                }
            }
        }
        for (lane, seen) in seen.iter().enumerate() {
            seen.iter().for_each(|(state, end)| self.matched(*state, lane * share + end, hits));
        }
        let [.., last] = states;
        self.walk(bytes, LANES * share..bytes.len(), last, |state, end| self.matched(state, end, hits));
    }

    /// Reads a part of a text from a state on, tells where words may end, and gives back the state at its end.
    fn walk(&self, bytes: &[u8], part: Range<usize>, from: StateID, mut tell: impl FnMut(StateID, usize)) -> StateID {
        let read = bytes.get(part.clone()).unwrap_or_default();
        read.iter().zip(part.start + 1..).fold(from, |state, (byte, end)| {
            let next = self.automaton.next_state(Anchored::No, state, *byte);
            if self.automaton.is_special(next) {
                tell(next, end);
            }
            next
        })
    }

    /// Adds the words that end here.
    fn matched(&self, state: StateID, end: usize, hits: &mut [Vec<Hit>]) {
        if !self.automaton.is_match(state) {
            return;
        }
        for index in 0..self.automaton.match_len(state) {
            let pattern = self.automaton.match_pattern(state, index);
            let start = end.saturating_sub(self.automaton.pattern_len(pattern));
            let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else { return };
            for &(detector, keyword) in self.owners.get(pattern.as_usize()).into_iter().flatten() {
                if let Some(hits) = hits.get_mut(detector) {
                    hits.push(Hit { keyword, start, end });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
