//! What the judge of definitions grades by weights and thresholds that know nothing of the fold: honest definitions of
//! servers that were not trained on, and poisoned wordings that were not. And the weights that ship.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

use inspect::injection::definition::{Scale, Weights};
use registry::{Crowd, Definition, Judged, Kind, Level, heard, judge_definition_by};
use serde_json::{Value, json};

use super::corpora::FOLDS;
use super::random::Random;
use super::rates::Report;
use super::samples::{Folds, Maker};
use super::trained::Wording;
use super::weigh::{Lesson, learn};

/// Texts made of each wording with choices: poisoned and honest ones.
const MADE_EACH: [usize; 2] = [8, 6];
/// Texts made of each wording without choices, whose slots are filled.
const FILLED_EACH: usize = 2;
/// Texts made of each frame: poisoned and honest ones.
const FRAMED_EACH: [usize; 2] = [40, 40];
/// How much an honest wording counts next to a sentence of an honest definition.
const HARD_WEIGHT: f32 = 3.0;
/// The shares of honest definitions that give a hint, are suspicious and are certain.
const SHARES: [f32; 3] = [0.06, 0.009, 0.007];
/// Tools whose judgement is timed.
const TIMED: f64 = 10_000.0;

/// What stands before the tables of the page.
pub(crate) const PREFACE: &str = "\
# Definitions that were not trained on, judged

Made by `cargo run --release -p trial -- definitions --corpora DIR`; do not edit. Counts, rates and 95 % intervals
(Wilson's).

The judge of wording has rules and weights. The rules are the same everywhere; the weights here are fitted five times, each
time without a fold and with thresholds that know nothing of it, and grade that fold: honest definitions of servers that
were not trained on, wordings of `bench/definitions/trained.toml` put into such definitions, and wordings that the rules
were tried on. *Honest wordings* are written to read like poisoned ones; they are no sample of what servers say. Some of
them were written, and a few rules narrowed, after a look at which honest definitions are loudest or were high, so the rate
of those flatters. The poisoned wordings were written to be unlike each other; the rules called `frame` were chosen with
them in sight, so only the weights have not seen them. The rate of those held out stands in
[definitions, judged](definitions.md); its counts, never its texts, were looked at five times while weights, thresholds
and points were chosen.
";

/// Fits weights, each set once.
pub(crate) struct Loom<'m> {
    maker: &'m Maker,
    honest: Vec<(Definition, String, u8)>,
    fitted: BTreeMap<(Option<u8>, Option<u8>), Weights>,
}

impl<'m> Loom<'m> {
    /// One that fitted nothing yet.
    pub(crate) fn new(maker: &'m Maker) -> anyhow::Result<Self> {
        let corpora = maker.corpora();
        let mut honest = Vec::new();
        for (tool, text) in corpora.tools.iter().zip(&corpora.definitions) {
            honest.push((definition(tool)?, heard(tool), text.fold));
        }
        Ok(Self { maker, honest, fitted: BTreeMap::new() })
    }

    /// Weights and thresholds that know nothing of a fold.
    pub(crate) fn fit(&mut self, left_out: Option<u8>) -> Weights {
        let mut scores = Vec::new();
        for inner in (0..FOLDS).filter(|fold| Some(*fold) != left_out) {
            let scale = Scale::new(self.without(Some(inner), left_out));
            let unseen = self.honest.iter().filter(|(_, _, fold)| *fold == inner);
            scores.extend(unseen.filter_map(|(_, text, _)| Some(scale.loudest(text)?.score)));
        }
        scores.sort_by(|one, other| other.total_cmp(one));
        let [hint, suspicion, certainty] = SHARES.map(|share| {
            let place = (scores.len() as f32 * share) as usize;
            scores.get(place).copied().unwrap_or_default()
        });
        Weights { hint, suspicion, certainty, ..self.without(left_out, None) }
    }

    fn without(&mut self, first: Option<u8>, second: Option<u8>) -> Weights {
        let key = (first.max(second), first.min(second));
        if let Some(known) = self.fitted.get(&key) {
            return known.clone();
        }
        let folds = key.0.map_or(Folds::All, |first| Folds::Without(first, key.1));
        let weights = learn(&self.lessons(folds));
        self.fitted.entry(key).or_insert(weights).clone()
    }

    fn lessons(&self, folds: Folds) -> Vec<Lesson> {
        let (maker, plain) = (self.maker, self.maker.plain());
        let mut random = Random::new(1);
        let [poisons, hard] = MADE_EACH;
        let mut lessons = Vec::new();
        let mut add = |text: String, poisoned: bool, weight: f32| lessons.push(Lesson { text, poisoned, weight });
        maker.poisons(folds, poisons, &mut random).into_iter().for_each(|text| add(text, true, 1.0));
        maker.hard(folds, hard, &mut random).into_iter().for_each(|text| add(text, false, HARD_WEIGHT));
        let [poisoned, honest] = FRAMED_EACH;
        maker.framed(folds, "poisoned", poisoned, &mut random).into_iter().for_each(|text| add(text, true, 1.0));
        maker.framed(folds, "honest", honest, &mut random).into_iter().for_each(|text| add(text, false, 1.0));
        let sides = [(&plain.poisoned, true, 1.0), (&plain.tried, true, 1.0), (&plain.honest, false, HARD_WEIGHT)];
        for (wordings, poisoned, weight) in sides {
            for wording in wordings.iter().filter(|wording| folds.has(wording.fold)) {
                for _ in 0..FILLED_EACH {
                    add(maker.filled(wording, &mut random), poisoned, weight);
                }
            }
        }
        for (_, text, _) in self.honest.iter().filter(|(_, _, fold)| folds.has(*fold)) {
            add(text.clone(), false, 1.0);
        }
        lessons
    }

