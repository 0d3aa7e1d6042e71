//! Instructions to a model where data is expected, in definitions, and in questions.
//!
//! Words point at the places worth reading (`anchors`); what stands there is taken apart into words and what they mean
//! (`words`, `concepts`) and are used like (`kin`), a few sentences at a time (`windows`); those are told as features (`features`) to a small
//! linear model (`model`), which weighs them. Two more rules look at quantity alone (`flood`).
//!
//! It is evidence, no proof: a model of this size knows how people talk to models, and nothing of what is true. The
//! trainer, what it is trained on, and what it finds and misses stand in the benchmark (`bench inspect`).

pub mod anchors;
pub mod concepts;
pub mod definition;
pub mod features;
mod flood;
pub mod kin;
pub mod model;
mod tables;
pub mod windows;
pub mod words;

use std::ops::Range;
use std::sync::Mutex;

use ::model::{Confidence, limits};

use self::anchors::Scales;
use self::concepts::{Concepts, Lexicon};
use self::features::{Setting, Summary, Teller};
use self::model::{Linear, Model, Sum, Surface};
use self::tables::Tables;
use self::words::Word;
use crate::rules::By;
use crate::{Detector, Found, Hit, Origin, Reading, Rule, Rules, Sighting, View};

/// The model of this crate; see `model/README.md`.
const MODEL: &[u8] = include_bytes!("../model/injection.bin");

/// Finds instructions to a model.
pub(crate) struct Injection {
    rules: Vec<(By, Rule)>,
    lexicon: Lexicon,
    model: Option<Model>,
    /// The model's weights of things, for data and for definitions.
    tables: Option<[Tables; 2]>,
    /// The numbers of the anchors that are looked for.
    anchors: Vec<usize>,
    meanings: Meanings,
    /// What is needed to read a text, kept for the next one.
    scratch: Mutex<Vec<Scratch>>,
}

struct Scratch {
    teller: Teller,
    scales: Scales,
    words: Vec<Word>,
    /// Ranges of the words.
    sentences: Vec<Range<usize>>,
    /// What each sentence adds up to.
    sums: Vec<(Sum, Summary)>,
}

/// Concepts by which a finding gets its name.
struct Meanings {
    overriding: Concepts,
    instruction: Concepts,
    negation: Concepts,
    telling: Concepts,
    concealment: Concepts,
    system: Concepts,
    sending: Concepts,
    secret: Concepts,
    tool: Concepts,
    running: Concepts,
    addressee: Concepts,
}

impl Injection {
    /// With the rules that are told by this code, and the model that ships.
    pub(crate) fn new(rules: &Rules) -> Self {
        Self::with(rules, Model::read(MODEL))
    }

    /// With another model.
    pub(crate) fn with(rules: &Rules, model: Option<Model>) -> Self {
        let kinds = [
            By::Override,
            By::Role,
            By::ToolCall,
            By::Conceal,
            By::Exfiltrate,
            By::Instruction,
            By::Turns,
            By::Repetition,
        ];
        let rules = kinds.into_iter().flat_map(|by| rules.by(by).map(move |rule| (by, rule.clone()))).collect();
        let lexicon = Lexicon::new();
        let named = |names: &[&str]| lexicon.named(names);
        let meanings = Meanings {
            overriding: named(&["override"]),
            instruction: named(&["instruction", "prior", "task"]),
            negation: named(&["negate"]),
            telling: named(&["tell"]),
            concealment: named(&["conceal"]),
            system: named(&["system", "persona"]),
            sending: named(&["send"]),
            secret: named(&["secret", "session", "data"]),
            tool: named(&["tool"]),
            running: named(&["run"]),
            addressee: named(&["model"]),
        };
        let weights = model.iter().flat_map(|model| &model.anchors.weights).enumerate();
        let anchors = weights.filter(|(_, weight)| **weight != 0).map(|(word, _)| word).collect();
        let tables = model.as_ref().map(|model| [Tables::of(&model.data), Tables::of(&model.definitions)]);
        Self { rules, lexicon, model, tables, anchors, meanings, scratch: Mutex::default() }
    }

