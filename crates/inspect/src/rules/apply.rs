//! Tries rules around the keywords that were seen.

use std::ops::Range;

use model::limits;
use regex_automata::Input;

use super::{Compiled, Rules, compile};
use crate::{Found, Hit, Reading, Sighting, View};

/// Tries each rule one of whose keywords was seen, on the text around them.
pub(super) fn look(rules: &Rules, view: &View<'_>, hits: &[Hit], found: &mut Found<'_>) {
    if view.reading == Reading::Leetspeak {
        return;
    }
    let mut windows: Vec<(usize, Range<usize>)> = Vec::new();
    for hit in hits {
        let Some((_, index)) = rules.owners.get(hit.index()) else { continue };
        let Some(compiled) = rules.rules.get(*index) else { continue };
        let at = hit.range();
        let around = compiled.rule.window;
        let window = at.start.saturating_sub(around)..at.end.saturating_add(around).min(view.text.len());
        // Hits come in the order of the text, so a window that overlaps one of the same rule overlaps its last one.
        match windows.iter_mut().rev().take(OPEN_WINDOWS).find(|(owner, _)| owner == index) {
            Some((_, open)) if open.end >= window.start => open.end = open.end.max(window.end),
            Some(_) | None => windows.push((*index, window)),
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

/// Windows that are looked back at when a keyword is seen.
const OPEN_WINDOWS: usize = 8;

/// Tries a rule in a window of the text.
fn try_in(compiled: &Compiled, view: &View<'_>, window: Range<usize>, found: &mut Found<'_>) {
    let rule = &compiled.rule;
    if view.reading == Reading::Joined && !rule.joins {
        return;
    }
    let Some(pattern) = compiled.pattern.get_or_init(|| compile(rule).ok()) else {
        found.give_up();
        return;
    };
    if !found.may_match(window.len()) {
        return;
    }
    let mut input = Input::new(view.text).range(window.clone());
    let mut groups = pattern.create_captures();
    loop {
        pattern.search_captures(&input, &mut groups);
        let Some(whole) = groups.get_match() else { return };
        let group = groups.get_group(1).unwrap_or_else(|| whole.span());
        if confirmed(compiled, view, group.start..group.end) {
            found.add(Sighting {
                rule: &rule.id,
                class: &rule.class,
                severity: rule.severity,
                confidence: rule.confidence,
                weight: rule.weight,
                range: group.start..group.end,
            });
        }
        let next = whole.end().max(whole.start() + 1);
        if next >= window.end {
            return;
        }
        input.set_start(next);
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
