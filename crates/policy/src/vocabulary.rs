//! What policies can talk about: the endpoints, servers and tools there are.

use std::sync::{Arc, OnceLock};

use model::{EndpointName, ServerName, ToolName};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::shape::Fields;

/// The names a revision of the governed state knows, with what is known of each tool's arguments.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// Every endpoint.
    pub endpoints: Vec<EndpointName>,
    /// Every server. Share those that have not changed: what was read of their tools for one revision is not read again.
    pub servers: Vec<Arc<ServerVocabulary>>,
}

/// The kinds of tools that policies can name: those that agents write to as to a memory.
pub const TOOL_CLASSES: [&str; 1] = ["memory"];

/// A server's tools.
#[derive(Debug)]
pub struct ServerVocabulary {
    /// The server.
    pub name: ServerName,
    /// Its approved tools.
    pub tools: Vec<ToolVocabulary>,
}

/// A tool, as policies know it.
#[derive(Debug)]
pub struct ToolVocabulary {
    /// The tool.
    pub name: ToolName,
    /// What kinds of tool it is, of [`TOOL_CLASSES`]: policies know them as `ToolClass`.
    pub classes: Vec<&'static str>,
    definition: Arc<RawValue>,
    /// Read when a policy first asks for arguments that this tool can have: most never are.
    fields: OnceLock<Arc<Fields>>,
}

impl ToolVocabulary {
    /// A tool at its pinned definition, whose `inputSchema` is JSON Schema 2020-12.
    pub fn new(name: ToolName, definition: Arc<RawValue>, classes: Vec<&'static str>) -> Self {
        Self { name, classes, definition, fields: OnceLock::new() }
    }

    /// The arguments that its input schema declares; none if it has no schema.
    pub(crate) fn fields(&self) -> &Arc<Fields> {
        self.fields.get_or_init(|| {
            // The text was JSON when it was kept.
            let definition: Value = serde_json::from_str(self.definition.get()).unwrap_or_default();
            Arc::new(definition.get("inputSchema").map_or_else(Fields::default, Fields::read))
        })
    }
}
