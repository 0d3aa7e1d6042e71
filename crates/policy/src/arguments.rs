//! A caller's JSON becomes plain typed values.
//!
//! Values are built by hand, one constructor per type, so that nothing in them can mean an entity or an extension
//! to Cedar. Each is told exactly or not at all: `100` and `100.0` are one whole number, a number with more than four
//! places is refused rather than rounded, `null` is absent, and everything that does not fit the type its tool's
//! schema gives it is an error, never absence.

use cedar_policy::RestrictedExpression;
use serde_json::{Number, Value};

use crate::shape::{Field, Fields, Shape};

/// An argument that has no exact typed form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the argument `{}` cannot be told to a policy exactly: {why}", printable(.argument))]
pub(crate) struct Inexact {
    /// The top-level argument, as the caller spelt it.
    pub(crate) argument: String,
    /// What is in the way, without the value.
    pub(crate) why: &'static str,
}

/// Builds `context.arguments` from the arguments for which `wanted` says so.
///
/// # Errors
/// For the first wanted argument that is not exactly what its type says.
pub(crate) fn build(
    fields: &Fields,
    arguments: Option<&Value>,
    wanted: impl Fn(&str) -> bool,
) -> Result<RestrictedExpression, Inexact> {
    let members = match arguments {
        None | Some(Value::Null) => None,
        Some(Value::Object(members)) => Some(members),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            return Err(Inexact { argument: "arguments".to_owned(), why: NOT_OF_TYPE });
        }
    };
    let mut built = Vec::new();
    for (name, value) in members.into_iter().flatten().filter(|(name, _)| wanted(name)) {
        let value = member(fields, name, value).map_err(|why| Inexact { argument: name.clone(), why })?;
        built.extend(value.map(|value| (name.clone(), value)));
    }
    record(built).map_err(|why| Inexact { argument: "arguments".to_owned(), why })
}

/// A caller's name for an argument, short and without control characters.
fn printable(name: &str) -> String {
    const NAME_CHARS_MAX: usize = 80;
    name.chars().take(NAME_CHARS_MAX).flat_map(char::escape_debug).collect()
}

const NOT_OF_TYPE: &str = "it is not of the type its schema gives it";
const UNDECLARED: &str = "it has a member that its schema does not declare";
const NO_TYPE: &str = "its schema gives it no one type";
const TOO_LARGE: &str = "the number is beyond what can be compared exactly";
const TOO_FINE: &str = "the number has more than four places";

/// The largest whole number that a 64-bit float tells apart from its neighbours.
const FLOAT_WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// Below this a 64-bit float tells every number with four places apart: fifteen significant digits.
const FLOAT_FOUR_PLACES_MAX: f64 = 100_000_000_000.0;
/// Cedar's decimal is an i64 of ten-thousandths.
const DECIMAL_WHOLE_MAX: u64 = 922_337_203_685_477;

/// A member by its name; `None` for `null`, and inside a record for what is declared without a type.
fn member(fields: &Fields, name: &str, value: &Value) -> Result<Option<RestrictedExpression>, &'static str> {
    if value.is_null() {
        return Ok(None);
    }
    match fields.known.get(name) {
        Some(Field { shape, .. }) => shaped(shape, value).map(Some),
        None if fields.unreadable.contains_key(name) => Err(NO_TYPE),
        None => Err(UNDECLARED),
    }
}

fn shaped(shape: &Shape, value: &Value) -> Result<RestrictedExpression, &'static str> {
    match (shape, value) {
        (Shape::Text, Value::String(text)) => Ok(RestrictedExpression::new_string(text.clone())),
        (Shape::Truth, Value::Bool(truth)) => Ok(RestrictedExpression::new_bool(*truth)),
        (Shape::Whole, Value::Number(number)) => whole(number).map(RestrictedExpression::new_long),
        (Shape::Decimal, Value::Number(number)) => decimal(number).map(RestrictedExpression::new_decimal),
        (Shape::Many(of), Value::Array(items)) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| shaped(of, item)).collect();
            items.map(RestrictedExpression::new_set)
        }
        (Shape::Record(fields), Value::Object(members)) => {
            let mut built = Vec::new();
            // No policy reads a member that has no type (the load sees to it), so it is left out here.
            for (name, value) in members.iter().filter(|(name, _)| !fields.unreadable.contains_key(*name)) {
                built.extend(member(fields, name, value)?.map(|value| (name.clone(), value)));
            }
            record(built)
        }
        (
            Shape::Text | Shape::Whole | Shape::Decimal | Shape::Truth | Shape::Many(_) | Shape::Record(_),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
        ) => Err(NOT_OF_TYPE),
    }
}

fn record(members: Vec<(String, RestrictedExpression)>) -> Result<RestrictedExpression, &'static str> {
    RestrictedExpression::new_record(members).map_err(|_| NOT_OF_TYPE)
}

/// A whole number, however it is spelt: `100`, `100.0`, `1e2`.
fn whole(number: &Number) -> Result<i64, &'static str> {
    if let Some(whole) = number.as_i64() {
        return Ok(whole);
    }
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < FLOAT_WHOLE_MAX =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53, as the guard says")]
            Ok(float as i64)
        }
        Some(float) if float.fract() != 0.0 => Err(NOT_OF_TYPE),
        Some(_) | None => Err(TOO_LARGE),
    }
}

/// A number as Cedar's decimal spells it, with exactly its own places.
fn decimal(number: &Number) -> Result<String, &'static str> {
    if let Ok(whole) = whole(number) {
        return match whole.unsigned_abs() <= DECIMAL_WHOLE_MAX {
            true => Ok(format!("{whole}.0")),
            false => Err(TOO_LARGE),
        };
    }
    let float = number.as_f64().filter(|float| float.abs() < FLOAT_FOUR_PLACES_MAX).ok_or(TOO_LARGE)?;
    // Rust prints the shortest digits that mean this float, never an exponent.
    let text = float.to_string();
    match text.split_once('.').map(|(_, places)| places.len()) {
        Some(1..=4) => Ok(text),
        Some(_) | None => Err(TOO_FINE),
    }
}

#[cfg(test)]
mod tests;
