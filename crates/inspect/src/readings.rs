//! Shows a string to the detectors in every reading that it has.

use model::{Part, limits};

use crate::findings::{Chain, Found, Seen};
use crate::map::Map;
use crate::news::News;
use crate::prefilter::Prefilter;
use crate::traits::Traits;
use crate::{Detector, Hit, Origin, Reading, Values, View, encoded, fold, unescape};

/// What is known of a string beside its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) origin: Origin,
    pub(crate) part: Part,
    pub(crate) key: &'a str,
    /// Where the strings meet that are read as one.
    pub(crate) seams: &'a [usize],
    /// How many bytes stand around what is decoded, in the text that encodes it.
    pub(crate) amid: usize,
}

impl About<'_> {
    /// Whether it is several strings, read as one.
    fn is_joined(&self) -> bool {
        !self.seams.is_empty()
    }

    /// What is new in the reading that the map is of, if the one before it was shown: what was undone; in strings that are read
    /// as one, where they meet, since what was undone in each was seen there.
    fn changed(&self, before: &News, map: &Map) -> News {
        if self.is_joined() { before.carried(map) } else { News::made_by(map) }
    }
}

/// What looks at readings.
#[derive(Clone, Copy)]
pub(crate) struct Eyes<'i> {
    pub(crate) detectors: &'i [Box<dyn Detector>],
    pub(crate) prefilter: Option<&'i Prefilter>,
    /// Known texts, if there are any.
    pub(crate) values: Option<&'i Values>,
}

impl Eyes<'_> {
    /// Whether anything here looks at this reading.
    fn read(self, reading: Reading) -> bool {
        self.values.is_some() || self.detectors.iter().any(|detector| detector.reads(reading))
    }
}

/// Reads the strings of one message. What detectors see is in `seen` until it is taken.
pub(crate) struct Reader<'i> {
    eyes: Eyes<'i>,
    hits: Vec<Vec<Hit>>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) complete: bool,
    /// Bytes of other readings that may still be made.
    room: usize,
    /// Encoded pieces that may still be read.
    pieces: usize,
    /// Bytes that expressions may still read.
    matchable: usize,
}

impl<'i> Reader<'i> {
    pub(crate) fn new(eyes: Eyes<'i>) -> Self {
        Self {
            eyes,
            hits: eyes.detectors.iter().map(|_| Vec::new()).collect(),
            seen: Vec::new(),
            complete: true,
            room: limits::DECODED_BYTES_MAX,
            pieces: limits::DECODED_PIECES_MAX,
            matchable: limits::MATCHED_BYTES_MAX,
        }
    }

    /// Shows a string in all its readings.
    pub(crate) fn read(&mut self, text: &str, reading: Reading, about: About<'_>) {
        self.all(text, reading, about, 0, None);
    }

    fn all(&mut self, text: &str, reading: Reading, about: About<'_>, depth: usize, chain: Option<&Chain<'_>>) {
        let traits = Traits::of(text);
        let is_joined = reading == Reading::Joined;
        let news = if is_joined { News::at(about.seams.iter().skip(1).copied().collect()) } else { News::ALL };
        self.show_and_decode(text, (reading, traits), about, &news, depth, chain);
        if traits.any(UNDONE) {
            self.undone(text, (reading, traits), about, &news, (depth, 0), chain);
        }
        if traits.any(LEET)
            && self.eyes.read(Reading::Leetspeak)
            && let Some((words, map)) = fold::leetspeak(text)
        {
            let news = about.changed(&news, &map);
            self.show_other(
                &words,
                Reading::Leetspeak,
                about,
                &news,
                &Chain { map: &map, decoding: None, outer: chain },
            );
        }
    }

