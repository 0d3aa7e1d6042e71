//! Texts with and without an injection, made by program from wordings, goals and contexts.
//!
//! Wordings, goals and contexts each belong to a fold. What is trained on takes all three from outside the fold that
//! is scored, and what is scored takes all three from inside.

use std::ops::Range;

use super::corpora::{Corpora, Text, fold};
use super::grammar::{Line, Slots, lines, sentence};
use super::random::Random;
use super::trained::{self, Wording};

const WORDINGS: &str = include_str!("wordings/wordings.txt");
const DEFINITIONS: &str = include_str!("wordings/definitions.txt");
const FRAMES: &str = include_str!("wordings/frames.txt");
const HONEST: &str = include_str!("wordings/honest.txt");
const GOALS: &str = include_str!("wordings/goals.txt");
const BENIGN: &str = include_str!("wordings/benign.txt");
const SLOTS: &str = include_str!("wordings/slots.txt");

/// Definitions made of each honest wording.
const HONEST_EACH: usize = 12;

/// Which folds a part may come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Folds {
    /// All of them.
    All,
    /// This one.
    Only(u8),
    /// Any but these.
    Without(u8, Option<u8>),
}

impl Folds {
    /// Whether a part of that fold may be taken.
    pub(crate) fn has(self, fold: u8) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => fold == only,
            Self::Without(first, second) => fold != first && Some(fold) != second,
        }
    }
}

/// A text that is trained on or scored.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// What it says.
    pub(crate) text: String,
    /// Where the injection stands in it, if there is one.
    pub(crate) injected: Option<Range<usize>>,
    /// The same without the injection, if there is one.
    pub(crate) clean: String,
    /// Its wording or its source: features must be known of several.
    pub(crate) group: usize,
    /// The kind of wording, or of harmless text.
    pub(crate) kind: &'static str,
}

/// What samples are made of.
pub(crate) struct Maker {
    corpora: Corpora,
    slots: Slots,
    wordings: Vec<Line>,
    definitions: Vec<Line>,
    goals: Vec<Line>,
    benign: Vec<Line>,
    honest: Vec<Line>,
    frames: Vec<Line>,
    plain: trained::Trained,
}

impl Maker {
    /// From the corpora and the wordings of this crate.
    pub(crate) fn new(corpora: Corpora) -> anyhow::Result<Self> {
        Ok(Self {
            corpora,
            slots: Slots::new(SLOTS),
            wordings: lines(WORDINGS),
            definitions: lines(DEFINITIONS),
            goals: lines(GOALS),
            benign: lines(BENIGN),
            honest: lines(HONEST),
            frames: lines(FRAMES),
            plain: trained::read()?,
        })
    }

    /// The wordings without choices.
    pub(crate) fn plain(&self) -> &trained::Trained {
        &self.plain
    }

    /// A wording without choices, its slots filled.
    pub(crate) fn filled(&self, wording: &Wording, random: &mut Random) -> String {
        self.slots.say(&wording.template, "", random)
    }

    /// Frames of definitions, filled: `each` of those of a kind, `poisoned` or `honest`.
    pub(crate) fn framed(&self, folds: Folds, kind: &str, each: usize, random: &mut Random) -> Vec<String> {
        let mut found = Vec::new();
        for line in self.frames.iter().filter(|line| line.kind == kind && folds.has(fold(line.number))) {
            for _ in 0..each {
                found.push(sentence(&self.slots.say(line.text, "", random)));
            }
        }
        found
    }

    /// Poisoned wordings of definitions, as they are: `each` of those with choices.
    pub(crate) fn poisons(&self, folds: Folds, each: usize, random: &mut Random) -> Vec<String> {
        let mut found = Vec::new();
        for line in self.definitions.iter().filter(|line| line.kind != "ask" && folds.has(fold(line.number))) {
            for _ in 0..each {
                let goal = self.goal(folds, random);
                found.push(self.slots.say(line.text, &goal, random));
            }
        }
        found
    }

