//! A transaction that cannot poison its connection.
//!
//! When the disk is full or fails, SQLite rolls a transaction back by itself. The driver's own transaction does not
//! notice, fails to roll back once more, and from then on refuses to begin another on that connection: one full disk
//! would end all writing until a restart. So a transaction that does not reach its commit, for whatever reason, takes
//! its connection with it, and the pool opens another.

use model::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite as Driver, SqliteConnection, SqlitePool};

use super::storage;

/// A transaction under way. Dropped before its commit, it never was.
pub(super) struct Transaction {
    connection: PoolConnection<Driver>,
    committed: bool,
}

impl Transaction {
    /// Begins to read: everything read is of one moment.
    pub(super) async fn reading(readers: &SqlitePool) -> Result<Self, StoreError> {
        Self::begin(readers, "BEGIN DEFERRED").await
    }

    /// Begins to write: the write lock is taken before anything is read.
    pub(super) async fn writing(writer: &SqlitePool) -> Result<Self, StoreError> {
        Self::begin(writer, "BEGIN IMMEDIATE").await
    }

    async fn begin(pool: &SqlitePool, statement: &'static str) -> Result<Self, StoreError> {
        let connection = pool.acquire().await.map_err(storage("get a connection"))?;
        let mut transaction = Self { connection, committed: false };
        sqlx::query(statement).execute(transaction.rows()).await.map_err(storage("begin a transaction"))?;
        Ok(transaction)
    }

    /// The connection, for statements within the transaction.
    pub(super) fn rows(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Ends the transaction; what it wrote is durable.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        sqlx::query("COMMIT").execute(self.rows()).await.map_err(storage("commit"))?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.committed {
            self.connection.close_on_drop();
        }
    }
}
