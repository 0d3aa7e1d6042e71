//! Rates with their counts and intervals, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

/// Everything that was scored.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The shape of this file.
    format: u32,
    /// By topic, then by what was scored.
    topics: BTreeMap<String, BTreeMap<String, Rate>>,
    /// Speeds and other figures, by what they are of.
    figures: BTreeMap<String, f64>,
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Rate {
    /// Those that were found, or wrongly found.
    hits: usize,
    /// All of them.
    of: usize,
    /// The share.
    rate: f64,
    /// The 95 % interval of the share: Wilson's.
    low: f64,
    /// Its upper end.
    high: f64,
}

/// The quantile of the normal distribution that leaves 95 % between itself and its opposite.
const QUANTILE: f64 = 1.959_964;

impl Rate {
    /// Counts one.
    fn add(&mut self, hit: bool) {
        self.of += 1;
        self.hits += usize::from(hit);
        let (count, share) = (self.of as f64, self.hits as f64 / self.of as f64);
        let square = QUANTILE * QUANTILE;
        let middle = share + square / (2.0 * count);
        let reach = QUANTILE * (share * (1.0 - share) / count + square / (4.0 * count * count)).sqrt();
        let round = |number: f64| (number.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0;
        self.rate = round(share);
        self.low = round((middle - reach) / (1.0 + square / count));
        self.high = round((middle + reach) / (1.0 + square / count));
    }
}

impl Report {
    /// One with nothing scored.
    pub(crate) fn new() -> Self {
        Self { format: 1, ..Self::default() }
    }

    /// Counts one of a topic.
    pub(crate) fn add(&mut self, topic: &str, what: &str, hit: bool) {
        self.topics.entry(topic.to_owned()).or_default().entry(what.to_owned()).or_default().add(hit);
    }

    /// Notes a figure.
    pub(crate) fn figure(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), (value * 1_000.0).round() / 1_000.0);
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        for (topic, rates) in &self.topics {
            let _ = writeln!(table, "{topic}");
            for (what, rate) in rates {
                let (low, high) = (rate.low * 100.0, rate.high * 100.0);
                let share = rate.rate * 100.0;
                let _ = writeln!(
                    table,
                    "  {what:44} {:>5} of {:>5}  {share:5.1} %  [{low:.1}, {high:.1}]",
                    rate.hits, rate.of
                );
            }
        }
        for (name, value) in &self.figures {
            let _ = writeln!(table, "  {name:60} {value:>12.3}");
        }
        table
    }

    /// A page for the reference, with what stands before its tables.
    pub(crate) fn page(&self, preface: &str) -> String {
        let mut page = preface.to_owned();
        for (topic, rates) in &self.topics {
            let _ = writeln!(page, "\n## {}\n\n| | of | rate | 95 % |\n|---|--:|--:|--:|", capitalised(topic));
            for (what, rate) in rates {
                let (share, low, high) = (rate.rate * 100.0, rate.low * 100.0, rate.high * 100.0);
                let _ =
                    writeln!(page, "| {what} | {} / {} | {share:.1} % | {low:.1} to {high:.1} % |", rate.hits, rate.of);
            }
        }
        let _ = writeln!(page, "\n## Speed\n\n| | |\n|---|--:|");
        for (name, value) in &self.figures {
            let _ = writeln!(page, "| {name} | {value} |");
        }
        page
    }
}

/// What stands before the tables of the page on inspection.
pub(crate) const INSPECTION: &str = "\
# What inspection finds, misses and takes

Made by `cargo xtask bench inspect --corpora DIR [--peers PYTHON]`; do not edit. Counts, rates and 95 %
intervals (Wilson's), on public corpora that are no part of the repository.

Injections are scored with models that were fitted without the fold that they are scored on, thresholds included: each
fold leaves out sources (suites, categories, servers) and wordings, never single lines. *Other wordings* are made by
program; wording, goal and context are all of the fold that was left out. *Paired* means that a finding counts only if
the injection causes it: the same text without the injection has none there. *Made* harmless texts are written to look
like injections; they are no sample of what tools answer. Secrets and personal data are scored with the rules that ship.

It is evidence for policy. What is not found is not known to be harmless: labels and provenance hold without it.
";

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