    /// Honest wordings of definitions that read like poisoned ones, as they are: `each` of those with choices.
    pub(crate) fn hard(&self, folds: Folds, each: usize, random: &mut Random) -> Vec<String> {
        let documented = self.benign.iter().filter(|line| line.kind == "documentation");
        let lines = self.honest.iter().chain(documented).filter(|line| folds.has(fold(line.number)));
        lines
            .flat_map(|line| std::iter::repeat_n(line, each))
            .map(|line| self.slots.say(line.text, "", random))
            .collect()
    }

    /// The corpora it takes from.
    pub(crate) fn corpora(&self) -> &Corpora {
        &self.corpora
    }

    /// Results with an injection: `each` of every wording.
    pub(crate) fn injected(&self, folds: Folds, each: usize, seed: u64) -> Vec<Sample> {
        let mut random = Random::new(seed);
        let contexts: Vec<&Text> = self.contexts(folds);
        let mut found = Vec::new();
        for line in self.wordings.iter().filter(|line| folds.has(fold(line.number))) {
            for _ in 0..each {
                let goal = self.goal(folds, &mut random);
                let wording = self.with_more(folds, self.slots.say(line.text, &goal, &mut random), &mut random);
                let alone = !matches!(line.kind, "bare" | "polite" | "sequence") && random.happens(14);
                let context = match random.of(&contexts) {
                    Some(context) if !alone && random.happens(60) => context.text.clone(),
                    _ if !alone => self.record(folds, &mut random),
                    _ => String::new(),
                };
                found.push(put(&context, &wording, line, &mut random));
            }
        }
        for aside in self.corpora.asides.iter().filter(|aside| folds.has(aside.fold)) {
            for _ in 0..each.min(3) {
                let context = random.of(&contexts).map(|context| context.text.clone()).unwrap_or_default();
                let line = Line { kind: "aside", number: 1_000, text: "" };
                found.push(put(&context, &aside.text, &line, &mut random));
            }
        }
        for line in self.definitions.iter().filter(|line| line.kind == "ask" && folds.has(fold(line.number))) {
            for _ in 0..each {
                let goal = self.goal(folds, &mut random);
                let wording = self.slots.say(line.text, &goal, &mut random);
                found.push(put("", &wording, &Line { number: 3_000 + line.number, ..line.clone() }, &mut random));
            }
        }
        found
    }

    /// The corpora's results with an injection, each put in some other wordings.
    pub(crate) fn reworded(&self, folds: Folds, each: usize, seed: u64) -> Vec<Sample> {
        let mut random = Random::new(seed);
        let wordings: Vec<&Line> = self
            .wordings
            .iter()
            .filter(|line| folds.has(fold(line.number)) && !matches!(line.kind, "language" | "many-shot"))
            .collect();
        let mut found = Vec::new();
        for pair in self.corpora.pairs.iter().filter(|pair| folds.has(pair.text.fold)) {
            for _ in 0..each {
                let Some(line) = random.of(&wordings) else { continue };
                let wording = sentence(&self.slots.say(line.text, &pair.goal, &mut random));
                let text = pair.around.join(&wording);
                let start = pair.around.first().map_or(0, String::len);
                let injected = Some(start..start + wording.len());
                found.push(Sample { text, injected, clean: pair.clean.clone(), group: line.number, kind: line.kind });
            }
        }
        found
    }

    /// Definitions with an injection: `each` of every wording, some of the wordings of results.
    pub(crate) fn poisoned(&self, folds: Folds, each: usize, seed: u64) -> Vec<Sample> {
        let mut random = Random::new(seed);
        let contexts: Vec<&Text> = self.corpora.definitions.iter().filter(|text| folds.has(text.fold)).collect();
        let others = self.wordings.iter().filter(|line| {
            matches!(line.kind, "override" | "conceal" | "exfiltrate" | "addressee" | "role" | "markup")
        });
        let mut found = Vec::new();
        for (line, each) in self.definitions.iter().map(|line| (line, each)).chain(others.map(|line| (line, each / 4)))
        {
            if !folds.has(fold(line.number)) || line.kind == "ask" {
                continue;
            }
            for _ in 0..each {
                let goal = self.goal(folds, &mut random);
                let mut wording = self.slots.say(line.text, &goal, &mut random);
                // Poison comes seldom in one sentence: half of them have a second one, of the same fold.
                let second = self.definitions.get(random.below(self.definitions.len()));
                if let Some(second) = second.filter(|second| folds.has(fold(second.number)) && random.happens(40)) {
                    wording = format!("{wording} {}", self.slots.say(second.text, &goal, &mut random));
                }
                let line = Line { number: 5_000 + line.number, ..line.clone() };
                let context = random.of(&contexts).map(|context| context.text.clone()).unwrap_or_default();
                let context = if random.happens(25) { String::new() } else { fields(&context) };
                found.push(put(&context, &wording, &line, &mut random));
            }
        }
        found
    }

