//! What is asked for: the one set of nouns that controls see, whichever revision said it.

use serde::{Deserialize, Serialize};

use crate::{PromptName, ServerName, ToolName};

/// The governed thing a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Object {
    /// A callable tool.
    Tool {
        /// Its server.
        server: ServerName,
        /// Its name, as the server spells it.
        name: ToolName,
    },
    /// A prompt.
    Prompt {
        /// Its server.
        server: ServerName,
        /// Its name, as the server spells it.
        name: PromptName,
    },
    /// A resource, by its URI.
    Resource {
        /// Its server.
        server: ServerName,
        /// The URI, exactly as sent.
        uri: String,
    },
    /// A resource template, by its URI template.
    Template {
        /// Its server.
        server: ServerName,
        /// The RFC 6570 template, exactly as pinned.
        template: String,
    },
    /// The server as a whole: discovery, instructions, subscriptions to its lists.
    Server {
        /// Its name.
        server: ServerName,
    },
}

impl Object {
    /// The server the object belongs to.
    pub fn server(&self) -> &ServerName {
        match self {
            Self::Tool { server, .. }
            | Self::Prompt { server, .. }
            | Self::Resource { server, .. }
            | Self::Template { server, .. }
            | Self::Server { server } => server,
        }
    }

    /// The object's own name within its server; the server's name for the server itself.
    pub fn name(&self) -> &str {
        match self {
            Self::Tool { name, .. } => name.as_str(),
            Self::Prompt { name, .. } => name.as_str(),
            Self::Resource { uri, .. } => uri,
            Self::Template { template, .. } => template,
            Self::Server { server } => server.as_str(),
        }
    }

    /// The word for the kind of object, as policies and receipts use it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tool { .. } => "tool",
            Self::Prompt { .. } => "prompt",
            Self::Resource { .. } => "resource",
            Self::Template { .. } => "template",
            Self::Server { .. } => "server",
        }
    }
}

/// What a halt stops.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "scope", content = "name", rename_all = "kebab-case")]
pub enum Scope {
    /// Every message of every caller.
    Everything,
    /// One person, through whichever agent.
    User(crate::UserId),
    /// One agent, for whichever user.
    Agent(crate::AgentId),
    /// One server.
    Server(ServerName),
    /// One tool of one server.
    Tool {
        /// The tool's server.
        server: ServerName,
        /// The tool.
        tool: ToolName,
    },
    /// One endpoint.
    Endpoint(crate::EndpointName),
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Agent(agent) => write!(f, "agent {agent}"),
            Self::Server(server) => write!(f, "server {server}"),
            Self::Tool { server, tool } => write!(f, "tool {server}/{tool}"),
            Self::Endpoint(endpoint) => write!(f, "endpoint {endpoint}"),
        }
    }
}
