//! How receipts look: one on a page, many in a list.

use std::fmt::Write as _;

use anstyle::Style;
use model::Actor;
use serde_json::Value;

use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};

/// One receipt.
pub(crate) fn whole(receipt: &Value) -> String {
    let (style, verdict) = verdict(receipt);
    let id = text(receipt, "/record/id");
    let mut page = format!("{NAME}{}{NAME:#}  {style}{verdict}{style:#}\n", visible(id));
    let mut row = |label: &str, text: &str| {
        let _infallible = writeln!(page, "  {FAINT}{label:<11}{FAINT:#}{}", wrapped(&visible(text), 13));
    };
    row("when", &paint::moment(number(receipt, "/record/at")));
    for (label, pointer) in ROWS {
        match receipt.pointer(pointer) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => row(label, text),
            Some(Value::Array(list)) => {
                let words = list.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
                row(label, &words.collect::<Vec<_>>().join(", "));
            }
            Some(Value::Object(commitment)) if commitment.contains_key("hash") => {
                let bytes = paint::count_of(number(receipt, &format!("{pointer}/bytes")), "byte");
                row(label, &format!("{bytes}, kept as a salted commitment"));
                row("", text(receipt, &format!("{pointer}/hash")));
            }
            Some(Value::Object(told)) if told.contains_key("type") => row(label, &actor(receipt.pointer(pointer))),
            Some(other) => row(label, &other.to_string()),
        }
    }
    for line in findings(receipt.pointer("/record/event/findings")) {
        row("found", &line);
    }
    if let Some(record) = receipt.get("outcome") {
        row("outcome", &format!("{} after {} ms", end(record), number(record, "/record/event/milliseconds")));
        let detail = text(record, "/record/event/detail");
        if !detail.is_empty() {
            row("", detail);
        }
        for line in findings(record.pointer("/record/event/findings")) {
            row("in answer", &line);
        }
    }
    row("record", &number(receipt, "/index").to_string());
    match receipt.get("proof") {
        Some(proof) => {
            row("proof", "it is in the signed tree, as the leaf");
            row("", text(proof, "/leaf"));
        }
        None => row("proof", "not signed yet; about a second after it was written"),
    }
    page
}

/// What inspection saw, a line for each: how bad, by which rule, where.
fn findings(saw: Option<&Value>) -> Vec<String> {
    let Some(saw) = saw else { return Vec::new() };
    let list = saw.get("list").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let line = |sight: &Value| {
        let place = text(sight, "/place");
        let place = if place.is_empty() { "the message" } else { place };
        format!("{} {} at {place}", text(sight, "/severity"), text(sight, "/rule"))
    };
    let mut lines: Vec<String> = list.iter().map(line).collect();
    match number(saw, "/more") {
        0 => {}
        more => lines.push(format!("and {more} more")),
    }
    match number(saw, "/suppressed") {
        0 => {}
        count => lines.push(format!("{count} suppressed")),
    }
    if saw.get("complete") == Some(&Value::Bool(false)) {
        lines.push("not everything was looked at".to_owned());
    }
    let done = saw.get("done").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    lines.extend(done.iter().filter_map(Value::as_str).map(|done| format!("done: {done}")));
    lines
}

/// What of a record's event is worth a row, in the order it is read.
const ROWS: [(&str, &str); 28] = [
    ("agent", "/record/event/who/agent"),
    ("user", "/record/event/who/user"),
    ("changed", "/record/event/who/changed"),
    ("endpoint", "/record/event/endpoint"),
    ("server", "/record/event/server"),
    ("method", "/record/event/method"),
    ("object", "/record/event/object/name"),
    ("resource", "/record/event/object/uri"),
    ("pin", "/record/event/pin"),
    ("control", "/record/event/control"),
    ("reason", "/record/event/reason"),
    ("detail", "/record/event/detail"),
    ("policies", "/record/event/policies"),
    ("shown", "/record/event/shown"),
    ("hidden", "/record/event/hidden"),
    ("by", "/record/event/actor"),
    ("what", "/record/event/what"),
    ("subject", "/record/event/subject"),
    ("source", "/record/event/source"),
    ("count", "/record/event/count"),
    ("version", "/record/event/version"),
    ("arguments", "/record/event/arguments"),
    ("call", "/record/event/call"),
    ("about", "/record/event/receipt"),
    ("verdict", "/record/event/verdict"),
    ("rule", "/record/event/rule"),
    ("note", "/record/event/note"),
    ("revision", "/record/event/revision"),
];

/// Many receipts.
pub(crate) fn page(page: &Value) -> String {
    let receipts = page.get("receipts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if receipts.is_empty() {
        return format!("{WARN}no receipt fits{WARN:#}\n");
    }
    let mut shown: String = receipts.iter().map(row).collect();
    if let Some(before) = page.get("before").and_then(Value::as_u64) {
        let _infallible = writeln!(shown, "\n{FAINT}next:{FAINT:#}  the same with --before {before}");
    }
    shown
}

/// Two lines: who and what came of it, then the id to go on with.
fn row(receipt: &Value) -> String {
    let (style, verdict) = verdict(receipt);
    let at = paint::moment(number(receipt, "/record/at"));
    let who = match (text(receipt, "/record/event/who/agent"), text(receipt, "/record/event/who/user")) {
        ("", _) => actor(receipt.pointer("/record/event/actor")),
        (agent, "") => agent.to_owned(),
        (agent, user) => format!("{agent} for {user}"),
    };
    let line = paint::cut(&visible(&format!("{who}  {}", subject(receipt))), paint::WIDTH - 24);
    let id = visible(text(receipt, "/record/id"));
    format!("{FAINT}{at}{FAINT:#}  {line}\n  {FAINT}{id}{FAINT:#}  {style}{verdict}{style:#}\n")
}

/// What a record is about, in a few words.
fn subject(receipt: &Value) -> String {
    let first = ["/record/event/object/name", "/record/event/object/uri", "/record/event/method", "/record/event/what"]
        .iter()
        .map(|pointer| text(receipt, pointer))
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| text(receipt, "/record/kind"));
    match (text(receipt, "/record/event/endpoint"), text(receipt, "/record/event/subject")) {
        ("", "") => first.to_owned(),
        ("", subject) => format!("{first} {subject}"),
        (endpoint, _) => format!("{first} at {endpoint}"),
    }
}

/// The end of it in a word, in its colour.
fn verdict(receipt: &Value) -> (Style, String) {
    match text(receipt, "/record/kind") {
        "refused" => (BAD, format!("refused: {}", text(receipt, "/record/event/reason"))),
        "intent" => match receipt.get("outcome") {
            None => (WARN, "under way".to_owned()),
            Some(record) => {
                let end = end(record);
                let style = match end.as_str() {
                    "completed" | "input-required" | "became-task" => GOOD,
                    "tool-error" | "cancelled" => WARN,
                    _ => BAD,
                };
                (style, end)
            }
        },
        kind => (FAINT, kind.to_owned()),
    }
}

/// How a call ended, with why where there is one.
fn end(record: &Value) -> String {
    let word = text(record, "/record/event/end/type");
    match record.pointer("/record/event/end/why") {
        None | Some(Value::Null) => word.to_owned(),
        Some(Value::String(why)) => format!("{word}: {why}"),
        Some(why) => format!("{word}: {why}"),
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Somebody who changed something, in words; as it stands there, where it is of a later version.
fn actor(told: Option<&Value>) -> String {
    let Some(told) = told else { return String::new() };
    serde_json::from_value::<Actor>(told.clone()).map_or_else(|_| told.to_string(), |actor| actor.to_string())
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests;
