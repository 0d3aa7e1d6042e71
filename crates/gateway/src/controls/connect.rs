//! May this caller use this endpoint? Without a permit it looks like an endpoint that does not exist.

mod demand;

use std::sync::Arc;

use model::{Caller, Object, Reason, Refusal, Timestamp};
use policy::{Action, Findings, Foreseen, Permit, Question, Remedies, Target};
use wire::{Flaw, Revision};

use crate::controls::accept::{Accepted, Verb};
use crate::controls::authenticate::Known;
use crate::snapshot::{Door, Snapshot};

/// A caller at an endpoint it may use, in the light of one snapshot.
#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) caller: Arc<Caller>,
    pub(crate) door: Arc<Door>,
    pub(crate) snapshot: Arc<Snapshot>,
    /// Whether policies permit it for as long as the snapshot stays.
    lasts: bool,
}

/// Decides `connect`.
pub(crate) fn run(
    snapshot: Arc<Snapshot>,
    known: Known,
    accepted: &Accepted,
    now: Timestamp,
) -> Result<Connected, Refusal> {
    let caller = known.caller;
    let question = Question {
        action: Action::Connect,
        caller: &caller,
        endpoint: &accepted.endpoint,
        target: Target::Endpoint(&accepted.endpoint),
        arguments: None,
        findings: None,
        now,
    };
    // Decided whether the endpoint exists or not, so that both take the same time.
    let decided = snapshot.policy.decide(&question);
    let registered = snapshot.agents.admits(&caller, &accepted.endpoint);
    let door = snapshot.endpoints.get(&accepted.endpoint).cloned();
    match (decided, door) {
        (Ok(_), Some(_)) if !registered => Err(hidden("an agent of the call is not registered for the endpoint")),
        // Told to nobody but those who may connect: what the endpoint asks for is its own affair.
        (Ok(permit), Some(door)) => {
            let lasts = permit.lasts();
            demand::run(&snapshot, &door, &caller, now).map(|()| Connected { caller, door, snapshot, lasts })
        }
        (Err(refusal), Some(_)) if refusal.reason == Reason::StepUpRequired && registered => Err(refusal),
        (Ok(_), None) => Err(hidden(&snapshot.registry.absence(&accepted.endpoint).to_string())),
        (Err(refusal), Some(_)) => Err(hidden(&refusal.detail).with_policies(refusal.policies)),
        (Err(refusal), None) => Err(hidden(&format!("no such endpoint, and {}", refusal.detail))),
    }
}

/// The revision in which this is spoken from now on, if the endpoint serves it. A handshake is given the revision that it
/// wishes for, or else the newest one with sessions, unless it wishes for less than the endpoint serves (MCP 2025-11-25,
/// basic/lifecycle). In a session another revision may have been agreed on: that is for `session` to say.
pub(crate) fn speaks(connected: &Connected, said: &Spoken<'_>) -> Result<Revision, Flaw> {
    let door = &connected.door;
    let newest = || door.revisions().find(|served| served.has_sessions());
    let agreed = match said.wished {
        None if said.revision.has_sessions() => newest().map(|_| said.revision),
        None => Some(said.revision).filter(|revision| door.serves(*revision)),
        Some(wished) => match Revision::parse(wished).filter(|revision| revision.has_sessions()) {
            Some(revision) if door.serves(revision) => Some(revision),
            // The names of revisions are dates, so that an unknown one can be told to be too old.
            Some(_) | None => newest().filter(|_| door.minimum().is_none_or(|minimum| wished > minimum.as_str())),
        },
    };
    agreed.ok_or_else(|| {
        let served: Vec<Revision> = door.revisions().collect();
        Flaw::version_unsupported(said.wished.unwrap_or(said.revision.as_str()), &served)
    })
}

