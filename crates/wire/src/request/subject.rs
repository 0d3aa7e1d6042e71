//! The thing a request is about: the nouns that controls see.

use bytes::Bytes;
use model::limits;

use super::params_invalid;
use super::spoken::HANDSHAKE;
use crate::json::Json;
use crate::{Flaw, Id, Revision};

const REFERENCE: &[&str] = &["type", "name", "uri"];
const FILTER: &[&str] =
    &["toolsListChanged", "promptsListChanged", "resourcesListChanged", "resourceSubscriptions", "taskIds"];

/// Severities of log messages, the least severe first (MCP 2025-11-25, server/utilities/logging).
pub(crate) const LOG_LEVELS: &[&str] =
    &["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Calling a tool.
    Tool {
        /// Its name, as sent.
        name: String,
        /// Its arguments: a JSON object.
        arguments: Option<Bytes>,
    },
    /// Getting a prompt.
    Prompt {
        /// Its name, as sent.
        name: String,
        /// Its arguments: a JSON object.
        arguments: Option<Bytes>,
    },
    /// Reading a resource, or beginning or ending to listen for its changes.
    Resource {
        /// Its URI, as sent.
        uri: String,
    },
    /// Completing an argument.
    Completion {
        /// What the argument belongs to.
        reference: Reference,
    },
    /// Listening for changes.
    Subscription {
        /// Changes of the list of tools.
        tools_list_changed: bool,
        /// Changes of the list of prompts.
        prompts_list_changed: bool,
        /// Changes of the list of resources.
        resources_list_changed: bool,
        /// Changes of these resources.
        resource_uris: Vec<String>,
        /// How these tasks get on, by their ids.
        task_ids: Vec<String>,
    },
    /// Asking for a task, answering its questions, or taking it back (extension of 2026-07-28).
    Task {
        /// Its id, as sent.
        id: String,
    },
    /// Beginning a session. Only in revisions that have them, as all that follow.
    Initialize {
        /// The revision that the client would like to speak.
        version: String,
    },
    /// Taking back a request.
    Cancelled {
        /// Its id.
        request: Id,
    },
    /// How a server's question gets on.
    Progress {
        /// The token that the server gave with it.
        token: Id,
    },
    /// The least severe log message that the client wants from now on.
    LogLevel {
        /// One of the eight names of RFC 5424.
        level: String,
    },
    /// Nothing in particular: discovery, listings, and methods that wire does not know.
    None,
}

/// What a completion belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A prompt's argument.
    Prompt {
        /// The prompt's name.
        name: String,
    },
    /// A variable of a resource template.
    Template {
        /// The RFC 6570 template, or a plain URI.
        uri: String,
    },
}

impl Subject {
    /// The arguments of a tool or a prompt: a JSON object.
    pub fn arguments(&self) -> Option<&Bytes> {
        match self {
            Self::Tool { arguments, .. } | Self::Prompt { arguments, .. } => arguments.as_ref(),
            Self::Resource { .. }
            | Self::Task { .. }
            | Self::Completion { .. }
            | Self::Subscription { .. }
            | Self::Initialize { .. }
            | Self::Cancelled { .. }
            | Self::Progress { .. }
            | Self::LogLevel { .. }
            | Self::None => None,
        }
    }

    /// What `Mcp-Name` has to say for this subject, if anything.
    pub(super) fn header_name(&self) -> Option<&str> {
        match self {
            Self::Tool { name, .. } | Self::Prompt { name, .. } => Some(name),
            Self::Resource { uri } => Some(uri),
            Self::Task { id } => Some(id),
            Self::Completion { .. }
            | Self::Subscription { .. }
            | Self::Initialize { .. }
            | Self::Cancelled { .. }
            | Self::Progress { .. }
            | Self::LogLevel { .. }
            | Self::None => None,
        }
    }

    pub(super) fn read<'a>(
        revision: Revision,
        method: &str,
        param: &impl Fn(&str) -> Option<Json<'a>>,
        body: &Bytes,
    ) -> Result<Self, Flaw> {
        match method {
            "tools/call" => Ok(Self::Tool { name: name(param("name"))?, arguments: object(param, "arguments", body)? }),
            "prompts/get" => {
                Ok(Self::Prompt { name: name(param("name"))?, arguments: object(param, "arguments", body)? })
            }
            "resources/read" => Ok(Self::Resource { uri: uri(param("uri"))? }),
            "completion/complete" => Ok(Self::Completion { reference: Reference::read(param("ref"))? }),
            method if revision.has_sessions() => Self::in_session(method, param),
            "subscriptions/listen" => Self::subscription(param("notifications")),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Ok(Self::Task { id: task_id(param("taskId"))? }),
            _ => Ok(Self::None),
        }
    }

    /// What only sessions have.
    fn in_session<'a>(method: &str, param: &impl Fn(&str) -> Option<Json<'a>>) -> Result<Self, Flaw> {
        let id = |name: &str| param(name).and_then(Id::from_json).ok_or_else(|| no_id(name));
        match method {
            HANDSHAKE => {
                let version = bounded(param("protocolVersion"), limits::NAME_BYTES_MAX);
                let version = version.ok_or_else(|| params_invalid("`protocolVersion` must be a short string"))?;
                Ok(Self::Initialize { version })
            }
            "resources/subscribe" | "resources/unsubscribe" => Ok(Self::Resource { uri: uri(param("uri"))? }),
            "logging/setLevel" => {
                let level = param("level").and_then(Json::string).filter(|level| LOG_LEVELS.contains(&level.as_ref()));
                let level = level.ok_or_else(|| params_invalid("`level` is none of the eight"))?;
                Ok(Self::LogLevel { level: level.into_owned() })
            }
            "notifications/cancelled" => Ok(Self::Cancelled { request: id("requestId")? }),
            "notifications/progress" => Ok(Self::Progress { token: id("progressToken")? }),
            _ => Ok(Self::None),
        }
    }

    fn subscription(filter: Option<Json<'_>>) -> Result<Self, Flaw> {
        let filter = filter.filter(|filter| filter.is_object());
        let filter = filter.ok_or_else(|| params_invalid("`notifications` must be an object"))?;
        let (mut tools, mut prompts, mut resources) = (false, false, false);
        let (mut resource_uris, mut task_ids) = (Vec::new(), Vec::new());
        for (key, value) in filter.members() {
            Flaw::other_case("`notifications`", std::iter::once(key.as_ref()), FILTER)?;
            let flag = || value.boolean().ok_or_else(|| params_invalid(format!("`{key}` must be true or false")));
            match key.as_ref() {
                "toolsListChanged" => tools = flag()?,
                "promptsListChanged" => prompts = flag()?,
                "resourcesListChanged" => resources = flag()?,
                "resourceSubscriptions" => resource_uris = uris(value)?,
                "taskIds" => task_ids = tasks(value)?,
                _ => {}
            }
        }
        Ok(Self::Subscription {
            tools_list_changed: tools,
            prompts_list_changed: prompts,
            resources_list_changed: resources,
            resource_uris,
            task_ids,
        })
    }
}

