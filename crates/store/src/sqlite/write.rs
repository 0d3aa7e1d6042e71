//! A change: one transaction from the check of the revision to the outbox row.

use model::{Change, Expected, Revision, ServerName, StoreError, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;

use super::transaction::Transaction;
use super::{Sqlite, revision, storage};
use crate::entry::Entry;

/// A change under way: the write lock is held and the revision is the one its maker saw. Dropped, it never was.
pub(super) struct Writing {
    transaction: Transaction,
    store: Sqlite,
    found: Revision,
    change: Change,
}

impl Sqlite {
    /// Takes the write lock and checks what the change expects.
    pub(super) async fn begin(&self, change: Change) -> Result<Writing, StoreError> {
        if change.reason.as_ref().is_some_and(|reason| reason.len() > limits::REASON_BYTES_MAX) {
            let max = limits::REASON_BYTES_MAX;
            return Err(StoreError::Refused(format!("the reason is longer than {max} bytes")));
        }
        let mut transaction = Transaction::writing(&self.inner.writer).await?;
        let found = revision(transaction.rows()).await?;
        match change.expected {
            Expected::At(expected) if expected != found => Err(StoreError::Conflict { expected, found }),
            Expected::At(_) | Expected::Any => Ok(Writing { transaction, store: self.clone(), found, change }),
        }
    }
}

impl Writing {
    /// The connection that holds the lock.
    pub(super) fn rows(&mut self) -> &mut SqliteConnection {
        self.transaction.rows()
    }

    /// Who changes what, when and why.
    pub(super) fn change(&self) -> &Change {
        &self.change
    }

    /// Refuses what is about a server that there is not.
    pub(super) async fn needs_server(&mut self, server: &ServerName) -> Result<(), StoreError> {
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM servers WHERE name = ?")
            .bind(server.as_str())
            .fetch_one(self.rows())
            .await
            .map_err(storage("look for a server"))?;
        match there {
            0 => Err(StoreError::NotFound { kind: "server", name: server.to_string() }),
            _ => Ok(()),
        }
    }

    /// Commits with the next revision and an outbox row, then tells whoever waits for revisions.
    pub(super) async fn finish(mut self, entry: Entry) -> Result<Revision, StoreError> {
        let next = Revision(self.found.0.saturating_add(1));
        sqlx::query("UPDATE state SET revision = ? WHERE one = 1")
            .bind(number(next.0)?)
            .execute(self.rows())
            .await
            .map_err(storage("count the revision"))?;
        self.commit(next, entry).await?;
        Ok(next)
    }

    /// Commits with an outbox row at the revision that is.
    pub(super) async fn finish_beside(self, entry: Entry) -> Result<(), StoreError> {
        let found = self.found;
        self.commit(found, entry).await
    }

    /// Commits what is too small to be a change: no revision, no outbox row. Returns the revision that is.
    pub(super) async fn finish_unnoticed(self) -> Result<Revision, StoreError> {
        self.transaction.commit().await?;
        Ok(self.found)
    }

    async fn commit(mut self, revision: Revision, entry: Entry) -> Result<(), StoreError> {
        let (what, subject) = (entry.what, entry.subject.clone());
        let detail = entry.detail(&self.change)?;
        sqlx::query("INSERT INTO outbox (revision, actor, what, subject, detail, at) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(number(revision.0)?)
            .bind(written(&self.change.actor)?)
            .bind(what)
            .bind(subject)
            .bind(detail)
            .bind(number(self.change.at.0)?)
            .execute(self.rows())
            .await
            .map_err(storage("write the outbox"))?;
        self.transaction.commit().await?;
        self.store.inner.revision.send_if_modified(|known| {
            let newer = revision > *known;
            *known = (*known).max(revision);
            newer
        });
        Ok(())
    }
}

/// Runs a change to its end even if whoever asked for it goes away, as a client does that closes its connection:
/// between the commit and the news of it there must be no point at which the change can be dropped.
pub(super) async fn to_the_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(change).await.unwrap_or_else(|error| Err(storage("finish a change")(error)))
}

/// A number as SQLite keeps it.
pub(super) fn number(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(storage("write a number"))
}

/// A number as it was kept.
pub(super) fn unsigned(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(storage("read a number"))
}

/// A document as it is kept.
pub(super) fn written<T: Serialize>(document: &T) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(storage("write a document"))
}

/// A document that was kept.
pub(super) fn read<T: DeserializeOwned>(document: &str) -> Result<T, StoreError> {
    serde_json::from_str(document).map_err(storage("read a document"))
}