    /// Harmless texts where data is expected: all of the corpora's, and `each` of every wording.
    pub(crate) fn harmless(&self, folds: Folds, each: usize, seed: u64) -> Vec<Sample> {
        let mut random = Random::new(seed);
        let corpora = &self.corpora;
        let sources: [(&'static str, &[Text], usize); 6] = [
            ("result", &corpora.results, 1),
            ("mail", &corpora.mails, 1),
            ("hard", &corpora.hard, 1),
            ("request", &corpora.requests, 1),
            ("sentence", &corpora.sentences, 2),
            ("definition as data", &corpora.definitions, 2),
        ];
        let mut found = Vec::new();
        for (kind, texts, step) in sources {
            for (index, text) in
                texts.iter().enumerate().filter(|(index, text)| index % step == 0 && folds.has(text.fold))
            {
                found.push(harmless(text.text.clone(), kind, 10_000 + found.len() + index));
            }
        }
        for line in self.benign.iter().filter(|line| folds.has(fold(line.number))) {
            for _ in 0..each {
                let goal = self.goal(folds, &mut random);
                let text = self.slots.say(line.text, &goal, &mut random);
                // Some stand alone, some with others of their kind.
                let text =
                    if random.happens(50) { text } else { format!("{text}\n{}", self.record(folds, &mut random)) };
                let kind =
                    if matches!(line.kind, "mail" | "records" | "articles" | "chat") { "made data" } else { "made" };
                found.push(harmless(text, kind, 100_000 + line.number));
            }
        }
        found
    }

    /// Harmless definitions.
    pub(crate) fn trusted(&self, folds: Folds, seed: u64) -> Vec<Sample> {
        let mut random = Random::new(seed);
        let mut found = Vec::new();
        for text in self.corpora.definitions.iter().filter(|text| folds.has(text.fold)) {
            found.push(harmless(fields(&text.text), "definition", 200_000 + found.len()));
        }
        for line in self.benign.iter().filter(|line| line.kind == "documentation" && folds.has(fold(line.number))) {
            for _ in 0..12 {
                let text = self.slots.say(line.text, "", &mut random);
                found.push(harmless(text, "made definition", 100_000 + line.number));
            }
        }
        // Among the words of a real definition, or alone.
        let contexts: Vec<&Text> = self.corpora.definitions.iter().filter(|text| folds.has(text.fold)).collect();
        for line in self.honest.iter().filter(|line| folds.has(fold(line.number))) {
            for _ in 0..HONEST_EACH {
                let wording = self.slots.say(line.text, "", &mut random);
                let text = match random.of(&contexts) {
                    Some(context) if random.happens(50) => format!("{wording}\n\n{}", fields(&context.text)),
                    _ => wording,
                };
                found.push(harmless(text, "honest wording", 150_000 + line.number));
            }
        }
        found
    }

    /// The wording, now and then with a remark before or after it: attackers seldom leave it at one sentence.
    fn with_more(&self, folds: Folds, wording: String, random: &mut Random) -> String {
        if !random.happens(25) {
            return wording;
        }
        let others: Vec<&Line> = self
            .wordings
            .iter()
            .filter(|line| {
                folds.has(fold(line.number))
                    && matches!(line.kind, "conceal" | "urgency" | "addressee" | "override" | "sequence")
            })
            .collect();
        let Some(other) = random.of(&others) else { return wording };
        // What the other wording says of its own goal is left out: a remark on this one stays.
        let remark = self.slots.say(other.text, "do this", random).replace("Do this. ", "");
        if random.happens(50) { format!("{remark} {wording}") } else { format!("{} {remark}", sentence(&wording)) }
    }

    /// What an attacker wants, of the made ones or of the corpora.
    fn goal(&self, folds: Folds, random: &mut Random) -> String {
        let known: Vec<&Text> = self.corpora.goals.iter().filter(|goal| folds.has(goal.fold)).collect();
        if random.happens(20)
            && let Some(goal) = random.of(&known)
        {
            return goal.text.clone();
        }
        let made: Vec<&Line> = self.goals.iter().filter(|line| folds.has(fold(line.number))).collect();
        random.of(&made).map(|line| self.slots.say(line.text, "", random)).unwrap_or_default()
    }

    fn contexts(&self, folds: Folds) -> Vec<&Text> {
        let corpora = &self.corpora;
        corpora
            .results
            .iter()
            .chain(&corpora.mails)
            .filter(|text| folds.has(text.fold) && text.text.len() > 20)
            .collect()
    }

    /// A harmless text of a few made parts.
    fn record(&self, folds: Folds, random: &mut Random) -> String {
        let made: Vec<&Line> = self
            .benign
            .iter()
            .filter(|line| {
                folds.has(fold(line.number)) && matches!(line.kind, "mail" | "records" | "articles" | "chat")
            })
            .collect();
        let mut said = String::new();
        for _ in 0..=random.below(4) {
            if let Some(line) = random.of(&made) {
                let goal = self.goal(folds, random);
                said.push_str(&self.slots.say(line.text, &goal, random));
                said.push(if random.happens(50) { '\n' } else { ' ' });
            }
        }
        said
    }
}

/// A definition with its lines apart, as it is judged.
fn fields(text: &str) -> String {
    text.replace('\n', "\n\n")
}

fn harmless(text: String, kind: &'static str, group: usize) -> Sample {
    Sample { clean: text.clone(), text, injected: None, group, kind }
}

/// Puts a wording into a context: at its end, at its beginning, between two lines or two sentences of it.
fn put(context: &str, wording: &str, line: &Line, random: &mut Random) -> Sample {
    let wording = laid_out(&sentence(wording), random);
    let borders: Vec<usize> = context
        .match_indices(['\n', '.'])
        .map(|(at, sign)| at + sign.len())
        .filter(|at| context.is_char_boundary(*at))
        .collect();
    let at = match random.below(10) {
        0 => 0,
        1..=3 => random.of(&borders).copied().unwrap_or(context.len()),
        _ => context.trim_end_matches(['\n', '}', ']', '\'', '"']).len(),
    };
    let gap = ["\n", " ", "\n\n", "  ", " - "];
    let (before, after) = (random.of(&gap).copied().unwrap_or(" "), random.of(&gap).copied().unwrap_or(" "));
    let mut text = context.get(..at).unwrap_or_default().to_owned();
    text.push_str(if at == 0 { "" } else { before });
    let start = text.len();
    text.push_str(&wording);
    let injected = start..text.len();
    text.push_str(after);
    text.push_str(context.get(at..).unwrap_or_default());
    Sample { text, injected: Some(injected), clean: context.to_owned(), group: line.number, kind: line.kind }
}

/// The wording as some formats write it: with its line breaks escaped, or folded into short lines.
fn laid_out(wording: &str, random: &mut Random) -> String {
    let chance = random.below(100);
    let folded = |sign: &str| {
        let (mut said, mut length) = (String::new(), 0);
        for word in wording.split(' ') {
            if length > 60 {
                said.push_str(sign);
                length = 0;
            } else if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(word);
            length += word.len() + 1;
        }
        said
    };
    match chance {
        0..8 => wording.replace('\n', "\\n"),
        8..16 => folded("\n    "),
        16..22 => folded("\\\n    \\ "),
        _ => wording.to_owned(),
    }
}
