//! The port of what is in servers' packages.

use admin::port::{KeptPackage, Packages};
use async_trait::async_trait;
use dossier::Examination;
use model::{Change, ServerName, StoreError, Timestamp};

use super::write::{number, read, to_the_end, unsigned, written};
use super::{Sqlite, storage};
use crate::entry::Entry;

#[async_trait]
impl Packages for Sqlite {
    async fn package(&self, server: &ServerName) -> Result<Option<KeptPackage>, StoreError> {
        let row: Option<(String, String, i64)> =
            sqlx::query_as("SELECT examination, by, at FROM packages WHERE server = ?")
                .bind(server.as_str())
                .fetch_optional(&mut *self.reader().await?)
                .await
                .map_err(storage("read what is in a package"))?;
        row.map(|(examination, by, at)| {
            Ok(KeptPackage { examination: read(&examination)?, by, at: Timestamp(unsigned(at)?) })
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
}