    /// Undoes one layer after the other, and shows what is left when nothing more can be undone.
    fn undone(
        &mut self,
        text: &str,
        (reading, traits): (Reading, Traits),
        about: About<'_>,
        news: &News,
        (depth, layer): (usize, usize),
        chain: Option<&Chain<'_>>,
    ) {
        let layers_left = layer < 2 * limits::DECODING_DEPTH_MAX;
        let next = traits.any(unescape::TRIGGERS).then(|| unescape::undo(text)).flatten();
        let next = next.or_else(|| traits.any(Traits::NON_ASCII).then(|| fold::fold(text)).flatten());
        self.complete &= layers_left || next.is_none();
        match next.filter(|_| layers_left) {
            Some((plain, map)) => {
                if self.spend(plain.len()) {
                    // Layers between the first and the last are not shown, so what is new adds up.
                    let mut news_now = about.changed(news, &map);
                    if layer > 0 && !about.is_joined() {
                        news_now = news_now.or(news.carried(&map));
                    }
                    let chain = Chain { map: &map, decoding: None, outer: chain };
                    let traits = Traits::of(&plain);
                    self.undone(&plain, (Reading::Plain, traits), about, &news_now, (depth, layer + 1), Some(&chain));
                }
            }
            None => {
                if reading == Reading::Plain {
                    self.show_and_decode(text, (reading, traits), about, news, depth, chain);
                }
                self.bare(text, traits, about, news, chain);
            }
        }
    }

    fn bare(&mut self, text: &str, traits: Traits, about: About<'_>, news: &News, chain: Option<&Chain<'_>>) {
        if traits.any(Traits::LESS)
            && let Some((bare, map)) = crate::markup::strip(text)
        {
            let news = about.changed(news, &map);
            self.show_other(&bare, Reading::Bare, about, &news, &Chain { map: &map, decoding: None, outer: chain });
        }
    }

    /// Shows a text, and reads what is encoded in it.
    fn show_and_decode(
        &mut self,
        text: &str,
        (reading, traits): (Reading, Traits),
        about: About<'_>,
        news: &News,
        depth: usize,
        chain: Option<&Chain<'_>>,
    ) {
        let runs = encoded::runs(text);
        self.show(text, (reading, traits), about, news, &runs, chain);
        let mut at = 0;
        for run in runs {
            if run.start < at {
                continue;
            }
            if depth >= limits::DECODING_DEPTH_MAX || self.pieces == 0 || self.room == 0 {
                // A run that encodes nothing is no reason to doubt; one that was not looked at is.
                self.complete = self.complete && depth < limits::DECODING_DEPTH_MAX && self.pieces > 0 && self.room > 0;
                return;
            }
            let (pieces, end) = encoded::read(text, run, &mut self.room);
            at = end;
            // What is encoded where nothing is new was read before.
            for piece in pieces.into_iter().filter(|piece| news.is_in(&piece.range)) {
                self.pieces = self.pieces.saturating_sub(1);
                let amid = about.amid + text.len().saturating_sub(piece.range.len());
                let about = About { amid, seams: &[], ..about };
                let map = Map::Whole(piece.range);
                let chain = Chain { map: &map, decoding: Some(piece.decoding), outer: chain };
                self.all(&piece.text, Reading::Decoded, about, depth + 1, Some(&chain));
            }
        }
    }

    fn show_other(&mut self, text: &str, reading: Reading, about: About<'_>, news: &News, chain: &Chain<'_>) {
        if self.spend(text.len()) {
            self.show(text, (reading, Traits::of(text)), about, news, &encoded::runs(text), Some(chain));
        }
    }

    fn spend(&mut self, bytes: usize) -> bool {
        self.complete = self.complete && bytes <= self.room;
        let fits = bytes <= self.room;
        self.room = self.room.saturating_sub(bytes);
        fits
    }

    fn show(
        &mut self,
        text: &str,
        (reading, traits): (Reading, Traits),
        about: About<'_>,
        news: &News,
        runs: &[std::ops::Range<usize>],
        chain: Option<&Chain<'_>>,
    ) {
        for hits in &mut self.hits {
            hits.clear();
        }
        if let Some(prefilter) = self.eyes.prefilter {
            prefilter.mark(text, &mut self.hits);
        }
        let About { origin, part, key, seams, amid } = about;
        let seams = if reading == Reading::Joined { seams } else { &[] };
        let view = View { text, reading, origin, part, key, traits, runs, amid, seams, news };
        let mut found =
            Found { chain, seen: &mut self.seen, complete: &mut self.complete, matchable: &mut self.matchable };
        if let Some(values) = self.eyes.values {
            values.look(&view, &mut found);
        }
        for (detector, hits) in self.eyes.detectors.iter().zip(&self.hits) {
            if detector.reads(reading) && (!hits.is_empty() || detector.always()) {
                detector.look(&view, hits, &mut found);
            }
        }
    }
}

