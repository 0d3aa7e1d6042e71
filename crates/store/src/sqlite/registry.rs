//! The registry's port: servers and their approvals.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use identity::port::Place;
use model::{Change, Digest, Revision, ServerName, StoreError, Timestamp};
use registry::port::{Observation, Registry};
use registry::{
    Acceptance, Approval, Consequence, Eyes, Mark, Noticed, Observed, Reopening, Server, ServerManifest, Standing,
    StandingError, Suspension, Warning,
};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::transaction::Transaction;
use super::write::{Writing, number, read, to_the_end, unsigned, written};
use super::{Sqlite, packages, revision, state, storage};
use crate::entry::Entry;

/// Servers that are read one by one; where more are not known, all are read at once.
const READ_ALONE_MAX: usize = 16;

/// What a server's row keeps beside its three documents.
#[derive(Serialize, Deserialize)]
struct Status {
    standing: Standing,
    submitted: Mark,
    approved: Option<Mark>,
    suspended: Option<Suspension>,
    #[serde(default)]
    expires: Option<Timestamp>,
    #[serde(default)]
    warnings: Vec<Warning>,
    #[serde(default)]
    noticed: Option<Noticed>,
    #[serde(default)]
    accepted: Vec<Acceptance>,
}

#[async_trait]
impl Registry for Sqlite {
    async fn servers(&self) -> Result<(Revision, Vec<Arc<Server>>), StoreError> {
        let mut reading = Transaction::reading(&self.inner.readers).await?;
        let servers = (revision(reading.rows()).await?, self.inner.servers.all(reading.rows()).await?);
        reading.commit().await?;
        Ok(servers)
    }

    async fn server(&self, name: &ServerName) -> Result<Server, StoreError> {
        one(&mut *self.reader().await?, name).await
    }

