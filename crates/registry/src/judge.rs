//! What do the words of a server's definitions try to do?
//!
//! Models read a server's names, descriptions and schemas as if its operator had written them. Whoever writes them can
//! therefore ask for files, hide a step from the person, send something elsewhere, or take another tool's place. This page
//! reads them before people do and says, line by line, what is worth a look.
//!
//! Each text is put in its plain form ([`plain`]): hidden characters out, look-alike letters as what they look like,
//! encoded text decoded. Rules kept as data ([`rules`]) are matched against it, what was learned of how people talk to models
//! is asked about it ([`voice`]), names are held against those of other
//! servers ([`alike`]), and what a tool seems to do against what its annotations claim ([`effect`]). Each [`Remark`] has
//! its points and says why; their sum is the score, so that no number stands without its reasons.
//!
//! Wording is evidence, never proof: a tool that does harm under honest words is not found here, and nothing is approved
//! or refused by the score. People decide, and drift ([`crate::grade`]) is held to it more strictly.

mod alike;
mod effect;
mod icons;
mod memory;
mod places;
pub(crate) mod plain;
mod rules;
mod voice;

use std::collections::BTreeMap;
use std::time::Duration;

use inspect::injection::definition::Scale;
use model::{ServerName, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Definition, Definitions, Kind, Named};

pub use alike::Crowd;
pub use effect::{Effect, effect};
pub(crate) use icons::is_raster;
pub use memory::is_memory;
pub(crate) use places::{Text, apart as apart_words, texts};
pub use voice::heard;

/// From so many points on, a definition is worth a look.
pub const MEDIUM_POINTS: u32 = 30;
/// From so many points on, a definition should not be approved without a good reason.
pub const HIGH_POINTS: u32 = 60;
/// The most points.
const POINTS_MAX: u32 = 100;

/// What kind of thing a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Something is kept from the person.
    Concealment,
    /// It poses as, or sets aside, a higher voice.
    Authority,
    /// It reaches into other tools or the whole conversation.
    Scope,
    /// It gives orders.
    Order,
    /// It names credentials or where they are kept.
    Secret,
    /// It has something carried elsewhere.
    Destination,
    /// It asks for what the model knows and it does not need.
    Prying,
    /// It takes another tool's place.
    Shadowing,
    /// It praises itself.
    Preference,
    /// It acts otherwise later.
    Activation,
    /// It holds what people do not see.
    Hidden,
    /// Its name looks like another's.
    LookAlike,
    /// Its annotations say other than its words.
    Effect,
    /// Its schema takes more than it says.
    Schema,
    /// Several that are more together than alone.
    Together,
}

impl Class {
    /// The word used in documents and on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Concealment => "concealment",
            Self::Authority => "authority",
            Self::Scope => "scope",
            Self::Order => "order",
            Self::Secret => "secret",
            Self::Destination => "destination",
            Self::Prying => "prying",
            Self::Shadowing => "shadowing",
            Self::Preference => "preference",
            Self::Activation => "activation",
            Self::Hidden => "hidden",
            Self::LookAlike => "look-alike",
            Self::Effect => "effect",
            Self::Schema => "schema",
            Self::Together => "together",
        }
    }
}

/// How much a look is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing stands out.
    #[default]
    Low,
    /// Worth a look: [`MEDIUM_POINTS`].
    Medium,
    /// Not to be approved without a good reason: [`HIGH_POINTS`].
    High,
}

impl Level {
    /// The level of so many points.
    pub fn of(points: u32) -> Self {
        match points {
            HIGH_POINTS.. => Self::High,
            MEDIUM_POINTS.. => Self::Medium,
            _ => Self::Low,
        }
    }

    /// The word used in documents and on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One line of the explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The rule: `concealment.untold`.
    pub rule: &'static str,
    /// What kind of thing it is about.
    pub class: Class,
    /// What it adds to the score.
    pub points: u32,
    /// Where in the definition, as a JSON pointer; empty for the whole.
    pub pointer: String,
    /// What it says, of the definition.
    pub says: &'static str,
    /// The words it is about, in their plain form; empty if it is about none in particular.
    pub excerpt: String,
}

/// One definition, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Which; none for the instructions.
    pub named: Option<Named>,
    /// What a tool seems to do; none for what is no tool.
    pub effect: Option<Effect>,
    /// The points of the remarks, at most 100.
    pub score: u32,
    /// What they come to.
    pub level: Level,
    /// Why, the weightiest first.
    pub remarks: Vec<Remark>,
}

/// Everything that a server offers, judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The highest score among them.
    pub score: u32,
    /// What it comes to.
    pub level: Level,
    /// Each, in the server's order; the instructions first, if it has any.
    pub judged: Vec<Judged>,
}

