//! A pinned tool: what the data plane knows of it, and whether a call's arguments fit it.

use std::sync::{Arc, OnceLock};

use model::{Digest, Object, ServerName, ToolName};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::schema::{InputSchema, SchemaError, Violation};

/// A tool at its approved definition.
pub struct Tool {
    /// Its server.
    pub server: ServerName,
    /// Its name.
    pub name: ToolName,
    /// The digest people approved.
    pub pin: Digest,
    /// The definition people approved, as its server wrote it.
    pub raw: Arc<RawValue>,
    /// Whether the server's definition is no longer the approved one.
    pub withheld: bool,
    /// The two names as the object that policy is asked about.
    pub object: Object,
    /// Made at the first call: most tools of a big server are never called.
    compiled: OnceLock<Result<InputSchema, SchemaError>>,
}

impl Tool {
    pub(super) fn new(server: ServerName, name: ToolName, pin: Digest, raw: Arc<RawValue>, withheld: bool) -> Self {
        let object = Object::Tool { server: server.clone(), name: name.clone() };
        Self { server, name, pin, raw, withheld, object, compiled: OnceLock::new() }
    }

    /// Checks a call's arguments against the pinned schema. What the schema does not declare is refused.
    ///
    /// # Errors
    /// What does not fit, without the values that do not.
    pub fn check(&self, arguments: &Value) -> Result<(), Vec<Violation>> {
        match self.compiled() {
            Ok(schema) => schema.check(arguments),
            // Vetting keeps such a schema from being approved. If one came here all the same, nothing fits it.
            Err(error) => Err(vec![Violation::whole(&format!("no arguments can be checked: {error}"))]),
        }
    }

    /// The input schema as the server declared it; null if the definition has none. It is read from the definition each
    /// time, because ten thousand of them would fill the memory for what is asked once.
    pub fn input_schema(&self) -> Value {
        let mut definition: Value = serde_json::from_str(self.raw.get()).unwrap_or_default();
        definition.get_mut("inputSchema").map(Value::take).unwrap_or_default()
    }

    /// Whether the server declared that members it does not name are welcome somewhere in the arguments.
    pub fn accepts_undeclared(&self) -> bool {
        self.compiled().as_ref().is_ok_and(|schema| !schema.accepts_undeclared().is_empty())
    }

    fn compiled(&self) -> &Result<InputSchema, SchemaError> {
        self.compiled.get_or_init(|| InputSchema::compile(&self.input_schema()))
    }
}
