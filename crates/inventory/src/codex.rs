//! Codex keeps its servers in TOML, as tables `[mcp_servers.NAME]`.

use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, TomlError};

use crate::jsonc::Changed;

/// The table that holds a table for each server.
const SECTION: &str = "mcp_servers";

/// Why a text was left alone.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is no TOML.
    #[error("{0}")]
    Toml(TomlError),
    /// The servers' table is something else.
    #[error("`{SECTION}` is not a table")]
    NotATable,
    /// It has line ends, or something else, that would not stay as it is.
    #[error("the file would not stay as it is beside the new entry; add the lines that `--print` shows by hand")]
    NotKept,
}

/// As [`crate::jsonc::put`].
///
/// # Errors
/// Where the text is not understood, or would not stay as it is.
pub fn put(text: &str, name: &str, entry: &Map<String, Value>) -> Result<Option<Changed>, Malformed> {
    let mut document = read(text)?;
    if document.get(SECTION).is_none() {
        let mut servers = Table::new();
        servers.set_implicit(true);
        document.insert(SECTION, Item::Table(servers));
    }
    let servers = servers(&mut document)?.ok_or(Malformed::NotATable)?;
    let before = servers.get(name).map(|item| shown(name, item));
    if servers.get(name).is_some_and(|item| said(item) == Value::Object(entry.clone())) {
        return Ok(None);
    }
    let mut table = table(entry);
    // A blank line before it, unless it is the first or takes the place of another.
    let decor = servers.get(name).and_then(Item::as_table).map(|old| (old.decor().clone(), old.position()));
    match decor {
        Some((decor, position)) => {
            *table.decor_mut() = decor;
            table.set_position(position);
        }
        None if text.trim().is_empty() => table.decor_mut().set_prefix(""),
        None => table.decor_mut().set_prefix("\n"),
    }
    servers.insert(name, Item::Table(table));
    Ok(Some(Changed { text: document.to_string(), before }))
}

/// As [`crate::jsonc::take`].
///
/// # Errors
/// Where the text is not understood, or would not stay as it is.
pub fn take(text: &str, name: &str) -> Result<Option<Changed>, Malformed> {
    let mut document = read(text)?;
    let Some(servers) = servers(&mut document)? else { return Ok(None) };
    let Some(item) = servers.remove(name) else { return Ok(None) };
    let before = Some(shown(name, &item));
    Ok(Some(Changed { text: document.to_string(), before }))
}

/// The entry as a text of its own.
pub fn pretty(name: &str, entry: &Map<String, Value>) -> String {
    shown(name, &Item::Table(table(entry)))
}

fn read(text: &str) -> Result<DocumentMut, Malformed> {
    let document: DocumentMut = text.parse().map_err(Malformed::Toml)?;
    if document.to_string() == text { Ok(document) } else { Err(Malformed::NotKept) }
}

fn servers(document: &mut DocumentMut) -> Result<Option<&mut dyn TableLike>, Malformed> {
    match document.get_mut(SECTION) {
        None => Ok(None),
        Some(item) => item.as_table_like_mut().map(Some).ok_or(Malformed::NotATable),
    }
}

/// An entry's members are strings and lists of strings.
fn table(entry: &Map<String, Value>) -> Table {
    let mut table = Table::new();
    for (key, value) in entry {
        let item = match value {
            Value::Array(elements) => toml_edit::value(elements.iter().filter_map(Value::as_str).collect::<Array>()),
            Value::String(text) => toml_edit::value(text.as_str()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Item::None,
        };
        table.insert(key, item);
    }
    table
}

fn shown(name: &str, item: &Item) -> String {
    let mut servers = Table::new();
    servers.set_implicit(true);
    servers.insert(name, item.clone());
    let mut document = DocumentMut::new();
    document.insert(SECTION, Item::Table(servers));
    document.to_string().trim().to_owned()
}

/// What an item says, whichever way it is written.
fn said(item: &Item) -> Value {
    let text = item.as_table_like().map(|table| {
        let mut plain = Table::new();
        for (key, item) in table.iter() {
            plain.insert(key, item.clone());
        }
        plain.to_string()
    });
    text.and_then(|text| toml::from_str(&text).ok()).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests;