const UNDONE: Traits = unescape::TRIGGERS.or(Traits::NON_ASCII).or(Traits::LESS);
const LEET: Traits = Traits::DIGIT.or(Traits::AT);

/// The ends of the strings of a message, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    pub(crate) text: String,
    segments: Vec<Segment>,
}

/// A part of a string in the joined text.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// Where it begins in the joined text.
    start: usize,
    /// Which string of the message it is of, counted from zero.
    leaf: usize,
    /// Where it begins in that string.
    offset: usize,
}

/// The number of what stood in messages before, which is no string of this one.
pub(crate) const BEFORE: usize = usize::MAX;

impl Joined {
    /// What goes on after a text of earlier messages.
    pub(crate) fn after(tail: String) -> Self {
        let segments = if tail.is_empty() { Vec::new() } else { vec![Segment { start: 0, leaf: BEFORE, offset: 0 }] };
        Self { text: tail, segments }
    }

    /// Whether it goes on after earlier messages.
    pub(crate) fn goes_on(&self) -> bool {
        self.segments.first().is_some_and(|segment| segment.leaf == BEFORE)
    }

    /// Adds a string: all of it, or its two ends.
    pub(crate) fn add(&mut self, leaf: usize, text: &str) {
        if text.len() <= 2 * limits::JOINED_BYTES_MAX {
            self.push(leaf, 0, text);
            return;
        }
        let head = text.get(..floor(text, limits::JOINED_BYTES_MAX)).unwrap_or_default();
        self.push(leaf, 0, head);
        // Nothing reaches over what lies between the two ends.
        self.text.push('\n');
        let from = floor(text, text.len() - limits::JOINED_BYTES_MAX);
        self.push(leaf, from, text.get(from..).unwrap_or_default());
    }

    fn push(&mut self, leaf: usize, offset: usize, text: &str) {
        self.segments.push(Segment { start: self.text.len(), leaf, offset });
        self.text.push_str(text);
    }

    /// Where the strings meet.
    pub(crate) fn seams(&self) -> Vec<usize> {
        self.segments.iter().map(|segment| segment.start).collect()
    }

    /// Whether there is anything to join.
    pub(crate) fn is_several(&self) -> bool {
        self.segments.first().map(|segment| segment.leaf) != self.segments.last().map(|segment| segment.leaf)
    }

    /// The strings that a range of the joined text lies in, and where in each. Empty if it lies in one alone, or if it
    /// begins and ends where strings do and is nothing with a form of its own (`has_form`): then it is several numbers,
    /// which happen to follow each other.
    pub(crate) fn parts(&self, range: &std::ops::Range<usize>, has_form: bool) -> Vec<(usize, std::ops::Range<usize>)> {
        let first = self.segments.partition_point(|segment| segment.start <= range.start).saturating_sub(1);
        let mut parts: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
        let mut aligned = false;
        for (index, segment) in self.segments.iter().enumerate().skip(first) {
            if segment.start >= range.end {
                break;
            }
            let end = self.segments.get(index + 1).map_or(self.text.len(), |next| next.start);
            if index == first {
                aligned = segment.start == range.start;
            }
            aligned = aligned && (end >= range.end) == (end == range.end);
            let from = segment.offset + range.start.saturating_sub(segment.start);
            let to = segment.offset + range.end.min(end).saturating_sub(segment.start);
            if from < to {
                parts.push((segment.leaf, from..to));
            }
        }
        let several = parts.first().map(|part| part.0) != parts.last().map(|part| part.0);
        if several && (has_form || !aligned) { parts } else { Vec::new() }
    }
}

/// The last place at or before `at` where a character begins.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
