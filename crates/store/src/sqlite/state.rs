//! The control plane's port: the state read whole and changed whole.

use std::collections::HashSet;

use ::registry::{AgentManifest, EndpointManifest, ServerManifest, ZoneManifest};
use admin::port::{Edits, Governed, Plan, State};
use async_trait::async_trait;
use model::{Change, Revision, ServerName, StoreError, ZoneName};
use serde::de::DeserializeOwned;
use sqlx::{Row, SqliteConnection};

use super::transaction::Transaction;
use super::write::{Writing, read, to_the_end, written};
use super::{Sqlite, registry as servers, revision, storage};
use crate::entry::Entry;
use crate::references::Standing;

#[async_trait]
impl State for Sqlite {
    async fn read(&self) -> Result<Governed, StoreError> {
        let mut reading = Transaction::reading(&self.inner.readers).await?;
        let rows = reading.rows();
        let policies = |(file, text)| policy::Source { file, text };
        let governed = Governed {
            revision: revision(rows).await?,
            zones: documents(&ZONES.all(rows).await?)?,
            servers: self.inner.servers.all(rows).await?,
            endpoints: documents(&ENDPOINTS.all(rows).await?)?,
            agents: documents(&AGENTS.all(rows).await?)?,
            policies: POLICIES.all(rows).await?.into_iter().map(policies).collect(),
        };
        reading.commit().await?;
        Ok(governed)
    }

    async fn zones(&self) -> Result<Vec<ZoneManifest>, StoreError> {
        documents(&ZONES.all(&mut *self.reader().await?).await?)
    }

    async fn apply(&self, plan: Plan, change: Change) -> Result<Revision, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let entry = Entry::applied(&plan);
            let Plan { zones, servers, endpoints, agents, policies } = plan;
            ZONES.edit(&mut writing, zones, |zone| Ok((zone.name.to_string(), written(&zone)?))).await?;
            submit_all(&mut writing, servers).await?;
            let endpoint = |endpoint: EndpointManifest| Ok((endpoint.name.to_string(), written(&endpoint)?));
            ENDPOINTS.edit(&mut writing, endpoints, endpoint).await?;
            let agent = |agent: AgentManifest| Ok((agent.name.to_string(), written(&agent)?));
            AGENTS.edit(&mut writing, agents, agent).await?;
            POLICIES.edit(&mut writing, policies, |policy| Ok((policy.file, policy.text))).await?;
            check(writing.rows()).await?;
            writing.finish(entry).await
        })
        .await
    }
}

/// Servers are no plain documents: an update is a new submission on top of what is known of the server.
async fn submit_all(writing: &mut Writing, edits: Edits<ServerManifest, ServerName>) -> Result<(), StoreError> {
    for manifest in edits.create {
        if servers::find(writing.rows(), &manifest.name).await?.is_some() {
            return Err(there_already("server", manifest.name.as_str()));
        }
        servers::submit(writing, manifest, None).await?;
    }
    for manifest in edits.update {
        let Some(before) = servers::find(writing.rows(), &manifest.name).await? else {
            return Err(StoreError::NotFound { kind: "server", name: manifest.name.to_string() });
        };
        servers::submit(writing, manifest, Some(before)).await?;
    }
    for name in edits.delete {
        if !servers::delete(writing.rows(), &name).await? {
            return Err(StoreError::NotFound { kind: "server", name: name.to_string() });
        }
    }
    Ok(())
}

/// Refuses a state in which something names what is not there.
pub(super) async fn check(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let zones = ZONES.all(connection).await?.into_iter().map(|(name, _)| name.parse::<ZoneName>());
    let rows = sqlx::query("SELECT manifest, status FROM servers").fetch_all(&mut *connection).await;
    let (mut all, mut retired) = (Vec::new(), HashSet::new());
    for row in rows.map_err(storage("read the servers"))? {
        let text = |column| row.try_get(column).map_err(storage("read the servers"));
        let manifest: ServerManifest = read(text(0)?)?;
        if servers::standing(text(1)?)? == ::registry::Standing::Retired {
            retired.insert(manifest.name.clone());
        }
        all.push(manifest);
    }
    let endpoints = documents(&ENDPOINTS.all(connection).await?)?;
    let standing = Standing {
        zones: zones.collect::<Result<_, _>>().map_err(storage("read the zones"))?,
        servers: all,
        retired,
        endpoints,
        agents: documents(&AGENTS.all(connection).await?)?,
    };
    standing.check()
}

