//! Receipts, and how the journal is that holds them.

use std::sync::Arc;
use std::time::Duration;

use audit::{Archive, Condition, Event, Feedback, Filter, ReadError, Record, Saw};
use model::{RuleId, Timestamp, limits};

use crate::fault::{Code, Fault};
use crate::requests::{FeedbackRequest, ReceiptPath, Search};
use crate::route::{Call, Nothing};
use crate::view::{FeedbackKept, Journal, Receipt, Receipts};
use crate::{Admin, busy};

pub(crate) async fn search(admin: Arc<Admin>, call: Call<Nothing, Search>) -> Result<Receipts, Fault> {
    let Search { text, agent, user, kind, since, before, limit } = call.query;
    let filter = Filter { text, agent, user, kind, since: since.map(Timestamp), before };
    let limit = limit.unwrap_or(limits::SEARCH_RESULTS_MAX).clamp(1, limits::SEARCH_RESULTS_MAX);
    let archive = up_to_now(&admin).await;
    let page = busy(move || archive.search(&filter, limit)).await?.map_err(|error| unread(&error))?;
    Ok(Receipts(page))
}

pub(crate) async fn show(admin: Arc<Admin>, call: Call<ReceiptPath>) -> Result<Receipt, Fault> {
    let id = call.path.id;
    let archive = up_to_now(&admin).await;
    let found = busy(move || archive.find(id)).await?.map_err(|error| unread(&error))?;
    let receipt = found.ok_or_else(|| Fault::new(Code::NotFound, format!("there is no receipt `{id}`")))?;
    Ok(Receipt(receipt))
}

pub(crate) async fn feedback(
    admin: Arc<Admin>,
    call: Call<ReceiptPath, Nothing, FeedbackRequest>,
) -> Result<FeedbackKept, Fault> {
    let (id, FeedbackRequest { verdict, rule, note }) = (call.path.id, call.body);
    if note.as_ref().is_some_and(|note| note.len() > limits::REASON_BYTES_MAX) {
        let most = limits::REASON_BYTES_MAX;
        return Err(Fault::new(Code::RequestInvalid, format!("the note is longer than {most} bytes")));
    }
    let archive = up_to_now(&admin).await;
    let found = busy(move || archive.find(id)).await?.map_err(|error| unread(&error))?;
    let found = found.ok_or_else(|| Fault::new(Code::NotFound, format!("there is no receipt `{id}`")))?;
    let records = || std::iter::once(&found.written).chain(&found.outcome).map(|written| &written.record);
    if let Some(rule) = rule.as_ref().filter(|rule| !records().any(|record| saw(record, rule))) {
        return Err(Fault::new(Code::NotFound, format!("rule `{rule}` is not among what receipt `{id}` tells")));
    }
    let actor = call.person.who;
    let record = admin.journal.record(Event::Feedback(Feedback { actor, receipt: id, verdict, rule, note }));
    admin.journal.durable(&record).await.map_err(|error| {
        tracing::error!(%error, "what somebody said of a receipt could not be written");
        Fault::new(Code::StorageFailed, "the journal cannot be written")
            .with_next("look at the gate's log and its disk")
    })?;
    Ok(FeedbackKept { receipt: record.id.to_string() })
}

/// Whether a record tells that a rule saw something; of a record that tells only of the first ones nothing is certain.
fn saw(record: &Record, rule: &RuleId) -> bool {
    let saw: Option<&Saw> = match &record.event {
        Event::Intent(intent) => intent.findings.as_deref(),
        Event::Outcome(outcome) => outcome.findings.as_deref(),
        Event::Refused(refused) => refused.findings.as_deref(),
        Event::Asked(asked) => asked.findings.as_deref(),
        Event::Opened(_)
        | Event::Listed(_)
        | Event::Changed(_)
        | Event::Strangers(_)
        | Event::Unrecorded(_)
        | Event::Taken(_)
        | Event::Feedback(_) => None,
    };
    saw.is_some_and(|saw| saw.more > 0 || saw.list.iter().any(|sight| sight.rule == *rule))
}

pub(crate) async fn journal(admin: Arc<Admin>, _call: Call) -> Result<Journal, Fault> {
    let health = admin.journal.health();
    let (condition, why) = match health.condition {
        Condition::Writing => ("writing", None),
        Condition::Unwritable { since: _, why } => ("unwritable", Some(why)),
        Condition::Closed => ("closed", None),
    };
    Ok(Journal {
        condition: condition.to_owned(),
        why: why.or(health.checkpoint),
        pending: health.pending,
        public_key: admin.journal.public_key().to_string(),
    })
}

/// The archive, with what was put in the journal until now: whoever was given a receipt's id a moment ago finds it.
async fn up_to_now(admin: &Admin) -> Archive {
    let limit = Duration::from_millis(limits::IN_EFFECT_MILLISECONDS_MAX);
    match tokio::time::timeout(limit, admin.journal.flush()).await {
        Ok(Ok(())) => {}
        // What is durable can still be read, and is wanted most while the disk is full.
        Ok(Err(error)) => tracing::warn!(%error, "the journal could not be written before it was read"),
        Err(_) => tracing::warn!("the journal was read before all of it was written"),
    }
    admin.journal.archive().clone()
}

fn unread(error: &ReadError) -> Fault {
    match error {
        ReadError::Damaged { .. } => {
            tracing::error!(%error, "the journal is damaged");
            Fault::new(Code::StorageFailed, error.to_string())
                .with_next("run `portcullis audit verify`, and keep a copy")
        }
        ReadError::File(source) => {
            tracing::error!(%error, %source, "the journal could not be read");
            Fault::new(Code::StorageFailed, error.to_string()).with_next("look at the gate's log and its disk")
        }
    }
}
