//! Detectors that are MCP servers of interceptors (SEP-2624, experimental): what is asked of them, in which order.
//!
//! Settings name the interceptors that are asked and say which of them may change a message; a server's listing says what
//! each hooks and in which order, and nothing of it can add one. What validators say is told as findings. What mutators make
//! of a message is held against what may change in it (`payload`), and takes the path from there as if it had come so.

pub(super) mod payload;
pub(super) mod read;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::try_join_all;
use model::{Confidence, Finding, Object, Part, Place, Severity, Timestamp, limits};
use serde_json::{Map, Value, json};
use wire::answer::{Incoming, Outcome, ResultType};
use wire::{Id, Revision, answer, outgoing};

use super::line::Unseen;
use super::{Callout, Speaks, Subject, question};
use payload::Payload;
use read::{Descriptor, Kind, Level};

/// The interceptors of one server that are asked.
pub(super) struct Interceptors {
    /// By name, and what each has to be.
    wanted: Vec<(String, Kind)>,
    /// What the server said of them, and when.
    listed: Mutex<Option<(Timestamp, Arc<Vec<Descriptor>>)>>,
}

/// The id of each request: every one has a connection's exchange of its own.
const ID: i64 = 1;
/// The class of what a validator does not let pass.
const INVALID: &str = "invalid";
/// The class of what a validator says besides.
const REMARK: &str = "remark";

impl Interceptors {
    /// Those of a detector that is such a server.
    pub(super) fn of(speaks: &Speaks) -> Option<Self> {
        let Speaks::Interceptors { validators, mutators } = speaks else { return None };
        let of = |names: &[String], kind| names.iter().map(move |name| (name.clone(), kind)).collect::<Vec<_>>();
        let wanted = [of(validators, Kind::Validation), of(mutators, Kind::Mutation)].concat();
        Some(Self { wanted, listed: Mutex::new(None) })
    }

    /// Whether any of them may make another message of one.
    pub(super) fn may_change(&self) -> bool {
        self.wanted.iter().any(|(_, kind)| *kind == Kind::Mutation)
    }

    /// Whether any of them only looks.
    pub(super) fn may_validate(&self) -> bool {
        self.wanted.iter().any(|(_, kind)| *kind == Kind::Validation)
    }

    /// Whether all of them said that a message goes on without them. One that nothing is known of did not.
    pub(super) fn fail_open(&self) -> bool {
        self.last().is_some_and(|(_, listed)| listed.iter().all(|descriptor| descriptor.fail_open))
    }

    /// What validators say of a message; all are asked at the same time.
    pub(super) async fn validate(&self, callout: &Callout, subject: &Subject<'_>) -> Result<Vec<Finding>, Unseen> {
        let message = question::sent(subject, callout.sends)?;
        let (Some(payload), Some(event)) = (Payload::of(message), event(subject)) else { return Ok(Vec::new()) };
        let listed = self.listed(callout, subject.now).await?;
        let asked = listed.iter().filter(|one| one.kind == Kind::Validation && one.hooks(event, payload.phase));
        let answers = asked.map(|one| async {
            let result = invoke(callout, one, event, payload.phase.as_str(), &payload.members).await?;
            found(callout, one, &read::validated(&result).map_err(Unseen::Answer)?)
        });
        Ok(try_join_all(answers).await?.into_iter().flatten().collect())
    }

    /// What mutators make of a message, one after the other, and who changed it.
    pub(super) async fn change(
        &self,
        callout: &Callout,
        subject: &Subject<'_>,
    ) -> Result<Option<(Bytes, Vec<String>)>, Unseen> {
        let message = serde_json::from_str(subject.text).map_err(|_| Unseen::Answer("the message is no JSON"))?;
        let (Some(payload), Some(event)) = (Payload::of(message), event(subject)) else { return Ok(None) };
        let listed = self.listed(callout, subject.now).await?;
        let asked = listed.iter().filter(|one| one.kind == Kind::Mutation && one.hooks(event, payload.phase));
        let mut by_order: Vec<&Descriptor> = asked.collect();
        by_order.sort_by_key(|one| one.order(payload.phase));
        let (mut members, mut changed_by) = (payload.members.clone(), Vec::new());
        for one in by_order {
            let result = invoke(callout, one, event, payload.phase.as_str(), &members).await?;
            // One that is only tried out changes nothing.
            if let Some(changed) = read::mutated(&result).map_err(Unseen::Answer)?.filter(|_| one.acts) {
                members = changed;
                changed_by.push(format!("intercept:{}.{}", callout.name, one.name));
            }
        }
        let changed = payload.put_back(&Bytes::copy_from_slice(subject.text.as_bytes()), &members);
        Ok(changed.map_err(Unseen::Answer)?.map(|changed| (changed, changed_by)))
    }

