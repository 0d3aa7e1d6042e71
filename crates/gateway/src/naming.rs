//! What a message is about: the objects it names, at which server, and how that server calls them.
//!
//! At an endpoint for one server everything is the server's, under the server's own names. At one for several, the name or
//! the URI says whose it is; the body that leaves has the server's own name in place of the endpoint's, and nothing else
//! changed.

use std::collections::BTreeMap;

use bytes::Bytes;
use model::{Object, Reason, Refusal, ServerName, Timestamp};
use policy::Action;
use registry::{Endpoint, Member, Naming};
use serde_json::Value;
use serde_json::value::RawValue;
use wire::{Reference, Request, Subject, edit};

use crate::controls::connect::Connected;
use crate::controls::read::Message;
use crate::gate::Gate;
use crate::pages::{self, Page};
use crate::register::Path;
use crate::tasks::{self, Task};
use crate::uri;

/// What a message names, and how its server is told.
pub(crate) struct Meant {
    pub(crate) objects: Vec<Object>,
    pub(crate) wording: Wording,
}

/// How a server is told what its caller said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wording {
    /// As it was said.
    AsSaid,
    /// With the server's own name for what is named.
    Own(String),
    /// With the server's own cursor, or with none.
    Cursor(Option<String>),
    /// With the server's own id of the task that the message is about.
    Task(Box<Task>),
    /// With the server's own ids of the tasks that are followed, and no others.
    Tasks(Vec<Task>),
}

/// Finds what a message means. That a name or URI means nothing is no different from there being nothing of that name:
/// what is returned then is not there either.
pub(crate) fn find(gate: &Gate, connected: &Connected, message: &Message, now: Timestamp) -> Result<Meant, Refusal> {
    let endpoint = &connected.door.endpoint;
    let meant = |object| Meant { objects: vec![object], wording: Wording::AsSaid };
    match &message.request.subject {
        Subject::Tool { name, .. } => tool(endpoint, name),
        Subject::Prompt { name, .. } | Subject::Completion { reference: Reference::Prompt { name } } => {
            let (server, own) = resolve(endpoint, name)?;
            let object = Object::Prompt { server, name: parse(own)? };
            Ok(Meant { objects: vec![object], wording: own_name(endpoint, own) })
        }
        Subject::Resource { uri } => Ok(meant(resource(endpoint, uri)?)),
        Subject::Completion { reference: Reference::Template { uri } } => {
            let known = endpoint.find_template(uri).map(|template| template.item.server.clone());
            let server = known.map_or_else(|| first(endpoint), Ok)?;
            Ok(meant(Object::Template { server, template: uri.clone() }))
        }
        Subject::Task { id } => {
            let task = tasks::find(gate, connected, id)?;
            Ok(Meant { objects: vec![task.tool.clone()], wording: Wording::Task(Box::new(task)) })
        }
        Subject::Subscription { resource_uris, resources_list_changed, task_ids, .. } => {
            let tasks = tasks::followed(gate, connected, task_ids, now);
            let objects = subscribed(connected, resource_uris, *resources_list_changed, &tasks, now)?;
            let wording = if task_ids.is_empty() { Wording::AsSaid } else { Wording::Tasks(tasks) };
            Ok(Meant { objects, wording })
        }
        Subject::None if message.row.path == Path::Listed => {
            let Page { server, cursor } = pages::find(connected, message.request.cursor.as_deref(), now)?;
            let wording = match endpoint.naming {
                Naming::Plain => Wording::AsSaid,
                Naming::Prefixed => Wording::Cursor(cursor),
            };
            Ok(Meant { objects: vec![Object::Server { server }], wording })
        }
        Subject::Initialize { .. }
        | Subject::Cancelled { .. }
        | Subject::Progress { .. }
        | Subject::LogLevel { .. }
        | Subject::None => Ok(meant(Object::Server { server: first(endpoint)? })),
    }
}

/// The tool that a name means.
pub(crate) fn tool(endpoint: &Endpoint, name: &str) -> Result<Meant, Refusal> {
    let (server, own) = resolve(endpoint, name)?;
    let object = Object::Tool { server, name: parse(own)? };
    Ok(Meant { objects: vec![object], wording: own_name(endpoint, own) })
}

