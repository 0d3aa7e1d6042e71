//! Does it exist for this caller, as people approved it?
//!
//! Missing, unapproved and hidden look the same and take the same time: `list` is decided for the name whether the registry
//! knows it or not, and only a caller who may see the object hears that it is withheld or halted.

use std::sync::Arc;

use model::{Digest, Object, Reason, Refusal, Timestamp};
use policy::Action;
use registry::{Endpoint, Member, Tool};

use crate::controls::connect::Connected;
use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::gate::Gate;
use crate::naming::{self, Meant, Wording};
use crate::tasks;

/// Objects the caller may see, at the very definitions people approved.
pub(crate) struct Visible {
    objects: Vec<Object>,
    wording: Wording,
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

/// The objects that a message names, not looked up yet: good for its receipt and for asking, and no proof of anything.
pub(crate) struct Named(Meant);

/// What the message is about.
pub(crate) fn name(gate: &Gate, running: &Running, message: &Message, now: Timestamp) -> Result<Named, Refusal> {
    naming::find(gate, running, message, now).map(Named)
}

/// The tool that a name means, for whoever asks about it.
pub(crate) fn tool(running: &Running, name: &str) -> Result<Named, Refusal> {
    naming::tool(&running.door.endpoint, name).map(Named)
}

/// What a server's question was about, when it is answered.
pub(crate) fn asked(objects: Vec<Object>) -> Named {
    Named(Meant { objects, wording: Wording::AsSaid })
}

/// Decides `list` on everything that is named and compares it with the registry.
pub(crate) fn run(running: &Running, named: Named, now: Timestamp) -> Result<Visible, Refusal> {
    let Named(Meant { objects, wording }) = named;
    let (mut tool, mut pin) = (None, None);
    for object in &objects {
        (tool, pin) = see(running, object, now).map_err(|refusal| wording.hide(refusal))?;
    }
    if wording.task().is_some_and(|task| Some(task.pin) != pin) {
        return Err(tasks::unknown("the task is of a definition that is not the approved one any more"));
    }
    if objects.len() > 1 {
        // A subscription is about several things, and none of them is called.
        (tool, pin) = (None, None);
    }
    Ok(Visible { objects, wording, tool, pin })
}

impl Named {
    /// The only one, or the server whose resources are subscribed to.
    pub(crate) fn object(&self) -> Option<&Object> {
        self.0.objects.first()
    }
}

/// Decides `list` on one object and compares it with the registry.
fn see(running: &Connected, object: &Object, now: Timestamp) -> Result<(Option<Arc<Tool>>, Option<Digest>), Refusal> {
    let listed = running.decide(Action::List, object, now);
    match (listed, known(&running.door.endpoint, object)) {
        (Ok(_), Known::Approved { tool, pin }) => Ok((tool, pin)),
        (Ok(_), Known::Withheld) => {
            Err(Refusal::new(Reason::Withheld, "the definition is not the one people approved"))
        }
        (Ok(_), Known::Missing) => Err(missing("no approved definition has this name")),
        (Err(refusal), _) => Err(missing(&refusal.detail).with_policies(refusal.policies)),
    }
}

fn known(endpoint: &Endpoint, object: &Object) -> Known {
    let Some(Member { server, .. }) = naming::member(endpoint, object) else {
        return Known::Missing;
    };
    // Then people have to look before any of it is used, resources too, which have no pins.
    if server.withheld {
        return Known::Withheld;
    }
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

    /// How the server is told.
    pub(crate) fn wording(&self) -> &Wording {
        &self.wording
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
    unchanged(&pins(before, objects), now_connected, objects, now)
}

/// The pins of these objects, noted to be held against those of another day; none for objects that have none.
pub(crate) fn pins(connected: &Connected, objects: &[Object]) -> Vec<Option<Digest>> {
    let pin = |object| match known(&connected.door.endpoint, object) {
        Known::Approved { pin, .. } => pin,
        Known::Withheld | Known::Missing => None,
    };
    objects.iter().map(pin).collect()
}

/// The same question, held against pins that were noted.
pub(crate) fn unchanged(
    pins: &[Option<Digest>],
    now_connected: &Connected,
    objects: &[Object],
    now: Timestamp,
) -> Result<(), Refusal> {
    for (object, before) in objects.iter().zip(pins) {
        let (_, pin) = see(now_connected, object, now)?;
        if *before != pin {
            return Err(Refusal::new(Reason::Withheld, "another definition was approved while the stream was open"));
        }
        // Where it depends on what is in a message, each message is decided on when it comes.
        let depends = || now_connected.reads_findings(Action::Release, object);
        if !matches!(object, Object::Server { .. }) && !depends()? {
            now_connected.decide(Action::Release, object, now)?;
        }
    }
    Ok(())
}
