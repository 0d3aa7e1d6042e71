//! The port of what hosts reported.

use admin::port::{Inventories, KeptReport};
use async_trait::async_trait;
use inventory::Report;
use model::{Change, StoreError, Timestamp, limits};
use sqlx::SqliteConnection;

use super::write::{number, read, to_the_end, unsigned, written};
use super::{Sqlite, storage};
use crate::entry::Entry;

/// A row: report, by, at.
type Row = (String, String, i64);

#[async_trait]
impl Inventories for Sqlite {
    async fn reports(&self, after: Option<i64>) -> Result<(Vec<KeptReport>, Option<i64>), StoreError> {
        let rows: Vec<(i64, String, String, i64)> =
            sqlx::query_as("SELECT id, report, by, at FROM inventory WHERE id > ? ORDER BY id LIMIT ?")
                .bind(after.unwrap_or(i64::MIN))
                .bind(number(u64::try_from(limits::INVENTORY_REPORTS_READ).unwrap_or(u64::MAX))?)
                .fetch_all(&mut *self.reader().await?)
                .await
                .map_err(storage("read inventories"))?;
        let next = (rows.len() == limits::INVENTORY_REPORTS_READ).then(|| rows.last().map(|(id, ..)| *id)).flatten();
        let kept = rows.into_iter().map(|(_, report, by, at)| kept((report, by, at)));
        Ok((kept.collect::<Result<_, _>>()?, next))
    }

    async fn reports_of(&self, host: &str) -> Result<Vec<KeptReport>, StoreError> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT report, by, at FROM inventory WHERE host = ? ORDER BY at DESC, id LIMIT ?")
                .bind(host)
                .bind(number(u64::try_from(limits::INVENTORY_REPORTS_READ).unwrap_or(u64::MAX))?)
                .fetch_all(&mut *self.reader().await?)
                .await
                .map_err(storage("read an inventory"))?;
        rows.into_iter().map(kept).collect()
    }

    async fn keep_report(&self, report: Report, change: Change) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let change = writing.change().clone();
            let by = change.actor.to_string();
            let oldest = change.at.0.saturating_sub(limits::INVENTORY_REPORT_MILLISECONDS_MAX);
            sqlx::query("DELETE FROM inventory WHERE at < ?")
                .bind(number(oldest)?)
                .execute(writing.rows())
                .await
                .map_err(storage("forget old inventories"))?;
            sqlx::query(
                "INSERT INTO inventory (host, user, by, report, at) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (host, user, by) DO UPDATE SET report = excluded.report, at = excluded.at",
            )
            .bind(&report.host)
            .bind(&report.user)
            .bind(by)
            .bind(written(&report)?)
            .bind(number(change.at.0)?)
            .execute(writing.rows())
            .await
            .map_err(storage("keep an inventory"))?;
            refuse_too_many(writing.rows()).await?;
            writing.finish_beside(Entry::reported(&report)).await
        })
        .await
    }
}

fn kept((report, by, at): Row) -> Result<KeptReport, StoreError> {
    Ok(KeptReport { report: read(&report)?, by, at: Timestamp(unsigned(at)?) })
}

/// Refuses one report more than may be kept.
async fn refuse_too_many(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM inventory")
        .fetch_one(connection)
        .await
        .map_err(storage("count the inventories"))?;
    if count > number(u64::try_from(limits::INVENTORY_REPORTS_MAX).unwrap_or(u64::MAX))? {
        let max = limits::INVENTORY_REPORTS_MAX;
        return Err(StoreError::Refused(format!(
            "there are {max} reports already; those that nobody renews go by time"
        )));
    }
    Ok(())
}