/// The server that objects belong to: they are all of one.
///
/// # Errors
/// [`Reason::Internal`] when there are none, which nothing makes.
pub(crate) fn server(objects: &[Object]) -> Result<&ServerName, Refusal> {
    let none = || Refusal::new(Reason::Internal, "a message about nothing");
    objects.first().map(Object::server).ok_or_else(none)
}

fn resolve<'name>(endpoint: &Endpoint, name: &'name str) -> Result<(ServerName, &'name str), Refusal> {
    endpoint.resolve(name).ok_or_else(|| missing("no name that anything here could have"))
}

fn own_name(endpoint: &Endpoint, own: &str) -> Wording {
    match endpoint.naming {
        Naming::Plain => Wording::AsSaid,
        Naming::Prefixed => Wording::Own(own.to_owned()),
    }
}

/// A resource of its holder. One that nobody here may serve is looked for at the first server, which does not have it.
fn resource(endpoint: &Endpoint, uri: &str) -> Result<Object, Refusal> {
    let uri = uri::canonical(uri)?.to_owned();
    let server = endpoint.holder(&uri).map(|member| member.server.name.clone());
    Ok(Object::Resource { server: server.map_or_else(|| first(endpoint), Ok)?, uri })
}

fn first(endpoint: &Endpoint) -> Result<ServerName, Refusal> {
    let none = || Refusal::new(Reason::Internal, "an endpoint without servers");
    endpoint.members.first().map(|member| member.server.name.clone()).ok_or_else(none)
}

/// A subscription is about its server, about each resource it wants to hear of, and about the tool of each task. It reaches
/// one server: the one whose resources and tasks it names, or else the first that the caller may see.
fn subscribed(
    connected: &Connected,
    uris: &[String],
    any_resource: bool,
    tasks: &[Task],
    now: Timestamp,
) -> Result<Vec<Object>, Refusal> {
    let endpoint = &connected.door.endpoint;
    let mut resources = uris.iter().map(|uri| resource(endpoint, uri)).collect::<Result<Vec<_>, _>>()?;
    for Task { tool, .. } in tasks {
        if !resources.contains(tool) {
            resources.push(tool.clone());
        }
    }
    let mut concerned: Vec<ServerName> = resources.iter().map(|object| object.server().clone()).collect();
    if any_resource {
        concerned.extend(pages::turns(connected, now).cloned());
    }
    if concerned.is_empty() {
        let sees = |server: &ServerName| {
            let object = Object::Server { server: server.clone() };
            connected.decide(Action::List, &object, now).is_ok()
        };
        let mut servers = endpoint.members.iter().map(|member| &member.server.name);
        concerned.push(servers.find(|server| sees(server)).cloned().map_or_else(|| first(endpoint), Ok)?);
    }
    concerned.dedup();
    let [server] = concerned.as_slice() else {
        let detail = "a subscription to resources or tasks of several servers";
        let hint = "one subscription is for the resources and tasks of one server here: make one for each";
        return Err(Refusal::new(Reason::ParamsInvalid, detail).with_hint(hint));
    };
    resources.insert(0, Object::Server { server: server.clone() });
    Ok(resources)
}

fn parse<T: std::str::FromStr>(name: &str) -> Result<T, Refusal> {
    name.parse().map_err(|_| missing("no name that any definition could have"))
}

fn missing(detail: &str) -> Refusal {
    Refusal::new(Reason::ObjectNotFound, detail)
}

