//! Which texts of a definition does a model read?

use serde_json::Value;

/// A text of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// Where it stands, as a JSON pointer.
    pub(crate) pointer: String,
    /// It, as the server wrote it; an argument's name with its words apart.
    pub(crate) text: String,
}

/// Every text, in the definition's order: values, and the names of arguments. Pictures are looked at elsewhere, and the
/// address of a schema's dialect is no text.
pub(crate) fn texts(definition: &Value) -> Vec<Text> {
    let mut found = Vec::new();
    walk(definition, &mut String::new(), false, &mut found);
    found
}

/// INVARIANT: definitions are nested at most [`model::limits::JSON_DEPTH_MAX`] deep, as everything is that `wire` parsed.
fn walk(value: &Value, pointer: &mut String, names: bool, found: &mut Vec<Text>) {
    let length = pointer.len();
    match value {
        Value::String(text) if !is_picture(text) => {
            found.push(Text { pointer: pointer.clone(), text: text.clone() });
        }
        Value::Array(list) => {
            for (place, one) in list.iter().enumerate() {
                pointer.push_str(&format!("/{place}"));
                walk(one, pointer, false, found);
                pointer.truncate(length);
            }
        }
        Value::Object(members) => {
            for (key, one) in members.iter().filter(|(key, _)| *key != "$schema") {
                pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1")));
                if names {
                    found.push(Text { pointer: pointer.clone(), text: apart(key) });
                }
                // A member named `properties` within `properties` is an argument.
                walk(one, pointer, !names && matches!(key.as_str(), "properties" | "$defs" | "definitions"), found);
                pointer.truncate(length);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a text is the address of a picture that stands in it, and holds nothing else.
fn is_picture(text: &str) -> bool {
    text.starts_with("data:image/") && !text.contains(char::is_whitespace)
}

/// `modelName` as `model_name`.
pub(crate) fn apart(name: &str) -> String {
    let mut apart = String::with_capacity(name.len() + 4);
    let mut before_is_small = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && before_is_small {
            apart.push('_');
        }
        before_is_small = c.is_ascii_lowercase() || c.is_ascii_digit();
        apart.push(if matches!(c, '-' | '.') { '_' } else { c });
    }
    apart
}
