//! What a server says of itself, and what people approved of it.

use std::fmt;
use std::sync::Arc;

use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

/// The kinds of definitions that are pinned one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A tool, by its name.
    Tool,
    /// A prompt, by its name.
    Prompt,
    /// A resource template, by its RFC 6570 URI template.
    Template,
}

impl Kind {
    /// Every kind, in the order they are shown.
    pub const ALL: [Self; 3] = [Self::Tool, Self::Prompt, Self::Template];

    /// The word used in documents and receipts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Template => "template",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One definition: a tool, prompt or resource template as its server describes it.
///
/// It is kept as text: a gate holds many thousands, and reads few of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Definition {
    /// The tool's or prompt's name, or the template.
    pub name: String,
    /// The SHA-256 of the definition's canonical JSON (RFC 8785), made when it was read from the server.
    pub digest: Digest,
    /// The definition, whole, with the fields the gate does not know.
    pub raw: Arc<RawValue>,
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.digest == other.digest && self.raw.get() == other.raw.get()
    }
}

impl Definition {
    /// A definition with its digest.
    ///
    /// # Errors
    /// When the value has no canonical form.
    pub fn new(name: impl Into<String>, value: &Value) -> Result<Self, serde_json::Error> {
        Ok(Self { name: name.into(), digest: Digest::of_json(value)?, raw: to_raw_value(value)?.into() })
    }

    /// The definition, read.
    pub fn value(&self) -> Value {
        // The text was JSON when it was kept.
        serde_json::from_str(self.raw.get()).unwrap_or_default()
    }

    /// A tool's input schema; null for what has none.
    pub fn input_schema(&self) -> Value {
        self.value().get_mut("inputSchema").map(Value::take).unwrap_or_default()
    }

    /// Where a tool accepts arguments that its schema does not declare, as JSON pointers into the schema: the
    /// approver is shown them. Compiles the schema, which takes milliseconds. Empty if the schema cannot be used.
    pub fn accepts_undeclared(&self) -> Vec<String> {
        let compiled = crate::InputSchema::compile(&self.input_schema());
        compiled.map(|schema| schema.accepts_undeclared().to_vec()).unwrap_or_default()
    }
}

/// Everything a server says of itself that people approve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Definitions {
    /// Its `serverInfo`; null if it gave none. Self-reported, so it is shown and compared, never trusted.
    pub server_info: Value,
    /// What it tells models about how to use it.
    pub instructions: Option<String>,
    /// Its capabilities.
    pub capabilities: Value,
    /// The protocol revisions it speaks, as it lists them.
    pub supported_versions: Vec<String>,
    /// Its tools, in its order.
    pub tools: Vec<Definition>,
    /// Its prompts, in its order.
    pub prompts: Vec<Definition>,
    /// Its resource templates, in its order.
    pub templates: Vec<Definition>,
}

impl Definitions {
    /// The definitions of one kind.
    pub fn of(&self, kind: Kind) -> &[Definition] {
        match kind {
            Kind::Tool => &self.tools,
            Kind::Prompt => &self.prompts,
            Kind::Template => &self.templates,
        }
    }

    /// The digest over everything: each definition's digest, the instructions, and what the server says of itself.
    /// The order of the lists does not count: a server that lists the same tools in another order has not changed.
    ///
    /// # Errors
    /// When `server_info` or `capabilities` have no canonical form.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        let pairs = |kind: Kind| {
            let mut pairs: Vec<_> = self.of(kind).iter().map(|one| json!([one.name, one.digest])).collect();
            pairs.sort_by_cached_key(Value::to_string);
            pairs
        };
        Digest::of_json(&json!({
            "server_info": self.server_info,
            "instructions": self.instructions,
            "capabilities": self.capabilities,
            "supported_versions": self.supported_versions,
            "tools": pairs(Kind::Tool),
            "prompts": pairs(Kind::Prompt),
            "templates": pairs(Kind::Template),
        }))
    }
}

/// What people approved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pins {
    /// The definitions as they were read and approved.
    pub definitions: Definitions,
    /// Which server they were approved for: [`crate::ServerManifest::identity`] at that time.
    pub identity: Digest,
    /// [`Definitions::digest`] of them: what the approver saw.
    pub digest: Digest,
}

/// What the gate last saw of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The definitions that could be approved.
    pub definitions: Definitions,
    /// [`Definitions::digest`] of them: what an approver sends back to say what they read.
    pub digest: Digest,
    /// When they were read.
    pub at: Timestamp,
    /// What the server also offers but nobody can approve, and why.
    pub excluded: Vec<Excluded>,
}

impl Observed {
    /// An observation with its digest.
    ///
    /// # Errors
    /// When the definitions have no canonical form.
    pub fn new(definitions: Definitions, at: Timestamp, excluded: Vec<Excluded>) -> Result<Self, serde_json::Error> {
        Ok(Self { digest: definitions.digest()?, definitions, at, excluded })
    }
}

/// Which definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Named {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

/// Something a server offers that nobody can approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// Its kind.
    pub kind: Kind,
    /// Its name, as far as it has one.
    pub name: String,
    /// Why not, for the person who reviews the server.
    pub why: String,
}

#[cfg(test)]
mod tests;
