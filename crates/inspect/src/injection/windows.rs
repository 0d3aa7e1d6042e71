//! The few sentences that are looked at together.

use std::ops::Range;

use super::words::Word;

/// How many words, at least, are looked at together from each sentence on: one sentence, a remark, a paragraph.
const WORDS: [usize; 3] = [1, 20, 48];
/// Fewer words than this say nothing.
const WORDS_MIN: usize = 4;

/// Puts the ranges of `words` that are sentences into `sentences`, which is emptied first.
pub fn sentences(words: &[Word], sentences: &mut Vec<Range<usize>>) {
    sentences.clear();
    let mut last = None;
    for (index, word) in words.iter().enumerate() {
        match sentences.last_mut().filter(|_| last == Some(word.sentence)) {
            Some(sentence) => sentence.end = index + 1,
            None => sentences.push(index..index + 1),
        }
        last = Some(word.sentence);
    }
}

/// Ranges of `sentences` that are looked at together: from each of them on, whole ones.
pub fn windows(sentences: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> {
    sentences.iter().enumerate().flat_map(move |(first, sentence)| {
        let later = sentences.get(first..).unwrap_or_default();
        let mut last_end = first;
        WORDS.into_iter().filter_map(move |least| {
            let enough = later.iter().position(|other| other.end - sentence.start >= least);
            let end = enough.map_or(sentences.len(), |offset| first + offset + 1);
            let words = later.get(..end - first).and_then(<[_]>::last).map_or(0, |last| last.end - sentence.start);
            let is_new = end != last_end;
            last_end = end;
            (is_new && words >= WORDS_MIN).then_some(first..end)
        })
    })
}