/// Judges everything of a server, its names beside those of the other servers of the crowd.
pub fn judge(own: &ServerName, definitions: &Definitions, crowd: &Crowd) -> Judgement {
    let instructions = definitions.instructions.as_deref().map(judge_instructions);
    let each = Kind::ALL.into_iter().flat_map(|kind| definitions.of(kind).iter().map(move |one| (kind, one)));
    let judged: Vec<Judged> = instructions
        .into_iter()
        .chain(each.map(|(kind, one)| judged(Scale::shipped(), kind, one, (Some(own), crowd))))
        .collect();
    let score = judged.iter().map(|one| one.score).max().unwrap_or_default();
    Judgement { score, level: Level::of(score), judged }
}

/// Frees what judging needs if nobody asked for it for so long: some twenty megabytes, which are made again in a tenth of a
/// second. Says whether it did.
pub fn free_rules(unasked: Duration) -> bool {
    rules::free(unasked)
}

/// Judges what a server tells models about itself.
pub fn judge_instructions(text: &str) -> Judged {
    let mut found = Found::default();
    let texts = [Text { pointer: String::new(), text: text.to_owned() }];
    found.hear(Scale::shipped(), &texts);
    found.judged(None, None)
}

/// Judges one definition, its name beside those of the crowd.
pub fn judge_definition(kind: Kind, definition: &Definition, crowd: &Crowd) -> Judged {
    judge_definition_by(Scale::shipped(), kind, definition, crowd)
}

/// The same by other weights than those that ship: for those who train them.
pub fn judge_definition_by(scale: Option<&Scale>, kind: Kind, definition: &Definition, crowd: &Crowd) -> Judged {
    judged(scale, kind, definition, (None, crowd))
}

fn judged(
    scale: Option<&Scale>,
    kind: Kind,
    definition: &Definition,
    (own, crowd): (Option<&ServerName>, &Crowd),
) -> Judged {
    let value = definition.value();
    let mut found = Found::default();
    let texts = texts(&value);
    found.hear(scale, &texts);
    icons::look(&value, &mut |remark| found.add(remark));
    let effect = match kind {
        Kind::Tool => {
            let effect = effect(&definition.name, &value);
            effect::look(effect, &value, &mut |remark| found.add(remark));
            crowd.look(own, &definition.name, &value, &mut |remark| found.add(remark));
            Some(effect)
        }
        Kind::Prompt | Kind::Template => None,
    };
    found.judged(Some(Named { kind, name: definition.name.clone() }), effect)
}

/// What the words of a value say, apart from names and annotations.
pub(crate) fn remarks_of(value: &Value) -> Vec<Remark> {
    let mut found = Found::default();
    found.read(&texts(value));
    icons::look(value, &mut |remark| found.add(remark));
    found.judged(None, None).remarks
}

/// Remarks by rule: each counts once for a definition.
#[derive(Default)]
struct Found {
    remarks: BTreeMap<&'static str, Remark>,
}

impl Found {
    fn add(&mut self, remark: Remark) {
        self.remarks.entry(remark.rule).or_insert(remark);
    }

    /// What the words say, and how they sound.
    fn hear(&mut self, scale: Option<&Scale>, texts: &[Text]) {
        let read = self.read(texts);
        if let Some(scale) = scale {
            voice::listen(scale, texts, read, &mut |remark| self.add(remark));
        }
    }

    /// Matches the rules, and returns the plain forms of the texts that it came to.
    fn read(&mut self, texts: &[Text]) -> Vec<plain::Plain> {
        let mut read = Vec::with_capacity(texts.len());
        let mut left = limits::JUDGED_BYTES_MAX;
        for Text { pointer, text } in texts {
            if text.len() > left {
                self.add(Remark {
                    rule: "hidden.long",
                    class: Class::Hidden,
                    points: MEDIUM_POINTS,
                    pointer: pointer.clone(),
                    says: "is so long that the rest was not judged",
                    excerpt: String::new(),
                });
                break;
            }
            left -= text.len();
            let plain = plain::plain(text);
            for flaw in &plain.flaws {
                self.add(flaw.remark(pointer));
            }
            for reading in &plain.readings {
                rules::read(reading, &mut |rule, excerpt| {
                    self.remarks.entry(&rule.id).or_insert_with(|| rule.remark(pointer, excerpt));
                });
            }
            read.push(plain);
        }
        read
    }

    fn judged(mut self, named: Option<Named>, effect: Option<Effect>) -> Judged {
        for combination in rules::combinations() {
            if combination.holds(|rule| self.remarks.contains_key(rule)) {
                self.add(combination.remark());
            }
        }
        let mut remarks: Vec<Remark> = self.remarks.into_values().collect();
        remarks.sort_by_key(|remark| std::cmp::Reverse(remark.points));
        let score = remarks.iter().map(|remark| remark.points).sum::<u32>().min(POINTS_MAX);
        Judged { named, effect, score, level: Level::of(score), remarks }
    }
}

#[cfg(test)]
mod tests;
