//! Receipts, and how the journal is that holds them.

use std::sync::Arc;

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
    let archive = settled(&admin).await;
    let page = busy(move || archive.search(&filter, limit)).await?.map_err(|error| unread(&error))?;
    Ok(Receipts(page))
}

pub(crate) async fn show(admin: Arc<Admin>, call: Call<ReceiptPath>) -> Result<Receipt, Fault> {
    let id = call.path.id;
    let archive = settled(&admin).await;
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

/// The archive, with everything in it that callers were told of before this was asked: a refusal's receipt may still be
/// waiting for company.
async fn settled(admin: &Admin) -> Archive {
    if let Err(error) = admin.journal.flush().await {
        // What can be read is read all the same.
        tracing::warn!(%error, "the journal could not be flushed before it was read");
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
