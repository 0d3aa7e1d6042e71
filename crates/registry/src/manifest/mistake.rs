//! Mistakes in TOML files, told where they are and how to mend them.

use std::fmt;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// A mistake in a file a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as the person named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong. It repeats names, never values: a value may be a secret in the wrong place.
    pub message: String,
    /// What to do about it, where that can be told.
    pub hint: Option<String>,
}

impl std::error::Error for Mistake {}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl Mistake {
    /// A mistake at a byte offset of the text; for checks that come after parsing.
    pub fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = place(text, offset);
        Self { file: file.to_owned(), line, column, message: message.into(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Reads a TOML file into its type. `file` is only for the message.
///
/// # Errors
/// The first mistake in it, with its place.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Mistake> {
    toml::from_str(text).map_err(|error| {
        let told = error.message();
        // A missing field has no place of its own: the parser gives the table's, or none. Fields that do not fit
        // together have that place too, and words that begin with the field they are about.
        let field = told.strip_prefix('`').and_then(|rest| rest.split_once("`: "));
        let named = field.and_then(|(key, _)| offset_of(text, key));
        let offset = named.unwrap_or_else(|| error.span().map_or(0, |span| span.start));
        let mistake = Mistake::at(file, text, offset, without_values(told));
        match hint(told) {
            Some(hint) => mistake.with_hint(hint),
            None => mistake,
        }
    })
}

/// Where a key of a document stands, as a byte offset: `zone`, `command.secrets.TOKEN`, `servers[1].resources`. None if
/// the document has no such key or cannot be read.
pub fn offset_of(text: &str, key: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut steps = key.split('.').peekable();
    loop {
        let step = steps.next()?;
        let (name, place) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
            Some((name, place)) => (name, Some(place.parse::<usize>().ok()?)),
            None => (step, None),
        };
        let (found, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
        let value = match (value.get_ref(), place) {
            (DeValue::Array(list), Some(place)) => list.get(place)?.get_ref(),
            (value, None) => value,
            (_, Some(_)) => return None,
        };
        match (steps.peek(), value) {
            (None, _) => return Some(found.span().start),
            (Some(_), DeValue::Table(inner)) => table = inner,
            (Some(_), _) => return None,
        }
    }
}

/// Line and column, both from 1, of a byte offset; the end of the text when the offset lies beyond it.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The parser's message without the string it found: `invalid type: string "…", expected a table`.
fn without_values(told: &str) -> String {
    for opening in ["invalid type: string ", "invalid value: string "] {
        if let Some(rest) = told.strip_prefix(opening)
            && let Some((_, expected)) = rest.rsplit_once("\", expected ")
        {
            return format!("{}, expected {expected}", opening.trim_end());
        }
    }
    told.lines().collect::<Vec<_>>().join(" ")
}

/// What to do about the commonest mistakes.
fn hint(told: &str) -> Option<String> {
    if let Some(field) = told.strip_prefix("missing field ").map(|rest| rest.trim_matches('`')) {
        return Some(format!("add `{field} = …`"));
    }
    let form = match told {
        "invalid socket address syntax" => Some("write an address and a port, such as `127.0.0.1:8080`"),
        "invalid IP address syntax" => Some("write a network, such as `10.0.0.0/8`"),
        "duplicate key" => Some("say it once"),
        "invalid type: map, expected a sequence" => Some("write the heading in double brackets: `[[…]]`"),
        _ if told.ends_with(", expected a sequence") => Some("write a list: `[…]`"),
        _ if told.ends_with(", expected socket address") => Some("write it as a text: `\"127.0.0.1:8080\"`"),
        _ => None,
    };
    if form.is_some() {
        return form.map(str::to_owned);
    }
    let unknown = told.strip_prefix("unknown field ").or_else(|| told.strip_prefix("unknown variant "))?;
    let mut names = unknown.split('`').skip(1).step_by(2);
    let given = names.next()?;
    let allowed: Vec<_> = names.collect();
    let near = allowed.iter().map(|name| (distance(given, name), *name)).min()?;
    // A third of the letters may be wrong; beyond that a guess confuses more than it helps.
    (near.0 * 3 <= given.chars().count().max(3)).then(|| format!("did you mean `{}`?", near.1))
}

/// How many letters must be added, removed, changed or swapped with their neighbour to turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut letter_before = None;
    for (line, letter) in from.chars().enumerate() {
        let mut next = vec![line + 1];
        for (column, other) in to.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&row, column) + usize::from(letter != *other);
            let mut least = changed.min(at(&row, column + 1) + 1).min(at(&next, column) + 1);
            let swapped = column.checked_sub(1).is_some_and(|left| {
                letter_before == Some(*other) && to.get(left) == Some(&letter) && !before.is_empty()
            });
            if swapped {
                least = least.min(at(&before, column - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
        letter_before = Some(letter);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