    /// The number of the anchor that stands there.
    fn word(&self, hit: &Hit) -> usize {
        self.anchors.get(hit.index()).copied().unwrap_or(usize::MAX)
    }

    fn rule(&self, by: By) -> Option<&Rule> {
        self.rules.iter().find(|(own, _)| *own == by).map(|(_, rule)| rule)
    }

    fn tell(&self, by: By, confidence: Option<Confidence>, range: Range<usize>, found: &mut Found<'_>) {
        if let Some(rule) = self.rule(by) {
            found.add(Sighting {
                rule: &rule.id,
                class: &rule.class,
                severity: rule.severity,
                confidence: confidence.unwrap_or(rule.confidence),
                weight: rule.weight,
                range,
            });
        }
    }

    /// Reads one part of a text, and tells what in it is suspicious.
    fn read(&self, view: &View<'_>, part: Range<usize>, scratch: &mut Scratch, found: &mut Found<'_>) {
        let (Some(model), Some([data, definitions])) = (&self.model, &self.tables) else { return };
        let Some(text) = view.text.get(part.clone()) else { return };
        let (linear, tables) = match surface(view.origin) {
            Surface::Data => (&model.data, data),
            Surface::Definition => (&model.definitions, definitions),
        };
        scratch.split(text, &self.lexicon);
        scratch.weigh(linear);
        // What something encodes stands in the text that encodes it.
        let bytes = view.text.len() + view.amid;
        let encoded = if view.reading == Reading::Decoded { ENCODED } else { 0.0 };
        let mut suspects: Vec<(f32, Range<usize>)> = Vec::new();
        for range in windows::windows(&scratch.sentences) {
            let Some((place, sum)) = scratch.window(range, (linear, tables), bytes) else { continue };
            let score = linear.score(sum);
            if score + encoded >= linear.suspicion {
                suspects.push((score, place));
            }
        }
        suspects.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.start.cmp(&other.1.start)));
        // Of those that overlap, the one that speaks loudest.
        let mut told: Vec<Range<usize>> = Vec::new();
        for (score, place) in suspects {
            if told.iter().any(|other| other.start < place.end && place.start < other.end) {
                continue;
            }
            let confidence = if score >= linear.certainty { Confidence::High } else { Confidence::Medium };
            let window = scratch.words.get(place.clone()).unwrap_or_default();
            if let (Some(first), Some(last)) = (window.first(), window.last()) {
                let range = part.start + first.start..part.start + last.end;
                self.tell(self.meanings.name(window), Some(confidence), range, found);
            }
            told.push(place);
            if told.len() >= TOLD_MAX {
                break;
            }
        }
    }
}

/// What it adds to suspicion that somebody encoded sentences: what is meant to be read is not written so.
const ENCODED: f32 = 0.7;

/// Findings in one part of a text: it is told what stands there, not each sentence of it.
const TOLD_MAX: usize = 16;

