//! May this server ask the user or the model? In 2026-07-28 its questions travel inside an answer (multi-round-trip
//! requests) and the answers come back as part of a new call; in 2025-11-25 it sends requests of its own, and each answer
//! takes a path of its own.

use ::inspect::Origin;
use bytes::Bytes;
use model::{Object, Reason, Refusal, ServerName, Timestamp};
use policy::Action;
use serde_json::json;
use wire::answer::Question;
use wire::{Capabilities, Flaw, Revision};

use crate::controls::connect::Connected;
use crate::controls::inspect::{self, Passing};
use crate::gate::Gate;
use crate::looked::Noted;
use crate::register::{self, Direction, Path};

/// Questions that a server puts to a client.
pub(crate) struct Put<'a> {
    pub(crate) connected: &'a Connected,
    pub(crate) server: &'a ServerName,
    /// What the client can be asked.
    pub(crate) capabilities: &'a Capabilities,
    pub(crate) revision: Revision,
    pub(crate) questions: &'a [Question],
    /// The text in which they stand.
    pub(crate) text: &'a Bytes,
}

/// Decides `ask` for every question, and that the client said it can be asked. Returns the text without what policies want
/// taken out, where they do.
pub(crate) fn run(gate: &Gate, put: &Put<'_>, noted: &mut Noted, now: Timestamp) -> Result<Option<Bytes>, Flaw> {
    let Put { connected, server, capabilities, revision, questions, text } = *put;
    for question in questions {
        let method = question.method.as_str();
        // What a newer revision knows is refused below, as what this client cannot be asked.
        let newer = Revision::SUPPORTED.iter().filter(|newer| **newer >= revision);
        let mut rows = newer.filter_map(|revision| register::find(method, Direction::ToAgent, *revision));
        if !rows.any(|row| row.path == Path::Asked) {
            let detail = "the server asks by a method that is not in the register";
            return Err(Refusal::new(Reason::AnswerRefused, detail).into());
        }
        if let Some(missing) = capabilities.missing_for(question) {
            // The specification forbids the server to ask; passing it on would leave the client with a question that
            // it cannot even show.
            let refusal = Refusal::new(Reason::CapabilityMissing, "the server asks what the client cannot be asked");
            return Err(Flaw::from(refusal).with_data(json!({ "requiredCapabilities": missing })));
        }
    }
    if questions.is_empty() {
        return Ok(None);
    }
    let objects = [Object::Server { server: server.clone() }];
    let (action, origin) = (Action::Ask, Origin::Question);
    let passing = Passing { connected, action, objects: &objects, origin, now };
    inspect::pass(gate, &passing, text, noted).map(|passed| passed.text).map_err(|refusal| {
        let hint = refusal.hint.unwrap_or_else(|| "the server may not ask questions here".to_owned());
        Refusal::new(Reason::ReleaseRefused, refusal.detail).with_hint(hint).with_policies(refusal.policies).into()
    })
}
