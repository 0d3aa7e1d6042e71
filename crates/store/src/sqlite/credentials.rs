//! The port of the credentials towards servers. It keeps what the vault sealed, and cannot read it.

use async_trait::async_trait;
use identity::port::{Credentials, Kept, Place};
use model::{Actor, Change, Expected, StoreError, Timestamp, limits};
use sqlx::SqliteConnection;

use super::write::{number, to_the_end, unsigned};
use super::{Sqlite, storage};
use crate::entry::Entry;

/// A row: owner, holder, about, sealed, at.
type Row = (String, String, String, String, i64);

#[async_trait]
impl Credentials for Sqlite {
    async fn kept(&self, place: &Place) -> Result<Option<Kept>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT owner, holder, about, sealed, at FROM credentials WHERE owner = ? AND holder = ?")
                .bind(&place.owner)
                .bind(&place.holder)
                .fetch_optional(&mut *self.reader().await?)
                .await
                .map_err(storage("read a credential"))?;
        Ok(row.map(read).transpose()?.map(|(_, kept)| kept))
    }

    async fn kept_of(&self, owner: Option<&str>) -> Result<Vec<(Place, Kept)>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT owner, holder, about, sealed, at FROM credentials WHERE ?1 IS NULL OR owner = ?1 ORDER BY owner, holder",
        )
        .bind(owner)
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(storage("read credentials"))?;
        rows.into_iter().map(read).collect()
    }

    async fn connected(&self, place: Place, kept: Kept, change: Change) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            put(writing.rows(), &place, &kept).await?;
            writing.finish_beside(Entry::connected(&place, &kept)).await
        })
        .await
    }

    async fn noted(&self, place: Place, kept: Kept) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let change = Change { actor: Actor::Gate, expected: Expected::Any, at: kept.at, reason: None };
            let mut writing = store.begin(change).await?;
            put(writing.rows(), &place, &kept).await?;
            writing.finish_unnoticed().await?;
            Ok(())
        })
        .await
    }

    async fn renewed(&self, place: Place, kept: Kept, before: &str) -> Result<bool, StoreError> {
        let (store, before) = (self.clone(), before.to_owned());
        to_the_end(async move {
            let change = Change { actor: Actor::Gate, expected: Expected::Any, at: kept.at, reason: None };
            let mut writing = store.begin(change).await?;
            let done = sqlx::query(
                "UPDATE credentials SET about = ?, sealed = ?, at = ? WHERE owner = ? AND holder = ? AND about = ?",
            )
            .bind(&kept.about)
            .bind(&kept.sealed)
            .bind(number(kept.at.0)?)
            .bind(&place.owner)
            .bind(&place.holder)
            .bind(before)
            .execute(writing.rows())
            .await
            .map_err(storage("renew a credential"))?;
            writing.finish_unnoticed().await?;
            Ok(done.rows_affected() > 0)
        })
        .await
    }

    async fn rewrapped(&self, count: usize, change: Change) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let writing = store.begin(change).await?;
            writing.finish_beside(Entry::rewrapped(count)).await
        })
        .await
    }

    async fn disconnected(&self, place: Place, change: Change) -> Result<bool, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let done = sqlx::query("DELETE FROM credentials WHERE owner = ? AND holder = ?")
                .bind(&place.owner)
                .bind(&place.holder)
                .execute(writing.rows())
                .await
                .map_err(storage("forget a credential"))?;
            let was_there = done.rows_affected() > 0;
            writing.finish_beside(Entry::disconnected(&place, was_there)).await?;
            Ok(was_there)
        })
        .await
    }
}

fn read((owner, holder, about, sealed, at): Row) -> Result<(Place, Kept), StoreError> {
    Ok((Place { owner, holder }, Kept { about, sealed, at: Timestamp(unsigned(at)?) }))
}

/// Keeps a row in place of whatever was there.
async fn put(connection: &mut SqliteConnection, place: &Place, kept: &Kept) -> Result<(), StoreError> {
    refuse_too_many(connection, place).await?;
    let done = sqlx::query(
        "INSERT INTO credentials (owner, holder, about, sealed, at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (owner, holder) DO UPDATE SET
            about = excluded.about, sealed = excluded.sealed, at = excluded.at",
    )
    .bind(&place.owner)
    .bind(&place.holder)
    .bind(&kept.about)
    .bind(&kept.sealed)
    .bind(number(kept.at.0)?)
    .execute(connection)
    .await;
    done.map(drop).map_err(storage("keep a credential"))
}

/// Refuses one credential more than may be kept; one that takes another's place is none more.
async fn refuse_too_many(connection: &mut SqliteConnection, place: &Place) -> Result<(), StoreError> {
    let others: i64 = sqlx::query_scalar("SELECT count(*) FROM credentials WHERE owner != ? OR holder != ?")
        .bind(&place.owner)
        .bind(&place.holder)
        .fetch_one(connection)
        .await
        .map_err(storage("count the credentials"))?;
    if others >= number(u64::try_from(limits::CREDENTIALS_KEPT_MAX).unwrap_or(u64::MAX))? {
        let max = limits::CREDENTIALS_KEPT_MAX;
        return Err(StoreError::Refused(format!("there are {max} credentials already: disconnect some")));
    }
    Ok(())
}
