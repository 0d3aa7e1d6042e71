//! Tries rules around the keywords that were seen.

use std::ops::Range;

use model::{Confidence, limits};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Input, MatchKind, PatternSet};

use super::{Compiled, Rules, compile, expression};
use crate::{Found, Hit, Reading, Rule, Sighting, View};

/// Tries each rule one of whose keywords was seen, on the text around them.
pub(super) fn around_words(rules: &Rules, view: &View<'_>, hits: &[Hit], found: &mut Found<'_>) {
    if hits.is_empty() {
        return;
    }
    if view.reading == Reading::Joined {
        return around_seams(rules, view, hits, found);
    }
    let mut windows: Vec<(usize, Range<usize>)> = Vec::new();
    for (index, _, _, window) in hit_windows(rules, view, hits) {
        // Hits come in the order of the text, so a window that overlaps one of the same rule overlaps its last one.
        match windows.iter_mut().rev().take(OPEN_WINDOWS).find(|(owner, _)| *owner == index) {
            Some((_, open)) if open.end >= window.start => open.end = open.end.max(window.end),
            Some(_) | None => windows.push((index, window)),
        }
    }
    // Those that were further back than was looked at are merged here, so that no byte is tried twice by one rule.
    windows.sort_by_key(|(index, window)| (*index, window.start));
    let mut done: Option<(usize, usize)> = None;
    for (index, mut window) in windows {
        if let Some((last, end)) = done
            && last == index
        {
            window.start = window.start.max(end);
        }
        done = Some((index, window.end.max(window.start)));
        if window.start < window.end
            && let Some(compiled) = rules.rules.get(index)
        {
            try_in(compiled, view, window, found);
        }
    }
}

/// The rules whose keywords stand in the text: their numbers, themselves, where the keyword is, and how far around it they
/// look.
fn hit_windows<'r>(
    rules: &'r Rules,
    view: &View<'_>,
    hits: &[Hit],
) -> impl Iterator<Item = (usize, &'r Compiled, Range<usize>, Range<usize>)> {
    hits.iter().filter_map(|hit| {
        let (_, index) = rules.owners.get(hit.index())?;
        let compiled = rules.rules.get(*index)?;
        let (at, around) = (hit.range(), compiled.rule.window);
        let window = at.start.saturating_sub(around)..at.end.saturating_add(around).min(view.text.len());
        view.is_new(&window).then_some((*index, compiled, at, window))
    })
}

/// Strings before and after the one with the keyword that a token may be spread over.
const SEAMS_MAX: usize = 3;

/// Tries rules where strings are read as one. A token that was cut begins or ends where a string does, and what stands
/// beyond that has nothing to do with it; so what lies between any two seams around a keyword is tried by itself.
fn around_seams(rules: &Rules, view: &View<'_>, hits: &[Hit], found: &mut Found<'_>) {
    for (_, compiled, at, window) in hit_windows(rules, view, hits) {
        let before = view.seams.get(..view.seams.partition_point(|seam| *seam <= at.start)).unwrap_or_default();
        let after = view.seams.get(view.seams.partition_point(|seam| *seam < at.end)..).unwrap_or_default();
        let starts = before.iter().rev().copied().take(SEAMS_MAX).chain([window.start]);
        for start in starts.filter(|start| *start >= window.start) {
            let ends = after.iter().copied().take(SEAMS_MAX).chain([window.end]);
            for end in ends.filter(|end| *end <= window.end && *end > start) {
                if compiled.rule.joins && found.may_match(end - start) {
                    search(compiled, view, (view.text.get(start..end), start), 0..end - start, found);
                }
            }
        }
    }
}

/// Bytes before and after a run in which the rest of a token may stand, which no run goes over.
const AROUND_RUN_BYTES: usize = 96;