impl Wording {
    /// The body as the server is told it, with nothing changed but the name or the cursor.
    ///
    /// # Errors
    /// [`Reason::Internal`] when the body is not what it was read as.
    pub(crate) fn body(&self, request: &Request) -> Result<Bytes, Refusal> {
        let replace =
            |path: &[&str], text: &str| edit::replace(&request.body, &[(path, text)]).map_err(|flaw| flaw.refusal);
        match (self, &request.cursor) {
            (Self::AsSaid, _) | (Self::Cursor(None), None) => Ok(request.body.clone()),
            (Self::Task(task), _) => replace(&["params", "taskId"], &Value::from(task.own.as_str()).to_string()),
            (Self::Tasks(tasks), _) => {
                let own: Value = tasks.iter().map(|task| task.own.as_str()).collect();
                replace(&["params", "notifications", "taskIds"], &own.to_string())
            }
            (Self::Own(own), _) => {
                let path: &[&str] = match &request.subject {
                    Subject::Completion { .. } => &["params", "ref", "name"],
                    Subject::Tool { .. }
                    | Subject::Prompt { .. }
                    | Subject::Resource { .. }
                    | Subject::Subscription { .. }
                    | Subject::Task { .. }
                    | Subject::Initialize { .. }
                    | Subject::Cancelled { .. }
                    | Subject::Progress { .. }
                    | Subject::LogLevel { .. }
                    | Subject::None => &["params", "name"],
                };
                replace(path, &Value::from(own.as_str()).to_string())
            }
            (Self::Cursor(Some(cursor)), Some(_)) => {
                replace(&["params", "cursor"], &Value::from(cursor.as_str()).to_string())
            }
            (Self::Cursor(None), Some(_)) => replace(&["params"], &without_cursor(&request.body)?),
            // A cursor of a server's is found only in a cursor of the gate's.
            (Self::Cursor(Some(_)), None) => Err(Refusal::new(Reason::Internal, "a cursor out of nowhere")),
        }
    }

    /// What the `Mcp-Name` header says instead of what the request's own said.
    pub(crate) fn header(&self, request: &Request) -> Option<&str> {
        match self {
            Self::Own(own) => request.name().map(|_| own.as_str()),
            Self::Task(task) => Some(&task.own),
            Self::AsSaid | Self::Cursor(_) | Self::Tasks(_) => None,
        }
    }

    /// The task that the message is about.
    pub(crate) fn task(&self) -> Option<&Task> {
        match self {
            Self::Task(task) => Some(task),
            Self::AsSaid | Self::Own(_) | Self::Cursor(_) | Self::Tasks(_) => None,
        }
    }

    /// The tasks that the message is about, or that it follows.
    pub(crate) fn tasks(&self) -> &[Task] {
        match self {
            Self::Task(task) => std::slice::from_ref(&**task),
            Self::Tasks(tasks) => tasks,
            Self::AsSaid | Self::Own(_) | Self::Cursor(_) => &[],
        }
    }

    /// Why a task cannot be had is nobody's business: it is as one that is not there.
    pub(crate) fn hide(&self, refusal: Refusal) -> Refusal {
        match self {
            Self::Task(_) => tasks::unknown(refusal.detail).with_policies(refusal.policies),
            Self::AsSaid | Self::Own(_) | Self::Cursor(_) | Self::Tasks(_) => refusal,
        }
    }
}

/// The parameters without their cursor, each of the others as it was written.
fn without_cursor(body: &Bytes) -> Result<String, Refusal> {
    #[derive(serde::Deserialize)]
    struct Said<'body> {
        #[serde(borrow)]
        params: BTreeMap<String, &'body RawValue>,
    }
    let internal = |error: serde_json::Error| Refusal::new(Reason::Internal, error.to_string());
    let mut said: Said<'_> = serde_json::from_slice(body).map_err(internal)?;
    said.params.remove("cursor");
    serde_json::to_string(&said.params).map_err(internal)
}

/// Whether the endpoint has this object, and lets the server serve it.
pub(crate) fn member<'endpoint>(endpoint: &'endpoint Endpoint, object: &Object) -> Option<&'endpoint Member> {
    let member = endpoint.member(object.server())?;
    let offered = match object {
        Object::Tool { name, .. } => member.offers_tool(name),
        Object::Prompt { name, .. } => member.offers_prompt(name),
        Object::Resource { uri, .. } => member.holds(uri),
        Object::Template { template, server } => {
            endpoint.find_template(template).is_some_and(|found| found.item.server == *server)
        }
        Object::Server { .. } => true,
    };
    offered.then_some(member)
}

#[cfg(test)]
mod tests;
