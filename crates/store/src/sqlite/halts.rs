//! The port of halts.

use async_trait::async_trait;
use model::{Change, Scope, StoreError, limits};
use sqlx::SqliteConnection;
use watch::Halt;
use watch::port::Halts;

use super::write::{number, read, to_the_end, written};
use super::{Sqlite, storage};
use crate::entry::Entry;

#[async_trait]
impl Halts for Sqlite {
    async fn halts(&self) -> Result<Vec<Halt>, StoreError> {
        let halts: Vec<(String,)> = sqlx::query_as("SELECT halt FROM halts ORDER BY scope")
            .fetch_all(&mut *self.reader().await?)
            .await
            .map_err(storage("read the halts"))?;
        halts.iter().map(|(halt,)| read(halt)).collect()
    }

    async fn halt(&self, scope: Scope, change: Change) -> Result<Halt, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let key = key(&scope)?;
            if let Some(halt) = find(writing.rows(), &key).await? {
                writing.finish_beside(Entry::halted(&scope, true)).await?;
                return Ok(halt);
            }
            if scope != Scope::Everything {
                refuse_too_many(writing.rows()).await?;
            }
            let change = writing.change().clone();
            let entry = Entry::halted(&scope, false);
            let halt = Halt { scope, reason: change.reason, by: change.actor, at: change.at };
            sqlx::query("INSERT INTO halts (scope, halt) VALUES (?, ?)")
                .bind(key)
                .bind(written(&halt)?)
                .execute(writing.rows())
                .await
                .map_err(storage("write a halt"))?;
            writing.finish_beside(entry).await?;
            Ok(halt)
        })
        .await
    }

    async fn resume(&self, scope: &Scope, change: Change) -> Result<bool, StoreError> {
        let (store, scope) = (self.clone(), scope.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let done = sqlx::query("DELETE FROM halts WHERE scope = ?")
                .bind(key(&scope)?)
                .execute(writing.rows())
                .await
                .map_err(storage("end a halt"))?;
            let was_halted = done.rows_affected() > 0;
            writing.finish_beside(Entry::unhalted(&scope, was_halted)).await?;
            Ok(was_halted)
        })
        .await
    }
}

/// A scope as a key: one text for one scope.
fn key(scope: &Scope) -> Result<String, StoreError> {
    written(scope)
}

async fn find(connection: &mut SqliteConnection, key: &str) -> Result<Option<Halt>, StoreError> {
    let halt: Option<(String,)> = sqlx::query_as("SELECT halt FROM halts WHERE scope = ?")
        .bind(key)
        .fetch_optional(connection)
        .await
        .map_err(storage("read a halt"))?;
    halt.map(|(halt,)| read(&halt)).transpose()
}

async fn refuse_too_many(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM halts")
        .fetch_one(connection)
        .await
        .map_err(storage("count the halts"))?;
    if count >= number(u64::try_from(limits::HALTS_MAX).unwrap_or(u64::MAX))? {
        let max = limits::HALTS_MAX;
        return Err(StoreError::Refused(format!("there are {max} halts already: halt everything, or end some")));
    }
    Ok(())
}
