//! What a detector is shown, and what it says.

use std::ops::Range;

use model::{Class, Confidence, Part, RuleId, Severity, limits};

use crate::Found;
use crate::news::News;
use crate::traits::Traits;

/// Where a message comes from. The same words mean different things in a caller's arguments and in a server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// What an agent sends: arguments of tools and prompts, answers to questions, queries.
    Arguments,
    /// What a server answers: results, resources, prompts, errors, progress, log messages.
    Answer,
    /// What a server says of itself: descriptions, schemas, instructions.
    Definition,
    /// What a server asks of a person or a model.
    Question,
    /// A text that somebody wants inspected.
    Text,
}

/// Which reading of a string a detector is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// The string itself.
    Original,
    /// The string with escapes, references and percent-encoding undone, look-alike letters as those they look like, and
    /// without what nobody sees.
    Plain,
    /// The same without comments and tags.
    Bare,
    /// The same with digits and signs inside words read as letters. Only for words: numbers are spoilt.
    Leetspeak,
    /// What something in the string encodes.
    Decoded,
    /// The ends of several strings of a message, one after the other, with nothing between them.
    Joined,
}

/// One reading of one string of a message.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The text as it is read.
    pub text: &'a str,
    /// Which reading it is.
    pub reading: Reading,
    /// Where the message comes from.
    pub origin: Origin,
    /// Whether it is a key or a value.
    pub part: Part,
    /// The name of the nearest member around a value, as it stands in the JSON text; empty outside of objects.
    pub key: &'a str,
    /// What kinds of bytes stand in the text.
    pub(crate) traits: Traits,
    /// Where long runs of letters and digits stand: tokens, hashes, what is encoded.
    pub(crate) runs: &'a [Range<usize>],
    /// How many bytes stand around it in the text that encodes it.
    pub(crate) amid: usize,
    /// Where one string ends and the next begins, in [`Reading::Joined`].
    pub(crate) seams: &'a [usize],
    /// Where it says something else than the readings that were shown before.
    pub(crate) news: &'a News,
}

impl View<'_> {
    /// Whether anything is new so near to a range that what is seen there may be another thing than it was seen to be before.
    pub(crate) fn is_new(&self, range: &Range<usize>) -> bool {
        let from = range.start.saturating_sub(NEWS_BYTES);
        self.news.is_in(&(from..range.end.saturating_add(NEWS_BYTES)))
    }
}

/// Bytes around a thing that are looked at to tell what it is, and some.
const NEWS_BYTES: usize = 2 * limits::RULE_CONTEXT_BYTES;

/// A keyword that stands in a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Its index in what [`Detector::keywords`] gave.
    pub(crate) keyword: u32,
    /// The bytes it stands at.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Hit {
    /// The bytes it stands at.
    pub(crate) fn range(&self) -> Range<usize> {
        usize::try_from(self.start).unwrap_or(usize::MAX)..usize::try_from(self.end).unwrap_or(usize::MAX)
    }

    /// The keyword's index.
    pub(crate) fn index(&self) -> usize {
        usize::try_from(self.keyword).unwrap_or(usize::MAX)
    }
}

/// Looks for one kind of thing. The same text must always have the same findings.
pub(crate) trait Detector: Send + Sync {
    /// Words of ASCII, compared without case, to look for in every reading.
    fn keywords(&self) -> Vec<String>;

    /// Whether it wants to see readings in which none of its words stands.
    fn always(&self) -> bool {
        false
    }

    /// Whether it wants to see this reading. A number may be a letter in words only.
    fn reads(&self, reading: Reading) -> bool {
        reading != Reading::Leetspeak
    }

    /// Looks at a reading in which at least one of the keywords stands (`hits`, in the order of their ends), or at any if
    /// it wants them all. What it sees it tells `found`.
    fn look(&self, view: &View<'_>, hits: &[Hit], found: &mut Found<'_>);
}

/// What a detector saw: the range is of the view's text.
#[derive(Debug, Clone)]
pub(crate) struct Sighting<'r> {
    pub(crate) rule: &'r RuleId,
    pub(crate) class: &'r Class,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    /// Which of two sightings at the same place says more. A checksum counts more than a form, a form more than a
    /// guess.
    pub(crate) weight: u8,
    pub(crate) range: Range<usize>,
}