    /// Rates of it all by weights that know nothing of what they grade; and a line for each: fold, topic, class, points, how
    /// loud it is, the rules, and the wording or the name. Tabs between.
    pub(crate) fn rates(&mut self, report: &mut Report) -> anyhow::Result<String> {
        let mut lines = String::new();
        for fold in 0..FOLDS {
            let scale = Scale::new(self.fit(Some(fold)));
            let mut random = Random::new(13);
            let tools = self.maker.corpora().tools.iter();
            let of_fold = |(tool, (_, _, own)): (_, &(_, _, u8))| (*own == fold).then_some(tool);
            let carriers: Vec<&Value> = tools.zip(&self.honest).filter_map(of_fold).collect();
            let mut note = |topic: &str, class: &str, text: &str, value: &Value| -> anyhow::Result<()> {
                let judged = judged(&scale, value)?;
                report.add(topic, "all, high", judged.level == Level::High);
                report.add(topic, "all, medium or high", judged.level >= Level::Medium);
                if !class.is_empty() {
                    report.add(topic, &format!("{class}, high"), judged.level == Level::High);
                }
                let loud = scale.loudest(&heard(value)).map_or(f32::NEG_INFINITY, |loudest| loudest.score);
                let rules = judged.remarks.iter().map(|one| format!("{} {}", one.rule, one.points));
                let rules: Vec<String> = rules.collect();
                let text = text.replace(['\n', '\t'], " ");
                let (score, rules) = (judged.score, rules.join(", "));
                writeln!(lines, "{fold}\t{topic}\t{class}\t{score}\t{loud:.4}\t{rules}\t{text}")?;
                Ok(())
            };
            for carrier in &carriers {
                let name = carrier.get("name").and_then(Value::as_str).unwrap_or_default();
                note("honest definitions of unseen servers", "", name, carrier)?;
            }
            let plain = self.maker.plain();
            let topics: [(&str, &[Wording]); 3] = [
                ("poisoned wordings, unseen", &plain.poisoned),
                ("poisoned wordings the rules were tried on, unseen by the weights", &plain.tried),
                ("honest wordings, unseen", &plain.honest),
            ];
            for (topic, wordings) in topics {
                let all = wordings.iter().enumerate().filter(|(_, wording)| wording.fold == fold);
                for (turn, wording) in all {
                    let text = self.maker.filled(wording, &mut random);
                    let carrier = random.of(&carriers).copied().cloned().unwrap_or_default();
                    note(topic, &wording.class, &text, &spliced(carrier, &text, turn))?;
                }
            }
        }
        Ok(lines)
    }

    /// How long judging takes, by the weights that ship.
    pub(crate) fn speed(&self, report: &mut Report) {
        let nobody = Crowd::default();
        let mut each: Vec<f64> = Vec::new();
        for _ in 0..3 {
            for (definition, _, _) in &self.honest {
                let began = Instant::now();
                judge_definition_by(Scale::shipped(), Kind::Tool, definition, &nobody);
                each.push(began.elapsed().as_secs_f64());
            }
        }
        let mean = each.iter().sum::<f64>() / each.len().max(1) as f64;
        each.sort_by(f64::total_cmp);
        report.figure("µs to judge a definition, median", each.get(each.len() / 2).copied().unwrap_or_default() * 1e6);
        report.figure("seconds to judge 10,000 tools", mean * TIMED);
    }
}

fn definition(value: &Value) -> anyhow::Result<Definition> {
    Ok(Definition::new(value.get("name").and_then(Value::as_str).unwrap_or("tool"), value)?)
}

fn judged(scale: &Scale, value: &Value) -> anyhow::Result<Judged> {
    Ok(judge_definition_by(Some(scale), Kind::Tool, &definition(value)?, &Crowd::default()))
}

/// A definition with a text in it: at the end of its description, or as that of an argument.
fn spliced(mut carrier: Value, text: &str, turn: usize) -> Value {
    let described = carrier.get("description").and_then(Value::as_str).unwrap_or_default();
    let whole = format!("{described} {text}");
    let arguments = carrier.pointer_mut("/inputSchema/properties").and_then(Value::as_object_mut);
    match arguments.and_then(|all| all.values_mut().next()).filter(|_| turn % 2 == 1) {
        Some(argument) => *argument = json!({ "type": "string", "description": text }),
        None => {
            if let Some(members) = carrier.as_object_mut() {
                members.insert("description".to_owned(), json!(whole));
            }
        }
    }
    carrier
}
