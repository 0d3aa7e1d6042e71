//! The port of what vetting found of servers.

use admin::port::Vettings;
use admin::view::VettingReport;
use async_trait::async_trait;
use model::{Change, ServerName, StoreError};
use sqlx::SqliteConnection;

use super::write::{read, to_the_end, written};
use super::{Sqlite, storage};
use crate::entry::Entry;

#[async_trait]
impl Vettings for Sqlite {
    async fn vetting(&self, server: &ServerName) -> Result<Option<VettingReport>, StoreError> {
        kept(&mut *self.reader().await?, server).await
    }

    async fn keep_vetting(&self, server: &ServerName, found: VettingReport, change: Change) -> Result<(), StoreError> {
        let (store, server) = (self.clone(), server.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            writing.needs_server(&server).await?;
            let before = kept(writing.rows(), &server).await?;
            sqlx::query(
                "INSERT INTO vettings (server, report) VALUES (?, ?)
                 ON CONFLICT (server) DO UPDATE SET report = excluded.report",
            )
            .bind(server.as_str())
            .bind(written(&found)?)
            .execute(writing.rows())
            .await
            .map_err(storage("keep what vetting found"))?;
            if before.is_some_and(|before| before.checks == found.checks) {
                return writing.finish_unnoticed().await.map(drop);
            }
            writing.finish_beside(Entry::vetted(&server, &found)).await
        })
        .await
    }
}

async fn kept(connection: &mut SqliteConnection, server: &ServerName) -> Result<Option<VettingReport>, StoreError> {
    let report: Option<String> = sqlx::query_scalar("SELECT report FROM vettings WHERE server = ?")
        .bind(server.as_str())
        .fetch_optional(connection)
        .await
        .map_err(storage("read what vetting found"))?;
    report.as_deref().map(read).transpose()
}