    async fn draft(&self, manifest: ServerManifest, change: Change) -> Result<Revision, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let (entry, change) = (Entry::drafted(&manifest), writing.change().clone());
            let server = match find(writing.rows(), &manifest.name).await? {
                Some(mut server) => {
                    server.redraft(manifest, &change).map_err(|error| refused(&error))?;
                    server
                }
                None => Server::draft(manifest, &change),
            };
            put(writing.rows(), &server).await?;
            state::check(writing.rows()).await?;
            writing.finish(entry).await
        })
        .await
    }

    async fn submit(&self, manifest: ServerManifest, change: Change) -> Result<Revision, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let before = find(writing.rows(), &manifest.name).await?;
            let entry = Entry::submitted(&manifest, before.as_ref());
            submit(&mut writing, manifest, before).await?;
            state::check(writing.rows()).await?;
            writing.finish(entry).await
        })
        .await
    }

    async fn observe(
        &self,
        name: &ServerName,
        identity: Digest,
        observed: Observed,
        change: Change,
    ) -> Result<Observation, StoreError> {
        let (store, name) = (self.clone(), name.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let mut server = one(writing.rows(), &name).await?;
            let entry = Entry::observed(&server, &observed);
            let (at, before) = (observed.at, server.observed.take());
            let excluded_alike = before.as_ref().is_some_and(|before| before.excluded == observed.excluded);
            server.observed = before;
            if server.observe(identity, observed, writing.change()).map_err(|error| refused(&error))? {
                put(writing.rows(), &server).await?;
                return Ok(Observation { revision: writing.finish(entry).await?, changed: true });
            }
            if excluded_alike {
                touch(writing.rows(), &name, at).await?;
            } else {
                put(writing.rows(), &server).await?;
            }
            Ok(Observation { revision: writing.finish_unnoticed().await?, changed: false })
        })
        .await
    }

    async fn approve(&self, name: &ServerName, approval: Approval, change: Change) -> Result<Revision, StoreError> {
        let (store, name) = (self.clone(), name.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let mut server = one(writing.rows(), &name).await?;
            server.approve(approval, writing.change()).map_err(|error| refused(&error))?;
            if packages::digest(writing.rows(), &name).await? != approval.package {
                let why =
                    format!("the package of server `{name}` was examined anew in the meantime: read what was found");
                return Err(StoreError::Refused(why));
            }
            packages::approve(writing.rows(), &name).await?;
            put(writing.rows(), &server).await?;
            writing.finish(Entry::approved(&server, approval)).await
        })
        .await
    }

    async fn accept(
        &self,
        name: &ServerName,
        check: String,
        of: Digest,
        eyes: Eyes,
        change: Change,
    ) -> Result<Revision, StoreError> {
        self.alter(name, change, move |server, change| {
            server.accept(&check, of, eyes, change)?;
            Ok(Entry::accepted(server, &check, of, eyes))
        })
        .await
    }

    async fn suspend(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError> {
        self.alter(name, change, |server, change| {
            server.suspend(change)?;
            Ok(Entry::stood("server.suspend", server))
        })
        .await
    }

    async fn resume(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError> {
        self.alter(name, change, |server, change| {
            server.resume(change)?;
            Ok(Entry::stood("server.resume", server))
        })
        .await
    }

    async fn quarantine(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError> {
        self.alter(name, change, |server, change| {
            server.quarantine(change)?;
            Ok(Entry::stood("server.quarantine", server))
        })
        .await
    }

    async fn release(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError> {
        self.alter(name, change, |server, _| {
            server.release()?;
            Ok(Entry::stood("server.release", server))
        })
        .await
    }

    async fn retire(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError> {
        let (store, name) = (self.clone(), name.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let mut server = one(writing.rows(), &name).await?;
            server.retire(writing.change()).map_err(|error| refused(&error))?;
            put(writing.rows(), &server).await?;
            forget_credentials(writing.rows(), &name).await?;
            writing.finish(Entry::stood("server.retire", &server)).await
        })
        .await
    }

    async fn reopen(
        &self,
        name: &ServerName,
        reopening: Reopening,
        change: Change,
    ) -> Result<(Revision, Consequence), StoreError> {
        let (store, name) = (self.clone(), name.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let mut server = one(writing.rows(), &name).await?;
            let consequence = server.reopen(&reopening, writing.change());
            if consequence == Consequence::Nothing {
                return Ok((writing.finish_unnoticed().await?, consequence));
            }
            put(writing.rows(), &server).await?;
            Ok((writing.finish(Entry::reopened(&server, &reopening, consequence)).await?, consequence))
        })
        .await
    }

    async fn remove(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError> {
        let (store, name) = (self.clone(), name.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let server = one(writing.rows(), &name).await?;
            if server.standing == Standing::Retired {
                let why = format!("server `{name}` is retired: its record stays, and its name is not given again");
                return Err(StoreError::Refused(why));
            }
            delete(writing.rows(), &name).await?;
            state::check(writing.rows()).await?;
            writing.finish(Entry::removed(&server)).await
        })
        .await
    }
}

impl Sqlite {
    /// Changes one server that is there.
    async fn alter(
        &self,
        name: &ServerName,
        change: Change,
        alter: impl FnOnce(&mut Server, &Change) -> Result<Entry, StandingError> + Send + 'static,
    ) -> Result<Revision, StoreError> {
        let (store, name) = (self.clone(), name.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let mut server = one(writing.rows(), &name).await?;
            let entry = alter(&mut server, writing.change()).map_err(|error| refused(&error))?;
            put(writing.rows(), &server).await?;
            writing.finish(entry).await
        })
        .await
    }
}

fn refused(error: &StandingError) -> StoreError {
    StoreError::Refused(error.to_string())
}

/// Submits a manifest on top of what was there.
pub(super) async fn submit(
    writing: &mut Writing,
    manifest: ServerManifest,
    before: Option<Server>,
) -> Result<(), StoreError> {
    let change = writing.change().clone();
    let server = match before {
        Some(mut server) => {
            server.resubmit(manifest, &change).map_err(|error| refused(&error))?;
            server
        }
        None => Server::submit(manifest, &change),
    };
    put(writing.rows(), &server).await
}

/// Servers as they were read last, each with the version of its row: one that changed among a thousand costs little more than
/// itself. What a row says is read again wherever its version is another.
#[derive(Default)]
pub(super) struct Known(Mutex<Versions>);

type Versions = HashMap<ServerName, (i64, Arc<Server>)>;

impl Known {
    /// Every server, by name.
    pub(super) async fn all(&self, connection: &mut SqliteConnection) -> Result<Vec<Arc<Server>>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT name, version FROM servers ORDER BY name")
            .fetch_all(&mut *connection)
            .await
            .map_err(storage("read the servers"))?;
        let row = |(name, version): (String, i64)| Ok((name.parse().map_err(storage("read the servers"))?, version));
        let rows = rows.into_iter().map(row).collect::<Result<Vec<(ServerName, i64)>, StoreError>>()?;
        let as_known = |known: &Versions| {
            let of = |(name, version): &(ServerName, i64)| {
                known.get(name).filter(|(known, _)| known == version).map(|(_, server)| Arc::clone(server))
            };
            rows.iter().map(of).collect::<Vec<_>>()
        };
        let mut servers = as_known(&self.lock());
        if servers.iter().filter(|server| server.is_none()).count() > READ_ALONE_MAX {
            servers = read_all(connection).await?.into_iter().map(Some).collect();
        }
        let mut all = Vec::with_capacity(rows.len());
        for ((name, _), known) in rows.iter().zip(servers) {
            all.push(match known {
                Some(server) => server,
                None => Arc::new(one(connection, name).await?),
            });
        }
        let known = rows.into_iter().zip(&all).map(|((name, version), server)| (name, (version, Arc::clone(server))));
        *self.lock() = known.collect();
        Ok(all)
    }

    fn lock(&self) -> MutexGuard<'_, Versions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_all(connection: &mut SqliteConnection) -> Result<Vec<Arc<Server>>, StoreError> {
    let rows = sqlx::query("SELECT manifest, status, pins, observed, observed_at FROM servers ORDER BY name")
        .fetch_all(connection)
        .await
        .map_err(storage("read the servers"))?;
    rows.iter().map(|row| server(row).map(Arc::new)).collect()
}

