//! `Mcp-Param-*`: arguments that a tool's schema wants mirrored in headers (`x-mcp-header`).
//!
//! A box between agent and server may route or meter by these headers while the server acts on the body, so the two
//! must agree. [`ParamHeaders::compile`] reads a tool's input schema once, when the tool is pinned; a tool whose
//! annotations break the rules must not be offered at all.

use http::{HeaderMap, HeaderName, HeaderValue};
use model::limits;
use serde_json::{Map, Value};

use crate::{Flaw, header};

const ANNOTATION: &str = "x-mcp-header";

/// Integers in headers stay within what a JavaScript reader holds exactly: 2^53 - 1 either way.
const SAFE_INTEGER_MAX: i64 = (1 << 53) - 1;

/// The arguments of one tool that are mirrored in headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParamHeaders {
    mirrored: Vec<Mirrored>,
}

/// One argument that is mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mirrored {
    header: HeaderName,
    /// Keys from the arguments' root to the argument.
    path: Vec<String>,
}

/// Why a tool's annotations cannot be used. The tool is then left out of listings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnnotationError {
    /// An annotation stands where no plain path of `properties` leads.
    #[error("x-mcp-header stands outside a chain of `properties`")]
    Unreachable,
    /// The annotation is no header name.
    #[error("x-mcp-header of `{property}` is not a header name")]
    NotAToken {
        /// The annotated property.
        property: String,
    },
    /// Two annotations name one header.
    #[error("x-mcp-header of `{property}` is used twice")]
    Repeated {
        /// The second property that names it.
        property: String,
    },
    /// The annotated property is no string, integer or boolean.
    #[error("x-mcp-header of `{property}` needs the type string, integer or boolean")]
    NotPrimitive {
        /// The annotated property.
        property: String,
    },
    /// There are more annotations than the gate mirrors.
    #[error("more than {} arguments are annotated with x-mcp-header", limits::PARAM_HEADERS_MAX)]
    TooMany,
    /// The schema is nested too deep to be searched.
    #[error("the schema is nested too deep")]
    TooDeep,
}

impl ParamHeaders {
    /// Reads the annotations of a tool's input schema.
    ///
    /// # Errors
    /// The first annotation that breaks the specification's rules.
    pub fn compile(input_schema: &Value) -> Result<Self, AnnotationError> {
        let mut found = Found::default();
        found.search(input_schema, Place::Root, 0)?;
        Ok(Self { mirrored: found.mirrored })
    }

    /// Is no argument mirrored?
    pub fn is_empty(&self) -> bool {
        self.mirrored.is_empty()
    }

    /// Holds the headers of a call against its arguments. Headers that the schema does not name are not looked at.
    ///
    /// # Errors
    /// When a header is missing, repeated, malformed, says something else than its argument, or is there without one.
    pub fn check(&self, headers: &HeaderMap, arguments: Option<&Value>) -> Result<(), Flaw> {
        self.mirrored.iter().try_for_each(|mirrored| mirrored.check(headers, arguments))
    }

    /// Sets the headers to what the arguments say: for a call whose arguments the gate changed or made.
    pub fn write(&self, arguments: Option<&Value>, headers: &mut HeaderMap) {
        for mirrored in &self.mirrored {
            match mirrored.argument(arguments).and_then(spoken) {
                Some(value) => headers.insert(mirrored.header.clone(), value),
                None => headers.remove(&mirrored.header),
            };
        }
    }
}

impl Mirrored {
    fn check(&self, headers: &HeaderMap, arguments: Option<&Value>) -> Result<(), Flaw> {
        let name = &self.header;
        let said = header::sole(headers, name)?;
        let (said, argument) = match (said, self.argument(arguments)) {
            (None, None) => return Ok(()),
            (Some(_), None) => return Err(header::mismatch(format!("`{name}` is there without its argument"))),
            (None, Some(_)) => return Err(header::mismatch(format!("`{name}` is missing"))),
            (Some(said), Some(argument)) => (header::decode(name, said)?, argument),
        };
        let agrees = match argument {
            Value::String(text) => *text == said,
            Value::Bool(flag) => said == if *flag { "true" } else { "false" },
            Value::Number(_) => whole(argument).is_some_and(|number| whole_literal(&said) == Some(number)),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        if agrees { Ok(()) } else { Err(header::mismatch(format!("`{name}` does not say what its argument says"))) }
    }

    /// The argument at this path; `null` counts as none.
    fn argument<'a>(&self, arguments: Option<&'a Value>) -> Option<&'a Value> {
        let found = self.path.iter().try_fold(arguments?, |value, key| value.as_object()?.get(key));
        found.filter(|value| !value.is_null())
    }
}

