//! The port of what was seen of servers that live.

use admin::port::{Evidence, Kept};
use async_trait::async_trait;
use evidence::{Probe, Trial};
use model::{Change, Digest, ServerName, StoreError, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::write::{number, read, to_the_end, unsigned, written};
use super::{Sqlite, storage};
use crate::entry::Entry;

const PROBE: &str = "probe";
const TRIAL: &str = "trial";

#[async_trait]
impl Evidence for Sqlite {
    async fn probe(&self, server: &ServerName) -> Result<Option<Kept<Probe>>, StoreError> {
        self.seen(server, PROBE).await
    }

    async fn keep_probe(
        &self,
        server: &ServerName,
        identity: Digest,
        found: Probe,
        change: Change,
    ) -> Result<(), StoreError> {
        let entry = Entry::probed(server, &found);
        self.keep_seen(server, PROBE, identity, found, entry, change).await
    }

    async fn trial(&self, server: &ServerName) -> Result<Option<Kept<Trial>>, StoreError> {
        self.seen(server, TRIAL).await
    }

    async fn keep_trial(
        &self,
        server: &ServerName,
        identity: Digest,
        found: Trial,
        change: Change,
    ) -> Result<(), StoreError> {
        let entry = Entry::tried(server, &found);
        self.keep_seen(server, TRIAL, identity, found, entry, change).await
    }
}

impl Sqlite {
    async fn seen<T: DeserializeOwned>(
        &self,
        server: &ServerName,
        kind: &'static str,
    ) -> Result<Option<Kept<T>>, StoreError> {
        let row: Option<(String, String, String, i64)> =
            sqlx::query_as("SELECT found, identity, by, at FROM evidence WHERE server = ? AND kind = ?")
                .bind(server.as_str())
                .bind(kind)
                .fetch_optional(&mut *self.reader().await?)
                .await
                .map_err(storage("read what was seen of a server"))?;
        row.map(|(found, identity, by, at)| {
            let identity = identity.parse().map_err(storage("read what was seen of a server"))?;
            Ok(Kept { found: read(&found)?, identity, by, at: Timestamp(unsigned(at)?) })
        })
        .transpose()
    }

    async fn keep_seen<T: Serialize + Send + Sync + 'static>(
        &self,
        server: &ServerName,
        kind: &'static str,
        identity: Digest,
        found: T,
        entry: Entry,
        change: Change,
    ) -> Result<(), StoreError> {
        let (store, server) = (self.clone(), server.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            writing.needs_server(&server).await?;
            let by = writing.change().actor.to_string();
            let at = writing.change().at.0;
            sqlx::query(
                "INSERT INTO evidence (server, kind, identity, found, by, at) VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT (server, kind) DO UPDATE SET
                    identity = excluded.identity, found = excluded.found, by = excluded.by, at = excluded.at",
            )
            .bind(server.as_str())
            .bind(kind)
            .bind(identity.to_string())
            .bind(written(&found)?)
            .bind(by)
            .bind(number(at)?)
            .execute(writing.rows())
            .await
            .map_err(storage("keep what was seen of a server"))?;
            writing.finish_beside(entry).await
        })
        .await
    }
}
