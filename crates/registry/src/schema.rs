//! Whether a call's arguments fit the schema people approved, with nothing in them that the schema does not declare.
//!
//! A tool's input schema comes from its server, so it is treated like any other hostile input:
//!
//! - [`graph`] reads it whole before anything compiles it: how big, how deep, and where its references lead, which is
//!   only into itself;
//! - [`visits`] sees to it that no check is endless or exponentially long;
//! - [`shape`] works out what it declares, so that everything else can be refused, and where the server declared that
//!   anything goes, which the approver is shown;
//! - then it is compiled for draft 2020-12 with no way to fetch a reference, linear regular expressions, and formats
//!   as annotations.
//!
//! [`InputSchema::compile`] is run when a server is vetted, so that an unusable schema is told to the people who
//! review it, and once more when a pinned tool is first called.

mod graph;
mod shape;
mod violation;
mod visits;

use jsonschema::{Draft, PatternOptions, Validator};
use model::limits;
use serde_json::Value;

use graph::Graph;
use shape::Shape;
pub use violation::Violation;

/// A compiled input schema.
pub struct InputSchema {
    /// The schema as declared.
    declared: Validator,
    /// The members it declares.
    shape: Shape,
}

/// Why a schema cannot be used, for the person who reviews the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The tool has no input schema, or one that is not for objects. Arguments are always an object.
    #[error("the input schema is not a schema for objects")]
    NotObject,
    /// A keyword that would reach outside the schema, or that draft 2020-12 would silently ignore.
    #[error("`{keyword}` at `{at}` cannot be used: {why}")]
    Keyword {
        /// The keyword.
        keyword: String,
        /// The JSON pointer of the subschema it stands in.
        at: String,
        /// Why not.
        why: &'static str,
    },
    /// A reference that does not lead to a subschema of this schema.
    #[error("the `$ref` at `{at}` does not lead to a part of this schema, and nothing is fetched")]
    Reference {
        /// The JSON pointer of the subschema it stands in.
        at: String,
    },
    /// A part of the schema is checked against the same value without end, or too often.
    #[error("the schema at `{at}` would be checked against one value endlessly, or more than {max} times")]
    Endless {
        /// The JSON pointer of the subschema.
        at: String,
        /// How often it may be.
        max: u64,
    },
    /// The schema is bigger than allowed.
    #[error("the schema has more than {max} {what}")]
    TooBig {
        /// What there is too much of.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// The compiler refused it: not valid JSON Schema 2020-12, or a pattern that is not a linear regular expression.
    #[error("the schema at `{at}` does not compile: {why}")]
    Compile {
        /// The JSON pointer of the place.
        at: String,
        /// Why, bounded.
        why: String,
    },
}

/// A compiled output schema. It is checked as it stands: what it does not name, it lets pass (MCP 2026-07-28, server/tools).
pub struct OutputSchema(Validator);

impl OutputSchema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// When the schema cannot be used safely.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let graph = Graph::read(schema)?;
        visits::bound(&graph)?;
        build(schema).map(Self)
    }

    /// Whether structured content fits.
    pub fn fits(&self, content: &Value) -> bool {
        self.0.is_valid(content)
    }
}

impl InputSchema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// When the schema cannot be used safely.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let graph = Graph::read(schema)?;
        visits::bound(&graph)?;
        Ok(Self { declared: build(schema)?, shape: Shape::of(&graph)? })
    }

    /// Checks a call's arguments. INVARIANT: they are nested at most [`limits::JSON_DEPTH_MAX`] deep, as everything is
    /// that was parsed by `wire`; the depth of the recursion follows from it.
    ///
    /// # Errors
    /// The first [`limits::VIOLATIONS_MAX`] violations. They name places and members, never values.
    pub fn check(&self, arguments: &Value) -> Result<(), Vec<Violation>> {
        let (fits, declared) = (self.declared.is_valid(arguments), self.shape.fits(arguments));
        if fits && declared {
            return Ok(());
        }
        let mut told = if declared { Vec::new() } else { self.shape.violations(arguments) };
        let room = limits::VIOLATIONS_MAX.saturating_sub(told.len());
        if !fits && is_bigger(arguments, &mut { limits::VIOLATION_ARGUMENTS_BYTES_MAX }) {
            // To tell what is wrong, the library copies a value for each alternative it tried on it.
            told.push(Violation::whole("too big to tell what does not fit"));
        } else if !fits {
            told.extend(self.declared.iter_errors(arguments).take(room).map(|error| Violation::of(&error)));
        }
        if told.is_empty() {
            told.push(Violation::whole("the arguments do not fit"));
        }
        Err(told)
    }

    /// JSON pointers of the places in the schema where the server declared that members it does not name are
    /// welcome. An approver is shown them: there the gate cannot tell what is sent.
    pub fn accepts_undeclared(&self) -> &[String] {
        &self.shape.open
    }
}

/// Whether a value takes more bytes than are left, roughly counted.
fn is_bigger(value: &Value, left: &mut usize) -> bool {
    const EACH: usize = 8;
    let bytes = match value {
        Value::String(text) => text.len(),
        Value::Object(members) => members.keys().map(String::len).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => 0,
    };
    match left.checked_sub(bytes + EACH) {
        Some(rest) => *left = rest,
        None => return true,
    }
    match value {
        Value::Array(items) => items.iter().any(|item| is_bigger(item, left)),
        Value::Object(members) => members.values().any(|member| is_bigger(member, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn build(schema: &Value) -> Result<Validator, SchemaError> {
    let mut schema = schema.clone();
    if let Some(root) = schema.as_object_mut() {
        // Which draft a schema says it is for was weighed when it was read; an identifier would only change the base of
        // references, and those that are left are pointers.
        root.remove("$schema");
        root.remove("$id");
    }
    let linear = PatternOptions::regex()
        .size_limit(limits::SCHEMA_PATTERN_BYTES_MAX)
        .dfa_size_limit(limits::SCHEMA_PATTERN_BYTES_MAX);
    let options = jsonschema::options().with_draft(Draft::Draft202012).offline().should_validate_formats(false);
    let refused = |error: &jsonschema::ValidationError<'_>| SchemaError::Compile {
        at: violation::bounded(error.instance_path().as_str()),
        why: violation::bounded(&error.to_string()),
    };
    options.clone().with_pattern_options(linear).build(&schema).or_else(|error| {
        if !looks_around(&schema) {
            return Err(refused(&error));
        }
        // Look-around needs an engine that tries again. It does so a bounded number of times, and what it could not
        // match by then does not fit.
        let trying = PatternOptions::fancy_regex()
            .backtrack_limit(limits::SCHEMA_BACKTRACKS_MAX)
            .size_limit(limits::SCHEMA_PATTERN_BYTES_MAX)
            .dfa_size_limit(limits::SCHEMA_PATTERN_BYTES_MAX);
        options.with_pattern_options(trying).build(&schema).map_err(|_| refused(&error))
    })
}

/// Whether a text in the schema is a pattern with look-around, or reads like one.
fn looks_around(schema: &Value) -> bool {
    let is = |text: &str| ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|mark| text.contains(mark));
    match schema {
        Value::String(text) => is(text),
        Value::Array(items) => items.iter().any(looks_around),
        Value::Object(members) => members.iter().any(|(name, value)| is(name) || looks_around(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests;