/// An argument as a header says it.
fn spoken(argument: &Value) -> Option<HeaderValue> {
    match argument {
        Value::String(text) => Some(header::encode(text)),
        Value::Bool(flag) => Some(HeaderValue::from_static(if *flag { "true" } else { "false" })),
        Value::Number(_) => whole(argument).map(HeaderValue::from),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The whole number an argument is: a schema's integer may be written `42.0`.
fn whole(argument: &Value) -> Option<i64> {
    let number = argument.as_i64().or_else(|| argument.as_f64().and_then(whole_float))?;
    (-SAFE_INTEGER_MAX..=SAFE_INTEGER_MAX).contains(&number).then_some(number)
}

#[expect(clippy::cast_possible_truncation, reason = "only whole floats within 2^53 are cast, which is exact")]
#[expect(clippy::cast_precision_loss, reason = "2^53 - 1 is exact as a float")]
fn whole_float(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= SAFE_INTEGER_MAX as f64).then_some(number as i64)
}

/// The whole number that a header says, in decimals without leading zeros, perhaps followed by a point and zeros.
fn whole_literal(said: &str) -> Option<i64> {
    let (whole, fraction) = said.split_once('.').unwrap_or((said, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if !plain(digits) || leading_zero || !plain(fraction) || fraction.bytes().any(|byte| byte != b'0') {
        return None;
    }
    whole.parse().ok()
}

/// Where a part of a schema stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The schema itself.
    Root,
    /// A property that a chain of `properties` leads to.
    Property,
    /// Anywhere else: no annotation may stand here.
    Elsewhere,
}

/// The annotations found so far.
#[derive(Default)]
struct Found {
    mirrored: Vec<Mirrored>,
    path: Vec<String>,
}

impl Found {
    fn search(&mut self, schema: &Value, place: Place, depth: usize) -> Result<(), AnnotationError> {
        if depth > limits::JSON_DEPTH_MAX {
            return Err(AnnotationError::TooDeep);
        }
        let members = match schema {
            Value::Object(members) => members,
            Value::Array(elements) => {
                return elements.iter().try_for_each(|element| self.search(element, Place::Elsewhere, depth + 1));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Ok(()),
        };
        for (keyword, value) in members {
            match keyword.as_str() {
                ANNOTATION if place == Place::Property => self.annotated(members, value)?,
                ANNOTATION => return Err(AnnotationError::Unreachable),
                "properties" if place != Place::Elsewhere => self.properties(value, depth + 1)?,
                // Maps from names to schemas: a name may be anything, also `x-mcp-header`.
                "properties" | "$defs" | "definitions" | "dependentSchemas" | "patternProperties" => {
                    let schemas = value.as_object().into_iter().flat_map(Map::values);
                    schemas.into_iter().try_for_each(|schema| self.search(schema, Place::Elsewhere, depth + 1))?;
                }
                // Values, not schemas.
                "default" | "const" | "enum" | "examples" => {}
                _ => self.search(value, Place::Elsewhere, depth + 1)?,
            }
        }
        Ok(())
    }

    fn properties(&mut self, properties: &Value, depth: usize) -> Result<(), AnnotationError> {
        for (name, schema) in properties.as_object().into_iter().flatten() {
            self.path.push(name.clone());
            self.search(schema, Place::Property, depth + 1)?;
            self.path.pop();
        }
        Ok(())
    }

    fn annotated(&mut self, schema: &Map<String, Value>, annotation: &Value) -> Result<(), AnnotationError> {
        let property = || self.path.join(".");
        let name = annotation.as_str().filter(|name| !name.is_empty()).unwrap_or_default().to_ascii_lowercase();
        // A header's name is one or more token characters, which is the rule that annotations have to keep.
        let header = HeaderName::from_bytes(format!("{}{name}", header::PARAM_PREFIX).as_bytes());
        let (false, Ok(header)) = (name.is_empty(), header) else {
            return Err(AnnotationError::NotAToken { property: property() });
        };
        if !matches!(schema.get("type").and_then(Value::as_str), Some("string" | "integer" | "boolean")) {
            return Err(AnnotationError::NotPrimitive { property: property() });
        }
        if self.mirrored.iter().any(|mirrored| mirrored.header == header) {
            return Err(AnnotationError::Repeated { property: property() });
        }
        if self.mirrored.len() >= limits::PARAM_HEADERS_MAX {
            return Err(AnnotationError::TooMany);
        }
        self.mirrored.push(Mirrored { header, path: self.path.clone() });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
