//! What becomes of changes: as they are, and with a poison spliced in.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context;
use registry::{Grade, Harmless, Outcome, grade};
use serde_json::Value;

use super::made::Poison;
use super::rate::Rate;
use super::{at, definition};

/// Poisons that each change is tried with.
const POISONS_EACH: usize = 6;

pub(super) fn rates(rows: &[Value], poisons: &[Poison], misses: bool) -> anyhow::Result<Vec<Rate>> {
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    let mut grades: BTreeMap<Grade, usize> = BTreeMap::new();
    let mut quiet = 0;
    let (mut tried, mut served, mut held) = (0, 0, 0);
    for (place, row) in rows.iter().enumerate() {
        let (before, after) = (definition(at(row, "/before"))?, definition(at(row, "/after"))?);
        let graded = grade(&before, &after);
        let outcome = graded.outcome(&Harmless::USUAL);
        *grades.entry(graded.grade()).or_default() += 1;
        *by.entry(word(outcome)).or_default() += 1;
        quiet += usize::from(outcome == Outcome::Accepted || (outcome == Outcome::Pinned && graded.can_wait()));
        if misses && outcome != Outcome::Accepted {
            writeln!(std::io::stdout(), "{} {}: {:?}", word(outcome), before.name, graded.alterations.first())?;
        }
        for turn in 0..POISONS_EACH {
            let nth = (place * POISONS_EACH + turn) * 11;
            let poison = poisons.get(nth % poisons.len()).context("no poisons")?;
            let poisoned = definition(&poison.spliced(at(row, "/after"), nth / poisons.len() + place + turn))?;
            let graded = grade(&before, &poisoned);
            let outcome = graded.outcome(&Harmless::USUAL);
            tried += 1;
            served += usize::from(outcome == Outcome::Accepted);
            held += usize::from(outcome == Outcome::Withheld);
            if misses && outcome == Outcome::Accepted {
                writeln!(std::io::stdout(), "SERVED {}: {:?}", before.name, poison.text)?;
            }
        }
    }
    let count = |outcome| by.get(word(outcome)).copied().unwrap_or_default();
    let mut rates = vec![
        Rate::counted("real changes that need no person", quiet, rows.len()),
        Rate::counted("of all: served as they are now", count(Outcome::Accepted), rows.len()),
        Rate::counted("of all: the approved definition is served on", count(Outcome::Pinned), rows.len()),
        Rate::counted("of all: withheld", count(Outcome::Withheld), rows.len()),
    ];
    rates.extend(
        grades
            .iter()
            .map(|(grade, count)| Rate::counted(format!("weightiest grade: {}", grade.as_str()), *count, rows.len())),
    );
    rates.push(Rate::counted("the same with a poison spliced in: served", served, tried));
    rates.push(Rate::counted("the same with a poison spliced in: the tool is withheld", held, tried));
    Ok(rates)
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Pinned => "pinned",
        Outcome::Withheld => "withheld",
    }
}
