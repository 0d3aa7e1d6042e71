//! Scores each kind of finding on its corpus.

use std::ops::Range;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inspect::{Findings, Inspector, Origin, Rules};
use serde_json::{Value, json};

use super::corpora::{FOLDS, gunzip, lines};
use super::evasions::EVASIONS;
use super::learn::Lab;
use super::random::Random;
use super::rates::Report;
use super::samples::{Folds, Maker, Sample};

/// Texts made of each wording that is scored.
const EACH: usize = 6;
/// Other wordings that each injection of the corpora's results is put in.
const REWORDED: usize = 3;
/// Injected texts of each fold that are mutated.
const MUTATED: usize = 160;

/// Single secrets, and what only looks like one.
pub(crate) fn secrets(corpora: &Path, report: &mut Report) -> anyhow::Result<()> {
    let inspector = Inspector::standard()?;
    for value in gunzip(&corpora.join("secrets/examples.jsonl.gz"))? {
        let (Some(text), Some(label)) = (text(&value, "text"), value.get("label").and_then(Value::as_u64)) else {
            continue;
        };
        let found = has_class(&inspector.scan_text(text, Origin::Text), "secret");
        let group = value.get("group").and_then(Value::as_str).unwrap_or("other");
        let topic = if label == 1 { "secrets found" } else { "secrets: look-alikes flagged" };
        report.add(topic, group, found);
        report.add(topic, "all", found);
    }
    Ok(())
}

/// What the corpus calls each kind of structured data, and the beginnings of our rules for it.
const STRUCTURED: &[(&str, &[&str])] = &[
    ("EMAIL_ADDRESS", &["personal.email"]),
    ("PHONE_NUMBER", &["personal.phone"]),
    ("CREDIT_CARD", &["payment.card"]),
    ("IBAN_CODE", &["payment.iban"]),
    ("IP_ADDRESS", &["personal.ip"]),
    ("DOMAIN_NAME", &["personal.url"]),
    ("URL", &["personal.url"]),
    ("US_SSN", &["personal.id.us-ssn"]),
    ("US_DRIVER_LICENSE", &["personal.driving-licence"]),
];
/// Told beside: no form tells them.
const IN_CONTEXT: &[(&str, &[&str])] = &[
    ("PERSON", &["personal.name"]),
    ("STREET_ADDRESS", &["personal.address"]),
    ("DATE_TIME", &["personal.date-of-birth"]),
];

/// Sentences with spans of personal data.
pub(crate) fn personal(corpora: &Path, report: &mut Report) -> anyhow::Result<()> {
    let inspector = Inspector::standard()?;
    for value in lines(&corpora.join("personal/presidio_generated.jsonl"))? {
        let Some(text) = text(&value, "text") else { continue };
        let findings = inspector.scan_text(text, Origin::Text);
        let spans: Vec<(&str, Range<usize>)> = value
            .get("spans")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|span| of_span(span, text))
            .collect();
        for (topic, kinds) in [("personal data, structured", STRUCTURED), ("personal data, in context", IN_CONTEXT)] {
            let ours = |kind: &str| kinds.iter().find(|(name, _)| *name == kind).map(|(_, rules)| *rules);
            for (kind, span) in &spans {
                let Some(rules) = ours(kind) else { continue };
                let hit = findings
                    .list
                    .iter()
                    .any(|finding| starts(finding.rule.as_str(), rules) && meets(&finding.place.range, span));
                report.add(&format!("{topic}: recall"), kind, hit);
                report.add(&format!("{topic}: recall"), "all", hit);
            }
            for finding in &findings.list {
                let Some((kind, _)) = kinds.iter().find(|(_, rules)| starts(finding.rule.as_str(), rules)) else {
                    continue;
                };
                // What another kind of the corpus covers is told as that: a domain in an address is no mistake.
                let right = spans.iter().any(|(_, span)| meets(&finding.place.range, span));
                report.add(&format!("{topic}: precision"), kind, right);
                report.add(&format!("{topic}: precision"), "all", right);
            }
        }
    }
    Ok(())
}

