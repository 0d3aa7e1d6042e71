//! Did people stop any of this? First the caller and the endpoint, later the object: a halted tool that the caller
//! may not see must not be told from a missing one.

use model::{Object, Reason, Refusal};
use watch::{Halt, Halts};

use crate::controls::connect::Connected;
use crate::controls::session::Present;
use crate::controls::visible::Visible;

/// A caller whom nothing stops, at an endpoint that nothing stops.
pub(crate) struct Running {
    pub(crate) present: Present,
}

/// A visible object that nothing stops.
pub(crate) struct Live {
    pub(crate) visible: Visible,
}

/// Looks for halts of the user, the agent, the endpoint and everything.
pub(crate) fn run(halts: &Halts, present: Present) -> Result<Running, Refusal> {
    caller(halts, &present.connected)?;
    Ok(Running { present })
}

/// Looks for halts of the object's tool and server.
pub(crate) fn object(halts: &Halts, visible: Visible) -> Result<Live, Refusal> {
    for one in visible.objects() {
        thing(halts, one).map_err(|refusal| visible.wording().hide(refusal))?;
    }
    Ok(Live { visible })
}

/// Both questions once more: right before a call leaves, and whenever halts change while a stream is open.
pub(crate) fn again(halts: &Halts, connected: &Connected, objects: &[Object]) -> Result<(), Refusal> {
    caller(halts, connected)?;
    objects.iter().try_for_each(|one| thing(halts, one))
}

fn caller(halts: &Halts, connected: &Connected) -> Result<(), Refusal> {
    match halts.current().stops(&connected.caller, &connected.door.name) {
        None => Ok(()),
        Some(halt) => Err(refused(Reason::Halted, halt)),
    }
}

fn thing(halts: &Halts, object: &Object) -> Result<(), Refusal> {
    match halts.current().stops_object(object) {
        None => Ok(()),
        Some(halt) => Err(refused(Reason::ToolHalted, halt)),
    }
}

fn refused(reason: Reason, halt: &Halt) -> Refusal {
    Refusal::new(reason, format!("{} is halted: {}", halt.scope, halt.reason.as_deref().unwrap_or("no reason given")))
}

impl std::ops::Deref for Running {
    type Target = Connected;

    fn deref(&self) -> &Connected {
        &self.present.connected
    }
}
