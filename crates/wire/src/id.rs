//! Ids of requests, and the other things that are a string or a whole number.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use model::limits;

use crate::json::Json;

/// A request's id, a progress token or a subscription's id: a string or a signed 64-bit integer.
///
/// It compares by what it means and prints exactly as it came, because a client may look for its own spelling.
#[derive(Clone)]
pub struct Id(Kind);

#[derive(Clone)]
enum Kind {
    Number(i64),
    Text(Arc<Spelled>),
}

/// A string, with and without its quotes and escapes.
struct Spelled {
    meaning: String,
    json: String,
}

impl Id {
    /// An id that is a number.
    pub fn number(number: i64) -> Self {
        Self(Kind::Number(number))
    }

    /// An id that is a string.
    pub fn text(text: &str) -> Self {
        Self(Kind::Text(Arc::new(Spelled {
            meaning: text.to_owned(),
            json: serde_json::Value::from(text).to_string(),
        })))
    }

    /// The id that a checked value is: a whole number, or a string of at most [`limits::REQUEST_ID_BYTES_MAX`].
    pub fn from_json(value: Json<'_>) -> Option<Self> {
        if let Some(number) = value.integer() {
            return Some(Self::number(number));
        }
        let meaning = value.string().filter(|text| text.len() <= limits::REQUEST_ID_BYTES_MAX)?.into_owned();
        Some(Self(Kind::Text(Arc::new(Spelled { meaning, json: value.text().to_owned() }))))
    }

    /// The string that the id is.
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Kind::Number(_) => None,
            Kind::Text(spelled) => Some(&spelled.meaning),
        }
    }

    /// The number that the id is.
    pub fn as_number(&self) -> Option<i64> {
        match &self.0 {
            Kind::Number(number) => Some(*number),
            Kind::Text(_) => None,
        }
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Number(one), Kind::Number(two)) => one == two,
            (Kind::Text(one), Kind::Text(two)) => one.meaning == two.meaning,
            (Kind::Number(_), Kind::Text(_)) | (Kind::Text(_), Kind::Number(_)) => false,
        }
    }
}

impl Eq for Id {}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Kind::Number(number) => number.hash(state),
            Kind::Text(spelled) => spelled.meaning.hash(state),
        }
    }
}

/// The id as JSON, exactly as it came.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Number(number) => write!(f, "{number}"),
            Kind::Text(spelled) => f.write_str(&spelled.json),
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
