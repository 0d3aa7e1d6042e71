//! The embedded backend: one SQLite file in WAL mode.
//!
//! One connection writes, so writers in this process queue for it instead of meeting in the database; each of its
//! transactions takes the write lock at once (`BEGIN IMMEDIATE`), because a transaction that reads first and upgrades
//! later fails without waiting. A few connections read beside it. `synchronous = FULL` makes every commit durable
//! before it is acknowledged; halts depend on that.

mod comments;
mod credentials;
mod evidence;
mod facade;
mod halts;
mod inventory;
mod outbox;
mod packages;
mod people;
mod registry;
mod state;
mod transaction;
mod vettings;
mod write;

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{Revision, StoreError, limits};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlSafeStr, Sqlite as Driver, SqlitePool};
use tokio::sync::watch;

/// Bytes of a page of the database file; SQLite's own default, said out loud because a bound is counted in it.
const PAGE_BYTES: u64 = 4096;

/// The governed state in one SQLite file. Cheap to clone: clones share the connections.
#[derive(Clone)]
pub struct Sqlite {
    inner: Arc<Inner>,
}

struct Inner {
    writer: SqlitePool,
    readers: SqlitePool,
    revision: watch::Sender<Revision>,
    /// Servers as they were read last.
    servers: registry::Known,
}

impl Sqlite {
    /// Opens the file, or makes it, and brings its tables up to date. Only its owner can read it.
    ///
    /// # Errors
    /// When the file cannot be used, is no database, or was written by a later version of Portcullis.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_bounded(path, limits::STORE_BYTES_MAX).await
    }

    /// Opens a file that may grow to `bytes_max` bytes. A change that does not fit fails and changes nothing.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub async fn open_bounded(path: &Path, bytes_max: u64) -> Result<Self, StoreError> {
        let owned = path.to_owned();
        let prepared = tokio::task::spawn_blocking(move || owner_alone(&owned)).await.map_err(io::Error::other);
        prepared.flatten().map_err(storage("make the database file"))?;

        let busy = Duration::from_millis(limits::STORE_BUSY_MILLISECONDS_MAX);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .busy_timeout(busy)
            .foreign_keys(true)
            .page_size(u32::try_from(PAGE_BYTES).unwrap_or(4096))
            .pragma("trusted_schema", "OFF")
            // Statements are logged with nothing but their text, and that at every call.
            .disable_statement_logging();
        let write = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("max_page_count", (bytes_max / PAGE_BYTES).max(1).to_string());
        let writer = pool(1, busy).connect_with(write).await.map_err(storage("open the database"))?;
        migrations().run(&writer).await.map_err(storage("bring the database up to date"))?;
        let readers = pool(limits::STORE_READERS_MAX, busy).connect_lazy_with(options.read_only(true));

        let (revisions, servers) = (watch::Sender::new(Revision(0)), registry::Known::default());
        let store = Self { inner: Arc::new(Inner { writer, readers, revision: revisions, servers }) };
        store.inner.revision.send_replace(revision(&mut *store.reader().await?).await?);
        Ok(store)
    }

    /// Tells of every new revision, once it is durable. The one there is now counts as seen.
    pub fn revisions(&self) -> watch::Receiver<Revision> {
        self.inner.revision.subscribe()
    }

    /// A connection for one reading statement.
    async fn reader(&self) -> Result<PoolConnection<Driver>, StoreError> {
        self.inner.readers.acquire().await.map_err(storage("get a connection"))
    }

    /// Closes the connections, after the changes that are under way.
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }
}

/// Makes the file if it is not there, and takes from group and others whatever they may do with it. SQLite gives the
/// files beside it (`-wal`, `-shm`) the same permissions.
fn owner_alone(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut permissions = fs::metadata(path)?.permissions();
            if permissions.mode() & 0o077 != 0 {
                permissions.set_mode(permissions.mode() & 0o700);
                fs::set_permissions(path, permissions)?;
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Connections that live as long as the store and are not tried out before each use: the database is a file.
fn pool(connections: u32, busy: Duration) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        // Whoever waits for the writer may wait for another process first.
        .acquire_timeout(busy * 2)
}

/// Every migration, checksummed by the driver: one that was applied is never edited, a change is a new one.
fn migrations() -> Migrator {
    let state = include_str!("../migrations/sqlite/0001_state.sql").into_sql_str();
    let facade = include_str!("../migrations/sqlite/0002_facade.sql").into_sql_str();
    let credentials = include_str!("../migrations/sqlite/0003_credentials.sql").into_sql_str();
    let agents = include_str!("../migrations/sqlite/0004_agents.sql").into_sql_str();
    let inventory = include_str!("../migrations/sqlite/0005_inventory.sql").into_sql_str();
    let packages = include_str!("../migrations/sqlite/0006_packages.sql").into_sql_str();
    let comments = include_str!("../migrations/sqlite/0007_comments.sql").into_sql_str();
    let people = include_str!("../migrations/sqlite/0008_people.sql").into_sql_str();
    let approved = include_str!("../migrations/sqlite/0009_packages_approved.sql").into_sql_str();
    let vettings = include_str!("../migrations/sqlite/0010_vettings.sql").into_sql_str();
    let evidence = include_str!("../migrations/sqlite/0011_evidence.sql").into_sql_str();
    let version = include_str!("../migrations/sqlite/0012_servers_version.sql").into_sql_str();
    Migrator::with_migrations(vec![
        Migration::new(1, "state".into(), MigrationType::Simple, state, false),
        Migration::new(2, "facade".into(), MigrationType::Simple, facade, false),
        Migration::new(3, "credentials".into(), MigrationType::Simple, credentials, false),
        Migration::new(4, "agents".into(), MigrationType::Simple, agents, false),
        Migration::new(5, "inventory".into(), MigrationType::Simple, inventory, false),
        Migration::new(6, "packages".into(), MigrationType::Simple, packages, false),
        Migration::new(7, "comments".into(), MigrationType::Simple, comments, false),
        Migration::new(8, "people".into(), MigrationType::Simple, people, false),
        Migration::new(9, "packages approved".into(), MigrationType::Simple, approved, false),
        Migration::new(10, "vettings".into(), MigrationType::Simple, vettings, false),
        Migration::new(11, "evidence".into(), MigrationType::Simple, evidence, false),
        Migration::new(12, "servers version".into(), MigrationType::Simple, version, false),
    ])
}

/// The driver's error as the port's.
fn storage<E: Into<Box<dyn std::error::Error + Send + Sync>>>(doing: &'static str) -> impl FnOnce(E) -> StoreError {
    move |source| {
        let source = source.into();
        if is_full(&*source) { StoreError::Full { doing } } else { StoreError::Storage { doing, source } }
    }
}

/// Whether an error or one of its causes is SQLite's that the disk is full (`SQLITE_FULL`).
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    const FULL: &str = "13";
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<sqlx::Error>()?.as_database_error()?.code())
        .any(|code| code == FULL)
}

async fn revision(connection: &mut SqliteConnection) -> Result<Revision, StoreError> {
    let doing = "read the revision";
    let revision: i64 = sqlx::query_scalar("SELECT revision FROM state WHERE one = 1")
        .fetch_one(connection)
        .await
        .map_err(storage(doing))?;
    u64::try_from(revision).map(Revision).map_err(storage(doing))
}

#[cfg(test)]
mod tests;
