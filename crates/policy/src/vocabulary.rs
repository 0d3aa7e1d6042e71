//! What policies can talk about: the endpoints, servers and tools there are.

use std::sync::Arc;

use model::{EndpointName, ServerName, ToolName};

/// The names a revision of the governed state knows, with what is known of each tool's arguments.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// Every endpoint.
    pub endpoints: Vec<EndpointName>,
    /// Every server.
    pub servers: Vec<ServerVocabulary>,
}

/// The kinds of tools that policies can name: those that agents write to as to a memory.
pub const TOOL_CLASSES: [&str; 1] = ["memory"];

/// A server's tools.
#[derive(Debug, Clone)]
pub struct ServerVocabulary {
    /// The server.
    pub name: ServerName,
    /// Its approved tools.
    pub tools: Vec<ToolVocabulary>,
}

/// A tool's arguments.
#[derive(Debug, Clone)]
pub struct ToolVocabulary {
    /// The tool.
    pub name: ToolName,
    /// Its pinned `inputSchema`, JSON Schema 2020-12.
    pub input_schema: Arc<serde_json::Value>,
    /// What kinds of tool it is, of [`TOOL_CLASSES`]: policies know them as `ToolClass`.
    pub classes: Vec<&'static str>,
}
