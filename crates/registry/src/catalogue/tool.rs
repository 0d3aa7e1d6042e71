//! A pinned tool: what the data plane knows of it, and whether a call's arguments fit it.

use std::sync::{Arc, OnceLock};

use model::{Digest, Object, ServerName, ToolName};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::schema::{InputSchema, OutputSchema, SchemaError, Violation};

/// A tool at the definition that is served.
pub struct Tool {
    /// Its server.
    pub server: ServerName,
    /// Its name.
    pub name: ToolName,
    /// The digest of the definition that is served: the one people approved, or one that differs from it harmlessly.
    pub pin: Digest,
    /// That definition, as its server wrote it.
    pub raw: Arc<RawValue>,
    /// Whether it cannot be used until people look.
    pub withheld: bool,
    /// The two names as the object that policy is asked about.
    pub object: Object,
    /// The definition as the server has it now, where the approved one goes on being served beside it.
    pub beside: Option<Beside>,
    /// Made at the first call: most tools of a big server are never called.
    compiled: OnceLock<Result<InputSchema, SchemaError>>,
    /// Made at the first answer; none where the definition has none, or one that cannot be used.
    output: OnceLock<Option<OutputSchema>>,
}

/// A definition that people have not approved, and that calls must fit all the same.
pub struct Beside {
    /// Its digest.
    pub digest: Digest,
    raw: Arc<RawValue>,
    compiled: OnceLock<Result<InputSchema, SchemaError>>,
}

impl Beside {
    pub(super) fn new(digest: Digest, raw: Arc<RawValue>) -> Self {
        Self { digest, raw, compiled: OnceLock::new() }
    }

    fn check(&self, arguments: &Value) -> Result<(), Vec<Violation>> {
        match self.compiled.get_or_init(|| InputSchema::compile(&input_schema(&self.raw))) {
            Ok(schema) => schema.check(arguments),
            Err(error) => Err(vec![Violation::whole(&format!("no arguments can be checked: {error}"))]),
        }
    }
}

fn input_schema(raw: &RawValue) -> Value {
    let mut definition: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    definition.get_mut("inputSchema").map(Value::take).unwrap_or_default()
}

impl Tool {
    pub(super) fn new(server: ServerName, name: ToolName, pin: Digest, raw: Arc<RawValue>, withheld: bool) -> Self {
        let object = Object::Tool { server: server.clone(), name: name.clone() };
        Self {
            server,
            name,
            pin,
            raw,
            withheld,
            object,
            beside: None,
            compiled: OnceLock::new(),
            output: OnceLock::new(),
        }
    }

    /// The same, with what the server has now beside it.
    pub(super) fn with(self, beside: Option<Beside>) -> Self {
        Self { beside, ..self }
    }

    /// Checks a call's arguments against the pinned schema, and against the one that the server has now if that is
    /// another. What a schema does not declare is refused.
    ///
    /// # Errors
    /// What does not fit, without the values that do not.
    pub fn check(&self, arguments: &Value) -> Result<(), Vec<Violation>> {
        match self.compiled() {
            Ok(schema) => {
                schema.check(arguments)?;
                self.beside.as_ref().map_or(Ok(()), |beside| beside.check(arguments))
            }
            // Vetting keeps such a schema from being approved. If one came here all the same, nothing fits it.
            Err(error) => Err(vec![Violation::whole(&format!("no arguments can be checked: {error}"))]),
        }
    }

    /// What the structured content of an answer has to fit: the output schema that people approved, if there is one that can
    /// be used safely.
    pub fn output_schema(&self) -> Option<&OutputSchema> {
        let schema = self.output.get_or_init(|| {
            let definition: Value = serde_json::from_str(self.raw.get()).ok()?;
            OutputSchema::compile(definition.get("outputSchema")?).ok()
        });
        schema.as_ref()
    }

    /// The input schema as the server declared it; null if the definition has none. It is read from the definition each
    /// time, because ten thousand of them would fill the memory for what is asked once.
    pub fn input_schema(&self) -> Value {
        input_schema(&self.raw)
    }

    /// Whether the server declared that members it does not name are welcome somewhere in the arguments.
    pub fn accepts_undeclared(&self) -> bool {
        self.compiled().as_ref().is_ok_and(|schema| !schema.accepts_undeclared().is_empty())
    }

    fn compiled(&self) -> &Result<InputSchema, SchemaError> {
        self.compiled.get_or_init(|| InputSchema::compile(&self.input_schema()))
    }
}
