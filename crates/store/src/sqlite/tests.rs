use ::watch::port::Halts;
use admin::port::{Plan, State};
use audit::port::Outbox;
use model::{Actor, Change, Expected, Scope, Timestamp};

use super::*;

fn change() -> Change {
    Change { actor: Actor::Person("ada".into()), expected: Expected::Any, at: Timestamp(1), reason: None }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn is_storage<T>(result: Result<T, StoreError>) -> bool {
    result.is_err_and(|error| matches!(error, StoreError::Storage { .. }))
}

/// A plan whose one policy file has this many bytes.
fn big(file: &str, bytes: usize) -> Plan {
    let mut plan = Plan::default();
    plan.policies.create.push(policy::Source { file: file.to_owned(), text: "x".repeat(bytes) });
    plan
}

#[tokio::test]
async fn only_its_owner_can_read_the_database_and_the_files_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    store.apply(big("a", 10), change()).await.unwrap();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap().path();
        assert_eq!(mode(&entry), 0o600, "{}", entry.display());
    }
    store.close().await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    let store = Sqlite::open(&path).await.unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(store.read().await.unwrap().policies.len(), 1);
}

#[tokio::test]
async fn commits_are_flushed_and_the_database_is_in_wal_mode() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&directory.path().join("state.db")).await.unwrap();
    let mut writer = store.inner.writer.acquire().await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *writer).await.unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *writer).await.unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}

#[tokio::test]
async fn readers_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&directory.path().join("state.db")).await.unwrap();
    assert!(sqlx::query("DELETE FROM state").execute(&store.inner.readers).await.is_err());
}

#[tokio::test]
async fn a_full_disk_fails_the_change_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open_bounded(&directory.path().join("state.db"), 512 * 1024).await.unwrap();
    store.apply(big("a", 1_000), change()).await.unwrap();
    let before = store.read().await.unwrap();
    let refused = store.apply(big("b", 1024 * 1024), change()).await;
    assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");
    assert_eq!(store.read().await.unwrap(), before);
    assert_eq!(store.pending(10).await.unwrap().len(), 1);
    store.apply(big("c", 1_000), change()).await.unwrap();
    store.halt(Scope::Everything, change()).await.unwrap();
}

/// The database's files as they are on the disk now: what a machine that loses power leaves behind.
fn freeze(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        fs::copy(name(from), name(to)).unwrap();
    }
}

#[tokio::test]
async fn a_change_cut_in_the_middle_never_was_and_those_before_it_are_there() {
    let directory = tempfile::tempdir().unwrap();
    let (path, frozen) = (directory.path().join("state.db"), directory.path().join("frozen.db"));
    let store = Sqlite::open(&path).await.unwrap();
    store.apply(big("a", 1_000), change()).await.unwrap();
    store.halt(Scope::Everything, change()).await.unwrap();
    let mut cut = store.begin(change()).await.unwrap();
    // A small cache makes SQLite write rows to the disk long before the commit.
    sqlx::query("PRAGMA cache_size = 1").execute(cut.rows()).await.unwrap();
    for round in 0..50 {
        let insert = "INSERT INTO policies (name, text) VALUES (?, ?)";
        let row = sqlx::query(insert).bind(format!("cut-{round}")).bind("x".repeat(10_000));
        row.execute(cut.rows()).await.unwrap();
    }
    freeze(&path, &frozen);
    let cut_rows = fs::metadata(format!("{}-wal", frozen.display())).unwrap().len();
    assert!(cut_rows > 250_000, "rows of the change that was cut are on the disk: {cut_rows} bytes");
    drop(cut);

    let opened = Sqlite::open(&frozen).await.unwrap();
    let state = opened.read().await.unwrap();
    assert_eq!((state.revision, state.policies.len()), (Revision(1), 1));
    assert_eq!(opened.halts().await.unwrap().len(), 1);
    assert_eq!(opened.pending(10).await.unwrap().len(), 2);
    opened.apply(big("b", 10), change()).await.unwrap();
    assert_eq!(store.read().await.unwrap().policies.len(), 1, "and the living one goes on too");
    store.apply(big("c", 10), change()).await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_an_error_that_says_what_failed() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing").join("state.db");
    assert!(is_storage(Sqlite::open(&missing).await));
    assert!(is_storage(Sqlite::open(directory.path()).await));
    let text = directory.path().join("text.db");
    fs::write(&text, "this is no database, it is a letter, and a long one at that\n".repeat(100)).unwrap();
    assert!(is_storage(Sqlite::open(&text).await));
    assert!(fs::read_to_string(&text).unwrap().starts_with("this is no database"), "it was left as it was");
}

/// What a file system that was remounted read-only looks like to the driver, whoever runs the test. It lasts until the
/// next failure, which takes the connection with it.
async fn forbid_writing(store: &Sqlite) {
    sqlx::query("PRAGMA query_only = ON").execute(&store.inner.writer).await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_written_fails_changes_and_no_longer_than_it_cannot() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&directory.path().join("state.db")).await.unwrap();
    forbid_writing(&store).await;
    assert!(is_storage(store.apply(big("a", 10), change()).await));
    forbid_writing(&store).await;
    assert!(is_storage(store.halt(Scope::Everything, change()).await));
    forbid_writing(&store).await;
    assert!(is_storage(Outbox::settle(&store, 1).await));
    assert_eq!(store.read().await.unwrap().revision, Revision(0), "reading goes on");
    forbid_writing(&store).await;
    assert!(is_storage(store.apply(big("a", 10), change()).await));
    store.apply(big("a", 10), change()).await.unwrap();
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (1000, 'later', TRUE, x'00', 0)";
    sqlx::query(later).execute(&store.inner.writer).await.unwrap();
    store.close().await;
    assert!(is_storage(Sqlite::open(&path).await));
}

#[tokio::test]
async fn what_a_damaged_row_holds_is_an_error_and_not_a_default() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&directory.path().join("state.db")).await.unwrap();
    let damaged = "INSERT INTO servers (name, manifest, status) VALUES ('crm', '{}', '{\"standing\":\"approved\"}')";
    sqlx::query(damaged).execute(&store.inner.writer).await.unwrap();
    assert!(is_storage(store.read().await));
    sqlx::query("INSERT INTO halts (scope, halt) VALUES ('x', '{')").execute(&store.inner.writer).await.unwrap();
    assert!(is_storage(store.halts().await));
}

#[tokio::test]
async fn opening_and_a_durable_change_take_milliseconds() {
    let directory = tempfile::tempdir().unwrap();
    let began = std::time::Instant::now();
    let store = Sqlite::open(&directory.path().join("state.db")).await.unwrap();
    let opened = began.elapsed();
    let began = std::time::Instant::now();
    for round in 0..20 {
        store.apply(big(&format!("{round}"), 100), change()).await.unwrap();
    }
    println!("open {opened:?}, change {:?}", began.elapsed() / 20);
    assert!(opened < Duration::from_secs(5));
}