/// The documents of a table's rows.
fn documents<T: DeserializeOwned>(rows: &[(String, String)]) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|(_, document)| read(document)).collect()
}

/// A table of documents by name. Each statement is written out: SQL is never put together.
struct Table {
    kind: &'static str,
    all: &'static str,
    create: &'static str,
    update: &'static str,
    delete: &'static str,
}

const ZONES: Table = Table {
    kind: "zone",
    all: "SELECT name, manifest FROM zones ORDER BY name",
    create: "INSERT INTO zones (name, manifest) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    update: "UPDATE zones SET manifest = ?2 WHERE name = ?1",
    delete: "DELETE FROM zones WHERE name = ?1",
};

const ENDPOINTS: Table = Table {
    kind: "endpoint",
    all: "SELECT name, manifest FROM endpoints ORDER BY name",
    create: "INSERT INTO endpoints (name, manifest) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    update: "UPDATE endpoints SET manifest = ?2 WHERE name = ?1",
    delete: "DELETE FROM endpoints WHERE name = ?1",
};

const AGENTS: Table = Table {
    kind: "agent",
    all: "SELECT name, manifest FROM agents ORDER BY name",
    create: "INSERT INTO agents (name, manifest) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    update: "UPDATE agents SET manifest = ?2 WHERE name = ?1",
    delete: "DELETE FROM agents WHERE name = ?1",
};

const POLICIES: Table = Table {
    kind: "policy file",
    all: "SELECT name, text FROM policies ORDER BY name",
    create: "INSERT INTO policies (name, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    update: "UPDATE policies SET text = ?2 WHERE name = ?1",
    delete: "DELETE FROM policies WHERE name = ?1",
};

impl Table {
    /// Names and documents, by name.
    async fn all(&self, connection: &mut SqliteConnection) -> Result<Vec<(String, String)>, StoreError> {
        sqlx::query_as(self.all).fetch_all(connection).await.map_err(storage("read the state"))
    }

    /// Carries out the edits of one kind; `row` gives a thing's name and document.
    async fn edit<T, Name: ToString>(
        &self,
        writing: &mut Writing,
        edits: Edits<T, Name>,
        row: impl Fn(T) -> Result<(String, String), StoreError>,
    ) -> Result<(), StoreError> {
        for thing in edits.create {
            let (name, document) = row(thing)?;
            if !self.run(self.create, writing, &name, Some(&document)).await? {
                return Err(there_already(self.kind, &name));
            }
        }
        for thing in edits.update {
            let (name, document) = row(thing)?;
            if !self.run(self.update, writing, &name, Some(&document)).await? {
                return Err(StoreError::NotFound { kind: self.kind, name });
            }
        }
        for name in edits.delete {
            let name = name.to_string();
            if !self.run(self.delete, writing, &name, None).await? {
                return Err(StoreError::NotFound { kind: self.kind, name });
            }
        }
        Ok(())
    }

    /// Runs one of the table's statements; returns whether it found or made its row.
    async fn run(
        &self,
        statement: &'static str,
        writing: &mut Writing,
        name: &str,
        document: Option<&str>,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(statement).bind(name);
        let query = match document {
            Some(document) => query.bind(document),
            None => query,
        };
        let done = query.execute(writing.rows()).await.map_err(storage("change the state"))?;
        Ok(done.rows_affected() > 0)
    }
}

fn there_already(kind: &str, name: &str) -> StoreError {
    StoreError::Refused(format!("there is a {kind} named `{name}` already"))
}