/// Tries the rules that are about runs, on each of them.
pub(super) fn around_runs(rules: &Rules, view: &View<'_>, found: &mut Found<'_>) {
    if view.reading == Reading::Joined {
        // Runs of a list's values go over into each other all the time.
        return;
    }
    let mut end = 0;
    for run in view.runs {
        if !view.is_new(run) {
            continue;
        }
        let start = run.start.saturating_sub(AROUND_RUN_BYTES).max(end);
        end = run.end.saturating_add(AROUND_RUN_BYTES).min(view.text.len());
        let any = rules.any_run.get_or_init(|| {
            let patterns = rules.runs.iter().filter_map(|index| rules.rules.get(*index)?.rule.pattern.as_deref());
            expression(&patterns.collect::<Vec<_>>(), MatchKind::All).ok()
        });
        let Some(any) = any else { return found.give_up() };
        let around = Input::new(view.text).range(start..end);
        if start >= end || !found.may_match(end - start) || !any.is_match(around.clone()) {
            continue;
        }
        let mut which = PatternSet::new(any.pattern_len());
        any.which_overlapping_matches(&around, &mut which);
        for compiled in which.iter().filter_map(|at| rules.rules.get(*rules.runs.get(at.as_usize())?)) {
            try_in(compiled, view, start..end, found);
        }
    }
}

/// Windows that are looked back at when a keyword is seen.
const OPEN_WINDOWS: usize = 8;

/// Tries a rule in a window of the text.
fn try_in(compiled: &Compiled, view: &View<'_>, window: Range<usize>, found: &mut Found<'_>) {
    let rule = &compiled.rule;
    if view.reading == Reading::Joined && !rule.joins {
        return;
    }
    if found.may_match(window.len()) {
        search(compiled, view, (Some(view.text), 0), window, found);
    }
}

/// Looks for a rule's matches in a part of a text, which stands at `offset` in the view's.
fn search(
    compiled: &Compiled,
    view: &View<'_>,
    (text, offset): (Option<&str>, usize),
    window: Range<usize>,
    found: &mut Found<'_>,
) {
    let rule = &compiled.rule;
    let (Some(text), Some(pattern)) = (text, compiled.pattern.get_or_init(|| compile(rule).ok())) else {
        found.give_up();
        return;
    };
    let mut input = Input::new(text).range(window.clone());
    // Of an expression without a group it is enough to know where its match begins and ends.
    let mut places = [None; 4];
    let asked = if pattern.captures_len() > 1 { 4 } else { 2 };
    loop {
        places.fill(None);
        pattern.search_slots(&input, places.get_mut(..asked).unwrap_or_default());
        let [Some(from), Some(to), first, last] = places.map(|place| place.map(NonMaxUsize::get)) else { return };
        let group = first.zip(last).map_or(from..to, |(first, last)| first..last);
        let range = group.start + offset..group.end + offset;
        if confirmed(compiled, view, range.clone()) {
            found.add(Sighting {
                rule: &rule.id,
                class: &rule.class,
                severity: rule.severity,
                confidence: confidence(rule, view.text.get(range.clone()).unwrap_or_default()),
                weight: rule.weight,
                range,
            });
        }
        // What follows the group may be what has to stand before the next one.
        let next = group.end.max(from + 1);
        if next >= window.end {
            return;
        }
        input.set_start(next);
    }
}

/// How sure the rule is of a match: what a checksum confirms where there may be one.
fn confidence(rule: &Rule, text: &str) -> Confidence {
    match rule.confirms {
        Some(check) if !check.passes(text) => rule.confidence.min(Confidence::Medium),
        Some(_) | None => rule.confidence,
    }
}

/// Whether what has the form is the thing.
fn confirmed(compiled: &Compiled, view: &View<'_>, range: Range<usize>) -> bool {
    let rule = &compiled.rule;
    let Some(text) = view.text.get(range.clone()) else { return false };
    rule.entropy.is_none_or(|least| crate::check::entropy(text.as_bytes()) >= least)
        && rule.check.is_none_or(|check| check.passes(text))
        && (rule.needs.is_empty() || is_near(view, &range, &rule.needs))
}

/// Whether one of the words stands near the range, or in the key of the value.
pub(crate) fn is_near(view: &View<'_>, range: &Range<usize>, words: &[String]) -> bool {
    let bytes = view.text.as_bytes();
    let from = range.start.saturating_sub(limits::RULE_CONTEXT_BYTES);
    let to = range.end.saturating_add(limits::RULE_CONTEXT_BYTES).min(bytes.len());
    let before = bytes.get(from..range.start).unwrap_or_default();
    let after = bytes.get(range.end..to).unwrap_or_default();
    let lower = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let around = [lower(before), lower(after), view.key.to_ascii_lowercase()];
    words.iter().any(|word| around.iter().any(|text| text.contains(word.as_str())))
}