/// Injections, in pairs, and everything harmless; each fold with a model that knows nothing of it.
pub(crate) fn injections(maker: &Maker, report: &mut Report) -> anyhow::Result<()> {
    let mut lab = Lab::new(maker);
    for fold in 0..FOLDS {
        let inspector = Inspector::with_model(Rules::standard()?, lab.fit(Some(fold))?)?;
        let only = Folds::Only(fold);
        for sample in maker.injected(only, EACH, 11) {
            let hit = attributed(&inspector, &sample, Origin::Answer);
            report.add("injection in results, other wordings (paired)", sample.kind, hit);
            report.add("injection in results, other wordings (paired)", "all", hit);
            if !matches!(sample.kind, "bare" | "polite" | "aside") {
                report.add("injection in results, other wordings (paired)", "all but orders to nobody", hit);
            }
        }
        for sample in maker.reworded(only, REWORDED, 11) {
            let hit = pair(&inspector, &sample.text, &sample.clean, Origin::Answer);
            report.add("injection in AgentDojo's results, other wordings (paired)", sample.kind, hit);
            report.add("injection in AgentDojo's results, other wordings (paired)", "all", hit);
            if !matches!(sample.kind, "bare" | "polite") {
                report.add(
                    "injection in AgentDojo's results, other wordings (paired)",
                    "all but orders to nobody",
                    hit,
                );
            }
        }
        for own in maker.corpora().pairs.iter().filter(|own| own.text.fold == fold) {
            let hit = pair(&inspector, &own.text.text, &own.clean, Origin::Answer);
            report.add("injection in AgentDojo's results, its own wording (paired)", "all", hit);
        }
        for sample in maker.harmless(only, EACH, 11) {
            let hit = has_class(&inspector.scan_text(&sample.text, Origin::Answer), INJECTION);
            report.add("injection: false positives", sample.kind, hit);
            // Files come from version control in base 64.
            let file = json!({"path": "README.md", "encoding": "base64", "content": STANDARD.encode(&sample.text)});
            match sample.kind {
                "result" | "mail" | "sentence" => {
                    report.add("injection: false positives", "all harmless results", hit);
                    let hit = found_in(&inspector, &file);
                    report.add("injection: false positives", "all harmless results, in base 64", hit);
                }
                "hard" | "request" => report.add("injection: false positives", "all hard negatives", hit),
                _ => {}
            }
        }
        for sample in maker.poisoned(only, EACH, 11) {
            report.add(
                "injection in definitions, made (paired)",
                sample.kind,
                attributed(&inspector, &sample, Origin::Definition),
            );
        }
        for sample in maker.trusted(only, 11) {
            let hit = has_class(&inspector.scan_text(&sample.text, Origin::Definition), INJECTION);
            report.add("injection: false positives", sample.kind, hit);
        }
        for poisoned in maker.corpora().poisoned.iter().filter(|text| text.fold == fold) {
            let hit = has_class(&inspector.scan_text(&poisoned.text, Origin::Definition), INJECTION);
            report.add("injection in definitions, the corpora's", "poisoned", hit);
        }
        for mixed in maker.corpora().mixed.iter().filter(|text| text.fold == fold) {
            let hit = has_class(&inspector.scan_text(&mixed.text, Origin::Definition), INJECTION);
            report.add("injection in definitions, the corpora's", "mixed", hit);
        }
        evasions(maker, &inspector, only, report);
    }
    Ok(())
}

/// The same injections plainly and disguised: what is found of those that are found plainly.
fn evasions(maker: &Maker, inspector: &Inspector, folds: Folds, report: &mut Report) {
    let mut samples = maker.injected(folds, 1, 23);
    Random::new(29).shuffle(&mut samples);
    let mut random = Random::new(31);
    for sample in samples.iter().take(MUTATED) {
        let Some(injected) = sample.injected.clone() else { continue };
        let parts =
            (sample.text.get(..injected.start), sample.text.get(injected.clone()), sample.text.get(injected.end..));
        let (Some(before), Some(inside), Some(after)) = parts else { continue };
        let clean = found_in(inspector, &json!({"text": sample.clean}));
        let hit = |message: &Value| !clean && found_in(inspector, message);
        report.add("evasions", "plain", hit(&json!({"text": sample.text})));
        for (name, mutate) in EVASIONS {
            report.add("evasions", name, hit(&mutate(before, inside, after, &mut random)));
        }
    }
}

fn found_in(inspector: &Inspector, message: &Value) -> bool {
    has_class(&inspector.scan_json(&message.to_string(), Origin::Answer), INJECTION)
}

/// The class of injected instructions.
const INJECTION: &str = "injection";

/// Whether there is a finding that the injection itself causes: it stands on it, or reaches into it where the same text
/// without it has none.
fn attributed(inspector: &Inspector, sample: &Sample, origin: Origin) -> bool {
    let Some(injected) = &sample.injected else { return false };
    let findings = inspector.scan_text(&sample.text, origin);
    let mut ours =
        findings.list.iter().filter(|finding| finding.class.as_str() == INJECTION).map(|finding| &finding.place.range);
    let is_clean = || !has_class(&inspector.scan_text(&sample.clean, origin), INJECTION);
    ours.any(|range| stands_on(range, injected) || (meets(range, injected) && is_clean()))
}

/// Whether most of a finding lies in the injection.
fn stands_on(found: &Range<usize>, injected: &Range<usize>) -> bool {
    let shared = found.end.min(injected.end).saturating_sub(found.start.max(injected.start));
    shared * 2 > found.len()
}

/// Whether the injection, and only it, has a finding.
fn pair(inspector: &Inspector, text: &str, clean: &str, origin: Origin) -> bool {
    has_class(&inspector.scan_text(text, origin), INJECTION)
        && !has_class(&inspector.scan_text(clean, origin), INJECTION)
}

/// Whether there is a finding of a class.
pub(crate) fn has_class(findings: &Findings, class: &str) -> bool {
    findings.list.iter().any(|finding| finding.class.as_str() == class)
}

fn starts(rule: &str, rules: &[&str]) -> bool {
    rules.iter().any(|begin| rule.starts_with(begin))
}

/// Whether two ranges have a byte in common.
pub(crate) fn meets(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// A span of the corpus, whose places count characters, in bytes.
fn of_span<'v>(span: &'v Value, text: &str) -> Option<(&'v str, Range<usize>)> {
    let place = |name: &str| usize::try_from(span.get(name)?.as_u64()?).ok();
    Some((span.get("type")?.as_str()?, in_bytes(text, place("start")?..place("end")?)))
}

/// A range of characters in bytes.
pub(crate) fn in_bytes(text: &str, chars: Range<usize>) -> Range<usize> {
    let place = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    place(chars.start)..place(chars.end)
}

/// Where personal data of a structured kind stands, and any other.
pub(crate) fn spans(value: &Value, text: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let all = value.get("spans").and_then(Value::as_array).into_iter().flatten();
    let (structured, others): (Vec<_>, Vec<_>) = all
        .filter_map(|span| of_span(span, text))
        .partition(|(kind, _)| STRUCTURED.iter().any(|(structured, _)| structured == kind));
    let ranges = |spans: Vec<(&str, Range<usize>)>| spans.into_iter().map(|(_, range)| range).collect();
    (ranges(structured), ranges(others))
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}
