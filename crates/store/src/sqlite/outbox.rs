//! The journal's port: changes that wait for their receipts.

use async_trait::async_trait;
use audit::port::{Outbox, OutboxRow};
use model::{Revision, StoreError, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::write::{number, read, to_the_end, unsigned};
use super::{Sqlite, storage};

#[async_trait]
impl Outbox for Sqlite {
    async fn pending(&self, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let limit = number(u64::try_from(limit).unwrap_or(u64::MAX)).unwrap_or(i64::MAX);
        let rows = sqlx::query("SELECT id, revision, actor, what, subject, detail, at FROM outbox ORDER BY id LIMIT ?")
            .bind(limit)
            .fetch_all(&mut *self.reader().await?)
            .await
            .map_err(storage("read the outbox"))?;
        rows.iter().map(row).collect()
    }

    async fn settle(&self, id: u64) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            sqlx::query("DELETE FROM outbox WHERE id = ?")
                .bind(number(id)?)
                .execute(&store.inner.writer)
                .await
                .map_err(storage("settle an outbox row"))?;
            Ok(())
        })
        .await
    }
}

fn row(row: &SqliteRow) -> Result<OutboxRow, StoreError> {
    let doing = "read the outbox";
    let text = |column: &str| row.try_get::<&str, _>(column).map_err(storage(doing));
    let count = |column: &str| unsigned(row.try_get::<i64, _>(column).map_err(storage(doing))?);
    Ok(OutboxRow {
        id: count("id")?,
        revision: Revision(count("revision")?),
        actor: read(text("actor")?)?,
        what: text("what")?.to_owned(),
        subject: text("subject")?.to_owned(),
        detail: read(text("detail")?)?,
        at: Timestamp(count("at")?),
    })
}