impl Scratch {
    fn new(lexicon: &Lexicon) -> Self {
        Self {
            teller: Teller::new(lexicon),
            scales: Scales::default(),
            words: Vec::new(),
            sentences: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// Takes a text apart.
    fn split(&mut self, text: &str, lexicon: &Lexicon) {
        words::split(text, lexicon, &mut self.words);
        windows::sentences(&self.words, &mut self.sentences);
    }

    /// Weighs each sentence.
    fn weigh(&mut self, linear: &Linear) {
        self.sums.clear();
        for sentence in &self.sentences {
            let mut sum = Sum::default();
            let words = self.words.get(sentence.clone()).unwrap_or_default();
            let summary = self.teller.sentence(words, |bucket, family| linear.add(&mut sum, bucket, family));
            self.sums.push((sum, summary));
        }
    }

    /// The words of a window of sentences, in a text of that many bytes, and what they add up to.
    fn window(
        &self,
        sentences: Range<usize>,
        (linear, tables): (&Linear, &Tables),
        bytes: usize,
    ) -> Option<(Range<usize>, Sum)> {
        let words = self.sentences.get(sentences.start)?.start..self.sentences.get(sentences.end - 1)?.end;
        let (first, last) = (self.words.get(words.start)?, self.words.get(words.end - 1)?);
        let all = self.sums.get(sentences)?.iter();
        let (sum, summary) =
            all.fold((Sum::default(), Summary::default()), |(sum, summary), own| (sum.and(own.0), summary.and(own.1)));
        let setting = Setting::of(last.end - first.start, bytes);
        Some((words, sum.and(tables.company(&self.teller, &summary, setting, linear))))
    }
}

impl Meanings {
    /// What an instruction is above all: the rule it is told by.
    fn name(&self, window: &[Word]) -> By {
        let all = features::concepts(window);
        let has = |concepts: Concepts| !all.and(concepts).is_empty();
        let away = window.iter().any(|word| matches!(word.kind, words::Kind::Email | words::Kind::Url));
        if has(self.overriding) && has(self.instruction) {
            By::Override
        } else if has(self.concealment) || (has(self.negation) && has(self.telling)) {
            By::Conceal
        } else if away && has(self.sending) && has(self.secret) {
            By::Exfiltrate
        } else if has(self.system) && !has(self.addressee) {
            By::Role
        } else if has(self.tool) && has(self.running) {
            By::ToolCall
        } else {
            By::Instruction
        }
    }
}

fn surface(origin: Origin) -> Surface {
    match origin {
        Origin::Definition => Surface::Definition,
        Origin::Arguments | Origin::Answer | Origin::Question | Origin::Text => Surface::Data,
    }
}

impl Detector for Injection {
    fn keywords(&self) -> Vec<String> {
        let words: Vec<&str> = anchors::words().collect();
        self.anchors.iter().filter_map(|word| words.get(*word)).map(|word| (*word).to_owned()).collect()
    }

    /// Definitions are read whole, and long texts may be floods.
    fn always(&self) -> bool {
        true
    }

    fn reads(&self, _: Reading) -> bool {
        true
    }

    fn look(&self, view: &View<'_>, hits: &[Hit], found: &mut Found<'_>) {
        if view.text.len() >= limits::FLOOD_BYTES_MIN && view.reading == Reading::Original {
            if let Some(range) = flood::turns(view.text) {
                self.tell(By::Turns, None, range, found);
            }
            if let Some(range) = flood::repetition(view.text) {
                self.tell(By::Repetition, None, range, found);
            }
        }
        let Some(model) = self.model.as_ref().filter(|_| view.origin == Origin::Definition || !hits.is_empty()) else {
            return;
        };
        let kept = self.scratch.lock().ok().and_then(|mut kept| kept.pop());
        let mut scratch = kept.unwrap_or_else(|| Scratch::new(&self.lexicon));
        let parts = match view.origin {
            // Definitions are read whole: they are few, and read when they change.
            Origin::Definition => std::iter::once(0..view.text.len()).collect(),
            Origin::Arguments | Origin::Answer | Origin::Question | Origin::Text => {
                let hits = hits.iter().map(|hit| (self.word(hit), hit.range()));
                model.anchors.parts(hits, view.text.len(), &mut scratch.scales)
            }
        };
        for part in parts {
            let part = to_borders(view.text, part);
            // What lies within one string, or was not changed, was read before.
            if !view.news.is_in(&part) {
                continue;
            }
            if !found.may_match(part.len() * READING_COST) {
                break;
            }
            self.read(view, part, &mut scratch, found);
        }
        if let Ok(mut kept) = self.scratch.lock()
            && kept.len() < SCRATCHES_MAX
        {
            kept.push(scratch);
        }
    }
}

/// Reading a byte of a sentence costs that many times what an expression's does.
const READING_COST: usize = 8;
/// Scratches that are kept.
const SCRATCHES_MAX: usize = 8;

/// The part, drawn to the borders of words.
fn to_borders(text: &str, part: Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let is_border = |at: usize| bytes.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\n'));
    let mut start = part.start;
    while start > 0 && start + 64 > part.start && !is_border(start) {
        start -= 1;
    }
    let mut end = part.end;
    while end < part.end + 64 && !is_border(end) {
        end += 1;
    }
    while start > 0 && !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = end.min(text.len());
    while end < text.len() && !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests;