/// One server, if it is there.
pub(super) async fn find(connection: &mut SqliteConnection, name: &ServerName) -> Result<Option<Server>, StoreError> {
    let row = sqlx::query("SELECT manifest, status, pins, observed, observed_at FROM servers WHERE name = ?")
        .bind(name.as_str())
        .fetch_optional(connection)
        .await
        .map_err(storage("read a server"))?;
    row.as_ref().map(server).transpose()
}

/// Where the server stands whose status this is.
pub(super) fn standing(status: &str) -> Result<Standing, StoreError> {
    Ok(read::<Status>(status)?.standing)
}

async fn one(connection: &mut SqliteConnection, name: &ServerName) -> Result<Server, StoreError> {
    let missing = || StoreError::NotFound { kind: "server", name: name.to_string() };
    find(connection, name).await?.ok_or_else(missing)
}

/// Removes a server, and what was kept of its credentials: another of its name must not find them. Returns whether it was there.
pub(super) async fn delete(connection: &mut SqliteConnection, name: &ServerName) -> Result<bool, StoreError> {
    forget_credentials(connection, name).await?;
    let done = sqlx::query("DELETE FROM servers WHERE name = ?")
        .bind(name.as_str())
        .execute(connection)
        .await
        .map_err(storage("remove a server"))?;
    Ok(done.rows_affected() > 0)
}

/// Removes what was kept of a server's credentials.
async fn forget_credentials(connection: &mut SqliteConnection, name: &ServerName) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM credentials WHERE owner = ?")
        .bind(Place::owner_of(name))
        .execute(connection)
        .await
        .map_err(storage("forget a server's credentials"))?;
    Ok(())
}

async fn put(connection: &mut SqliteConnection, server: &Server) -> Result<(), StoreError> {
    let status = Status {
        standing: server.standing,
        submitted: server.submitted.clone(),
        approved: server.approved.clone(),
        suspended: server.suspended.clone(),
        expires: server.expires,
        warnings: server.warnings.clone(),
        noticed: server.noticed.clone(),
        accepted: server.accepted.clone(),
    };
    sqlx::query(
        "INSERT INTO servers (name, manifest, status, pins, observed, observed_at, version)
         VALUES (?, ?, ?, ?, ?, ?, random())
         ON CONFLICT (name) DO UPDATE SET manifest = excluded.manifest, status = excluded.status, pins = excluded.pins,
         observed = excluded.observed, observed_at = excluded.observed_at, version = excluded.version",
    )
    .bind(server.manifest.name.as_str())
    .bind(written(&server.manifest)?)
    .bind(written(&status)?)
    .bind(server.pins.as_ref().map(written).transpose()?)
    .bind(server.observed.as_ref().map(written).transpose()?)
    .bind(server.observed.as_ref().map(|observed| number(observed.at.0)).transpose()?)
    .execute(connection)
    .await
    .map_err(storage("write a server"))?;
    Ok(())
}

/// Records that the same was seen again.
async fn touch(connection: &mut SqliteConnection, name: &ServerName, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE servers SET observed_at = ?, version = random() WHERE name = ?")
        .bind(number(at.0)?)
        .bind(name.as_str())
        .execute(connection)
        .await
        .map_err(storage("write when a server was seen"))?;
    Ok(())
}

fn server(row: &SqliteRow) -> Result<Server, StoreError> {
    let text = |column: &str| row.try_get::<Option<&str>, _>(column).map_err(storage("read a server"));
    let required = |column: &str| Ok(text(column)?.unwrap_or_default());
    let status: Status = read(required("status")?)?;
    let Status { standing, submitted, approved, suspended, expires, warnings, noticed, accepted } = status;
    let mut observed: Option<Observed> = text("observed")?.map(read).transpose()?;
    let observed_at: Option<i64> = row.try_get("observed_at").map_err(storage("read a server"))?;
    if let (Some(observed), Some(at)) = (&mut observed, observed_at) {
        observed.at = Timestamp(unsigned(at)?);
    }
    let manifest = read(required("manifest")?)?;
    let pins = text("pins")?.map(read).transpose()?;
    Ok(Server {
        manifest,
        standing,
        pins,
        observed,
        submitted,
        approved,
        expires,
        suspended,
        warnings,
        noticed,
        accepted,
    })
}