impl Reference {
    fn read(value: Option<Json<'_>>) -> Result<Self, Flaw> {
        let value = value.filter(|value| value.is_object()).ok_or_else(|| params_invalid("`ref` must be an object"))?;
        let (mut kind, mut named, mut at) = (None, None, None);
        for (key, value) in value.members() {
            Flaw::other_case("`ref`", std::iter::once(key.as_ref()), REFERENCE)?;
            match key.as_ref() {
                "type" => kind = value.string(),
                "name" => named = Some(value),
                "uri" => at = Some(value),
                _ => {}
            }
        }
        match kind.as_deref() {
            Some("ref/prompt") => Ok(Self::Prompt { name: name(named)? }),
            Some("ref/resource") => Ok(Self::Template { uri: uri(at)? }),
            Some(_) | None => Err(params_invalid("`ref.type` must be \"ref/prompt\" or \"ref/resource\"")),
        }
    }
}

/// A member of `params` that is an object if it is there, as the slice of the body that it is.
pub(super) fn object<'a>(
    param: &impl Fn(&str) -> Option<Json<'a>>,
    name: &str,
    body: &Bytes,
) -> Result<Option<Bytes>, Flaw> {
    match param(name) {
        None => Ok(None),
        Some(value) if value.is_object() => Ok(Some(body.slice_ref(value.text().as_bytes()))),
        Some(_) => Err(params_invalid(format!("`{name}` must be an object"))),
    }
}

fn no_id(name: &str) -> Flaw {
    params_invalid(format!("`{name}` must be a whole number or a short string"))
}

fn name(value: Option<Json<'_>>) -> Result<String, Flaw> {
    bounded(value, limits::NAME_BYTES_MAX)
        .ok_or_else(|| params_invalid(format!("`name` must be a string of at most {} bytes", limits::NAME_BYTES_MAX)))
}

fn uri(value: Option<Json<'_>>) -> Result<String, Flaw> {
    bounded(value, limits::URI_BYTES_MAX)
        .ok_or_else(|| params_invalid(format!("`uri` must be a string of at most {} bytes", limits::URI_BYTES_MAX)))
}

fn uris(value: Json<'_>) -> Result<Vec<String>, Flaw> {
    if !value.is_array() {
        return Err(params_invalid("`resourceSubscriptions` must be an array"));
    }
    let listed = value.elements().take(limits::SUBSCRIPTION_URIS_MAX + 1);
    let uris = listed.map(|value| uri(Some(value))).collect::<Result<Vec<_>, _>>()?;
    if uris.len() > limits::SUBSCRIPTION_URIS_MAX {
        return Err(params_invalid("`resourceSubscriptions` names too many resources"));
    }
    Ok(uris)
}

fn task_id(value: Option<Json<'_>>) -> Result<String, Flaw> {
    let wrong =
        || params_invalid(format!("`taskId` must be a string of at most {} bytes", limits::TASK_HANDLE_BYTES_MAX));
    bounded(value, limits::TASK_HANDLE_BYTES_MAX).ok_or_else(wrong)
}

fn tasks(value: Json<'_>) -> Result<Vec<String>, Flaw> {
    if !value.is_array() {
        return Err(params_invalid("`taskIds` must be an array"));
    }
    let listed = value.elements().take(limits::SUBSCRIPTION_TASKS_MAX + 1);
    let ids = listed.map(|value| task_id(Some(value))).collect::<Result<Vec<_>, _>>()?;
    if ids.len() > limits::SUBSCRIPTION_TASKS_MAX {
        return Err(params_invalid("`taskIds` names too many tasks"));
    }
    Ok(ids)
}

fn bounded(value: Option<Json<'_>>, bytes_max: usize) -> Option<String> {
    let text = value?.string()?;
    (!text.is_empty() && text.len() <= bytes_max).then(|| text.into_owned())
}

#[cfg(test)]
mod tests;
