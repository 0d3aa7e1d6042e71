//! Whether a call's arguments fit the schema people approved, with nothing in them that the schema does not declare.
//!
//! A tool's input schema comes from its server, so it is treated like any other hostile input:
//!
//! - [`survey`](mod@survey) reads it whole before anything compiles it: how big, how deep, where its references lead
//!   (only into itself), and that no value is checked against itself without end or exponentially often;
//! - [`close`](mod@close) makes the variant that refuses undeclared members, and says where the server declared that
//!   anything goes, which the approver is shown;
//! - what is left is compiled for draft 2020-12 with no way to fetch a reference, linear regular expressions, and
//!   formats as annotations.
//!
//! [`InputSchema::compile`] is run when a server is vetted, so that an unusable schema is told to the people who
//! review it, and once more when a pinned tool is first called.

mod close;
mod survey;
mod violation;

use jsonschema::{Draft, PatternOptions, Validator};
use model::limits;
use serde_json::Value;

pub use violation::Violation;

/// A compiled input schema.
pub struct InputSchema {
    /// The schema with undeclared members refused.
    closed: Validator,
    /// The schema as declared. Needed only where closing could make it accept more: under `not`, `oneOf` and the
    /// like, a stricter part makes a looser whole.
    declared: Option<Validator>,
    accepts_undeclared: Vec<String>,
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

impl InputSchema {
    /// Compiles a schema, its closed variant and, if they could disagree, the schema as declared.
    ///
    /// # Errors
    /// When the schema cannot be used safely.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let survey = survey::run(schema)?;
        let mut closed = schema.clone();
        let accepts_undeclared = close::run(&mut closed);
        let declared = if survey.monotone { None } else { Some(build(schema)?) };
        Ok(Self { closed: build(&closed)?, declared, accepts_undeclared })
    }

    /// Checks a call's arguments.
    ///
    /// # Errors
    /// The first [`limits::VIOLATIONS_MAX`] violations. They name places and members, never values.
    pub fn check(&self, arguments: &Value) -> Result<(), Vec<Violation>> {
        let declared = self.declared.iter();
        let Some(refusing) = declared.chain([&self.closed]).find(|schema| !schema.is_valid(arguments)) else {
            return Ok(());
        };
        let told: Vec<_> =
            refusing.iter_errors(arguments).take(limits::VIOLATIONS_MAX).map(|error| Violation::of(&error)).collect();
        if told.is_empty() {
            return Err(vec![Violation::whole("the arguments do not fit")]);
        }
        Err(told)
    }

    /// JSON pointers of the places in the schema where the server declared that members it does not name are
    /// welcome. An approver is shown them: there the gate cannot tell what is sent.
    pub fn accepts_undeclared(&self) -> &[String] {
        &self.accepts_undeclared
    }
}

fn build(schema: &Value) -> Result<Validator, SchemaError> {
    let mut schema = schema.clone();
    if let Some(root) = schema.as_object_mut() {
        // Which draft a schema says it is for was weighed by the survey; an identifier would only change the base of
        // references, and those that are left are pointers.
        root.remove("$schema");
        root.remove("$id");
    }
    let patterns = PatternOptions::regex()
        .size_limit(limits::SCHEMA_PATTERN_BYTES_MAX)
        .dfa_size_limit(limits::SCHEMA_PATTERN_BYTES_MAX);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(patterns)
        .should_validate_formats(false)
        .build(&schema)
        .map_err(|error| SchemaError::Compile {
            at: violation::bounded(error.instance_path().as_str()),
            why: violation::bounded(&error.to_string()),
        })
}

#[cfg(test)]
mod tests;