/// A message in a revision that nobody speaks: whoever may connect learns which ones the endpoint serves. To others it looks
/// like every other endpoint, whether it is there or not.
pub(crate) fn unspoken(
    snapshot: Arc<Snapshot>,
    caller: &Arc<Caller>,
    accepted: &Accepted,
    flaw: Flaw,
    now: Timestamp,
) -> Flaw {
    if flaw.refusal.reason != Reason::VersionUnsupported {
        return flaw;
    }
    match run(snapshot, Known::again(caller), accepted, now) {
        Ok(connected) => flaw.at(&connected.door.revisions().collect::<Vec<_>>()),
        Err(_) => flaw,
    }
}

/// The revision of a message.
#[derive(Clone, Copy)]
pub(crate) struct Spoken<'a> {
    /// The one it speaks.
    pub(crate) revision: Revision,
    /// Whether it names that one itself, in a header; a message of a session need not.
    pub(crate) is_named: bool,
    /// The one that a handshake would like to speak.
    pub(crate) wished: Option<&'a str>,
}

fn hidden(detail: &str) -> Refusal {
    Refusal::new(Reason::EndpointNotFound, detail)
}

impl Connected {
    /// Asks the snapshot's policies about an object, for this caller at this endpoint.
    pub(crate) fn decide(&self, action: Action, object: &Object, now: Timestamp) -> Result<Permit, Refusal> {
        self.decide_call(action, object, None, now)
    }

    /// The same, with the arguments of a call.
    pub(crate) fn decide_call(
        &self,
        action: Action,
        object: &Object,
        arguments: Option<&serde_json::Value>,
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        self.decide_seen(action, object, arguments, None, now)
    }

    /// The same, with what inspection saw in the message.
    pub(crate) fn decide_seen(
        &self,
        action: Action,
        object: &Object,
        arguments: Option<&serde_json::Value>,
        findings: Option<&Findings>,
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        self.snapshot.policy.decide(&self.question(action, object, arguments, findings, now))
    }

    /// What has to be done to the message, if that is all that is asked for.
    pub(crate) fn remedies(
        &self,
        action: Action,
        object: &Object,
        arguments: Option<&serde_json::Value>,
        findings: Option<&Findings>,
        now: Timestamp,
    ) -> Result<Remedies, Refusal> {
        self.snapshot.policy.remedies(&self.question(action, object, arguments, findings, now))
    }

    /// Whether what is answered about an object depends on what is in the message.
    pub(crate) fn reads_findings(&self, action: Action, object: &Object) -> Result<bool, Refusal> {
        self.snapshot.policy.reads_findings(&self.question(action, object, None, None, Timestamp(0)))
    }

    fn question<'a>(
        &'a self,
        action: Action,
        object: &'a Object,
        arguments: Option<&'a serde_json::Value>,
        findings: Option<&'a Findings>,
        now: Timestamp,
    ) -> Question<'a> {
        let target = Target::Object(object);
        Question { action, caller: &self.caller, endpoint: &self.door.name, target, arguments, findings, now }
    }

    /// What will be answered about an object as long as this snapshot is in force.
    pub(crate) fn foresee(&self, action: Action, object: &Object) -> Foreseen {
        self.snapshot.policy.foresee(&self.question(action, object, None, None, Timestamp(0)))
    }

    /// The same about each of many objects.
    pub(crate) fn foresee_each(&self, action: Action, objects: &[Object]) -> Vec<Foreseen> {
        self.snapshot.policy.foresee_each(action, &self.caller, &self.door.name, objects)
    }

    /// The same caller at the same endpoint, at a later moment and in the light of the snapshot that is then in force. What
    /// policies said is asked again where it may have changed.
    pub(crate) fn again(&self, snapshot: Arc<Snapshot>, now: Timestamp) -> Result<Self, Refusal> {
        if self.lasts && Arc::ptr_eq(&self.snapshot, &snapshot) {
            return demand::run(&snapshot, &self.door, &self.caller, now).map(|()| self.clone());
        }
        let accepted = Accepted { endpoint: self.door.name.clone(), verb: Verb::Post };
        run(snapshot, Known::again(&self.caller), &accepted, now)
    }
}
