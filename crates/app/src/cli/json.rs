//! JSON that fits the screen: each part on one line if it fits, otherwise member by member.

use serde_json::Value;

use super::paint::{WIDTH, columns};

/// A value as lines; the first begins `indent` columns in, and so do all that follow, at least.
pub(crate) fn fitted(value: &Value, indent: usize) -> String {
    let mut text = String::new();
    write(&mut text, value, indent, indent);
    text
}

/// Writes a value of which the line has `used` columns already.
fn write(text: &mut String, value: &Value, indent: usize, used: usize) {
    let flat = flat(value);
    if used + columns(&flat) < WIDTH {
        text.push_str(&flat);
        return;
    }
    let inner = indent + 2;
    match value {
        Value::Object(members) if !members.is_empty() => {
            let members: Vec<_> = members.iter().map(|(name, member)| (Some(quoted(name)), member)).collect();
            block(text, ['{', '}'], &members, inner);
        }
        Value::Array(list) if !list.is_empty() => {
            let members: Vec<_> = list.iter().map(|member| (None, member)).collect();
            block(text, ['[', ']'], &members, inner);
        }
        // A long text is not broken: what is read must be what is there.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            text.push_str(&flat);
        }
    }
}

fn block(text: &mut String, [open, close]: [char; 2], members: &[(Option<String>, &Value)], inner: usize) {
    let last = members.len().saturating_sub(1);
    text.push(open);
    for (place, (name, member)) in members.iter().enumerate() {
        let name = name.iter().map(|name| format!("{name}: ")).collect::<String>();
        text.push_str(&format!("\n{}{name}", " ".repeat(inner)));
        write(text, member, inner, inner + columns(&name));
        if place < last {
            text.push(',');
        }
    }
    text.push_str(&format!("\n{}{close}", " ".repeat(inner.saturating_sub(2))));
}

/// On one line, with room to breathe.
fn flat(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Object(members) => {
            let parts = members.iter().map(|(name, member)| format!("{}: {}", quoted(name), flat(member)));
            format!("{{{}}}", joined(parts.collect()))
        }
        Value::Array(list) => format!("[{}]", joined(list.iter().map(flat).collect())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

#[cfg(test)]
mod tests;