    fn last(&self) -> Option<(Timestamp, Arc<Vec<Descriptor>>)> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the server says of those that are wanted: asked again once it is old.
    async fn listed(&self, callout: &Callout, now: Timestamp) -> Result<Arc<Vec<Descriptor>>, Unseen> {
        let is_new = |at: Timestamp| now.0.saturating_sub(at.0) < limits::INTERCEPTORS_LISTED_MILLISECONDS;
        if let Some((_, listed)) = self.last().filter(|(at, _)| is_new(*at)) {
            return Ok(listed);
        }
        let result = exchange(callout, "interceptors/list", Map::new()).await?;
        let listed = Arc::new(read::listed(&result, &self.wanted).map_err(Unseen::Answer)?);
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&listed)));
        Ok(listed)
    }
}

/// What a message is about, in SEP-2624's words: the method of the call that it is or answers.
fn event(subject: &Subject<'_>) -> Option<&'static str> {
    subject.objects.iter().find_map(|object| match object {
        Object::Tool { .. } => Some("tools/call"),
        Object::Prompt { .. } => Some("prompts/get"),
        Object::Resource { .. } => Some("resources/read"),
        Object::Template { .. } | Object::Server { .. } => None,
    })
}

/// Asks one interceptor.
async fn invoke(
    callout: &Callout,
    one: &Descriptor,
    event: &str,
    phase: &str,
    payload: &Map<String, Value>,
) -> Result<Bytes, Unseen> {
    let params = json!({ "name": one.name, "event": event, "phase": phase, "payload": payload });
    let Value::Object(params) = params else { return Err(Unseen::Answer("the question is no object")) };
    exchange(callout, "interceptor/invoke", params).await
}

/// Sends one request of MCP 2026-07-28, which needs no session, and gives back the result.
async fn exchange(callout: &Callout, method: &str, params: Map<String, Value>) -> Result<Bytes, Unseen> {
    let request = outgoing::compose(Revision::V2026_07_28, method, params, &Id::number(ID));
    let posted = callout.way.post(&callout.url, request.headers, request.body, callout.authorization.as_ref()).await;
    let fetched = posted.map_err(|_| Unseen::Unreachable)?;
    if !fetched.status.is_success() {
        return Err(Unseen::Status(fetched.status.as_u16()));
    }
    match answer::read(&fetched.body).map_err(|_| Unseen::Answer("it is no message of MCP, or a stream of them"))? {
        Incoming::Response { id: Some(id), outcome } if id == Id::number(ID) => match outcome {
            Outcome::Result { result_type: ResultType::Complete, raw, .. } => Ok(raw),
            Outcome::Result { .. } => Err(Unseen::Answer("it asks before it answers")),
            Outcome::Error { .. } => Err(Unseen::Answer("it is an error")),
        },
        Incoming::Response { .. } | Incoming::Notification { .. } | Incoming::Request { .. } => {
            Err(Unseen::Answer("it answers another question"))
        }
    }
}

/// What is told of a validator's answer. Its words stay out: who may read a receipt may not read a message.
fn found(callout: &Callout, one: &Descriptor, verdict: &read::Verdict) -> Result<Option<Finding>, Unseen> {
    let Some(level) = verdict.level() else { return Ok(None) };
    let class = if one.acts && level == Level::Error { INVALID } else { REMARK };
    let no_name = |_| Unseen::Answer("it has a name that is none");
    Ok(Some(Finding {
        rule: format!("callout.{}.{}", callout.name, one.name).parse().map_err(no_name)?,
        class: class.parse().map_err(no_name)?,
        severity: match level {
            Level::Error => Severity::High,
            Level::Warn => Severity::Medium,
            Level::Info => Severity::Low,
        },
        confidence: Confidence::High,
        place: Place { pointer: String::new(), part: Part::Value, range: 0..0, decodings: Vec::new() },
    }))
}

#[cfg(test)]
mod tests;
