//! Receipts, and how the journal is that holds them.

use std::sync::Arc;
use std::time::Duration;

use audit::{Archive, Condition, Filter, ReadError};
use model::{Timestamp, limits};

use crate::fault::{Code, Fault};
use crate::requests::{ReceiptPath, Search};
use crate::route::Call;
use crate::view::{Journal, Receipt, Receipts};
use crate::{Admin, busy};

pub(crate) async fn search(admin: Arc<Admin>, call: Call<crate::route::Nothing, Search>) -> Result<Receipts, Fault> {
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
