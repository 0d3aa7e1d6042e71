//! Does it exist for this caller, as people approved it?
//!
//! Missing, unapproved and hidden look the same and take the same time: `list` is decided for the name whether the registry
//! knows it or not, and only a caller who may see the object hears that it is withheld or halted.

use std::sync::Arc;

use model::{Digest, Object, Reason, Refusal, Timestamp};
use policy::Action;
use registry::{Approved, Tool};
use wire::{Reference, Subject};

use crate::controls::connect::Connected;
use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::uri;

/// Objects the caller may see, at the very definitions people approved.
pub(crate) struct Visible {
    objects: Vec<Object>,
    tool: Option<Arc<Tool>>,
    pin: Option<Digest>,
}

/// What the registry has of an object.
enum Known {
    /// Approved, with its pin if objects of its kind have one.
    Approved { tool: Option<Arc<Tool>>, pin: Option<Digest> },
    /// Changed since.
    Withheld,
    /// Nothing.
    Missing,
}

/// Looks up what the message is about and decides `list` on it.
pub(crate) fn run(running: &Running, message: &Message, now: Timestamp) -> Result<Visible, Refusal> {
    let server = &running.door.server;
    let object = match &message.request.subject {
        Subject::Tool { name, .. } => Object::Tool { server: server.name.clone(), name: parse(name)? },
        Subject::Prompt { name, .. } | Subject::Completion { reference: Reference::Prompt { name } } => {
            Object::Prompt { server: server.name.clone(), name: parse(name)? }
        }
        Subject::Resource { uri } => {
            Object::Resource { server: server.name.clone(), uri: uri::canonical(uri)?.to_owned() }
        }
        Subject::Completion { reference: Reference::Template { uri } } => {
            Object::Template { server: server.name.clone(), template: uri.clone() }
        }
        Subject::Subscription { resource_uris, .. } => return subscribed(running, resource_uris, now),
        Subject::None => Object::Server { server: server.name.clone() },
    };
    let (tool, pin) = see(running, &object, now)?;
    Ok(Visible { objects: vec![object], tool, pin })
}

/// Every resource of a subscription must be visible; the subscription as a whole is about the server.
fn subscribed(running: &Running, uris: &[String], now: Timestamp) -> Result<Visible, Refusal> {
    let server = &running.door.server.name;
    let mut objects = vec![Object::Server { server: server.clone() }];
    for uri in uris {
        let object = Object::Resource { server: server.clone(), uri: uri::canonical(uri)?.to_owned() };
        see(running, &object, now)?;
        objects.push(object);
    }
    Ok(Visible { objects, tool: None, pin: None })
}

/// Decides `list` on one object and compares it with the registry.
fn see(running: &Connected, object: &Object, now: Timestamp) -> Result<(Option<Arc<Tool>>, Option<Digest>), Refusal> {
    let listed = running.decide(Action::List, object, now);
    match (listed, known(&running.door.server, object)) {
        (Ok(_), Known::Approved { tool, pin }) => Ok((tool, pin)),
        (Ok(_), Known::Withheld) => {
            Err(Refusal::new(Reason::Withheld, "the definition is not the one people approved"))
        }
        (Ok(_), Known::Missing) => Err(missing("no approved definition has this name")),
        (Err(refusal), _) => Err(missing(&refusal.detail).with_policies(refusal.policies)),
    }
}

fn known(server: &Approved, object: &Object) -> Known {
    match object {
        Object::Tool { name, .. } => match server.tool(name) {
            Some(tool) if tool.withheld => Known::Withheld,
            Some(tool) => Known::Approved { pin: Some(tool.pin), tool: Some(Arc::clone(tool)) },
            None => Known::Missing,
        },
        Object::Prompt { name, .. } => match server.prompt(name) {
            Some(prompt) if prompt.withheld => Known::Withheld,
            Some(prompt) => Known::Approved { tool: None, pin: Some(prompt.pin) },
            None => Known::Missing,
        },
        Object::Template { template, .. } => match server.templates().iter().find(|one| one.template == *template) {
            Some(template) if template.withheld => Known::Withheld,
            Some(template) => Known::Approved { tool: None, pin: Some(template.pin) },
            None => Known::Missing,
        },
        // Servers list resources as they come and go; what people approve is the server, and policy names URIs.
        Object::Resource { .. } | Object::Server { .. } => Known::Approved { tool: None, pin: None },
    }
}

fn parse<T: std::str::FromStr>(name: &str) -> Result<T, Refusal> {
    name.parse().map_err(|_| missing("no name that any definition could have"))
}

fn missing(detail: &str) -> Refusal {
    Refusal::new(Reason::ObjectNotFound, detail)
}

impl Visible {
    /// What the message is about.
    pub(crate) fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The first of them: the only one, or the server whose resources are subscribed to.
    pub(crate) fn object(&self) -> Option<&Object> {
        self.objects.first()
    }

    /// The tool, if it is one.
    pub(crate) fn tool(&self) -> Option<&Arc<Tool>> {
        self.tool.as_ref()
    }

    /// The pin of the definition.
    pub(crate) fn pin(&self) -> Option<Digest> {
        self.pin
    }
}

/// The same question for objects of an open stream, in the light of a newer snapshot. A definition that is withheld now, or
/// pinned at another digest, ends the stream.
pub(crate) fn again(
    before: &Connected,
    now_connected: &Connected,
    objects: &[Object],
    now: Timestamp,
) -> Result<(), Refusal> {
    for object in objects {
        let (_, pin) = see(now_connected, object, now)?;
        if let Known::Approved { pin: before, .. } = known(&before.door.server, object)
            && before != pin
        {
            return Err(Refusal::new(Reason::Withheld, "another definition was approved while the stream was open"));
        }
        if !matches!(object, Object::Server { .. }) {
            now_connected.decide(Action::Release, object, now)?;
        }
    }
    Ok(())
}
