//! The port of what is in servers' packages.

use admin::port::{KeptPackage, Packages};
use async_trait::async_trait;
use dossier::Examination;
use model::{Change, Digest, ServerName, StoreError, Timestamp};
use sqlx::SqliteConnection;

use super::transaction::Transaction;
use super::write::{number, read, to_the_end, unsigned, written};
use super::{Sqlite, storage};
use crate::entry::Entry;

#[async_trait]
impl Packages for Sqlite {
    async fn package(&self, server: &ServerName) -> Result<Option<KeptPackage>, StoreError> {
        let row: Option<(String, Option<String>, String, i64)> =
            sqlx::query_as("SELECT examination, approved, by, at FROM packages WHERE server = ?")
                .bind(server.as_str())
                .fetch_optional(&mut *self.reader().await?)
                .await
                .map_err(storage("read what is in a package"))?;
        row.map(|(examination, approved, by, at)| {
            let digest = Digest::of(examination.as_bytes());
            let approved = approved.as_deref().map(read).transpose()?;
            let examination = read(&examination)?;
            Ok(KeptPackage { examination, digest, approved, by, at: Timestamp(unsigned(at)?) })
        })
        .transpose()
    }

    async fn keep_package(&self, server: &ServerName, found: Examination, change: Change) -> Result<(), StoreError> {
        let (store, server) = (self.clone(), server.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            writing.needs_server(&server).await?;
            let by = writing.change().actor.to_string();
            let at = writing.change().at.0;
            sqlx::query(
                "INSERT INTO packages (server, examination, by, at) VALUES (?, ?, ?, ?)
                 ON CONFLICT (server) DO UPDATE SET
                    examination = excluded.examination, by = excluded.by, at = excluded.at",
            )
            .bind(server.as_str())
            .bind(written(&found)?)
            .bind(by)
            .bind(number(at)?)
            .execute(writing.rows())
            .await
            .map_err(storage("keep what is in a package"))?;
            writing.finish_beside(Entry::examined(&server, &found)).await
        })
        .await
    }

    async fn refresh_package(&self, server: &ServerName, of: Digest, now: Examination) -> Result<Digest, StoreError> {
        let (store, server) = (self.clone(), server.clone());
        to_the_end(async move {
            let mut writing = Transaction::writing(&store.inner.writer).await?;
            let kept = digest(writing.rows(), &server).await?;
            let missing = || StoreError::NotFound { kind: "package of server", name: server.to_string() };
            let kept = kept.ok_or_else(missing)?;
            if kept != of {
                return Ok(kept);
            }
            let now = written(&now)?;
            let digest = Digest::of(now.as_bytes());
            sqlx::query("UPDATE packages SET examination = ? WHERE server = ?")
                .bind(now)
                .bind(server.as_str())
                .execute(writing.rows())
                .await
                .map_err(storage("keep what is known of a package now"))?;
            writing.commit().await?;
            Ok(digest)
        })
        .await
    }
}

/// The digest of what is kept of a server's package.
pub(super) async fn digest(
    connection: &mut SqliteConnection,
    server: &ServerName,
) -> Result<Option<Digest>, StoreError> {
    let kept: Option<String> = sqlx::query_scalar("SELECT examination FROM packages WHERE server = ?")
        .bind(server.as_str())
        .fetch_optional(connection)
        .await
        .map_err(storage("read what is in a package"))?;
    Ok(kept.map(|text| Digest::of(text.as_bytes())))
}

/// Keeps in mind what is known of a server's package, as what it was approved with.
pub(super) async fn approve(connection: &mut SqliteConnection, server: &ServerName) -> Result<(), StoreError> {
    sqlx::query("UPDATE packages SET approved = examination WHERE server = ?")
        .bind(server.as_str())
        .execute(connection)
        .await
        .map_err(storage("keep with what a server was approved"))?;
    Ok(())
}
