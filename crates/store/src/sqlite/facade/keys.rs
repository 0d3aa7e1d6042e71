//! Signing keys, sealed.

use identity::port::KeptKey;
use model::{StoreError, Timestamp};
use sqlx::SqliteConnection;

use super::super::write::unsigned;
use super::{number, read, storage, written};

pub(super) async fn all(rows: &mut SqliteConnection) -> Result<Vec<KeptKey>, StoreError> {
    let rows: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT id, sealed, made FROM facade_keys ORDER BY made DESC, id")
            .fetch_all(rows)
            .await
            .map_err(storage("read the signing keys"))?;
    rows.into_iter()
        .map(|(id, sealed, made)| Ok(KeptKey { id, sealed: read(&sealed)?, made: Timestamp(unsigned(made)?) }))
        .collect()
}

pub(super) async fn keep(
    rows: &mut SqliteConnection,
    key: &KeptKey,
    unless_since: Timestamp,
    forget: Timestamp,
) -> Result<Vec<KeptKey>, StoreError> {
    let doing = "keep a signing key";
    sqlx::query(
        "INSERT INTO facade_keys (id, sealed, made) SELECT ?1, ?2, ?3
         WHERE NOT EXISTS (SELECT 1 FROM facade_keys WHERE made >= ?4)",
    )
    .bind(&key.id)
    .bind(written(&key.sealed)?)
    .bind(number(key.made.0)?)
    .bind(number(unless_since.0)?)
    .execute(&mut *rows)
    .await
    .map_err(storage(doing))?;
    sqlx::query("DELETE FROM facade_keys WHERE made < ?")
        .bind(number(forget.0)?)
        .execute(&mut *rows)
        .await
        .map_err(storage(doing))?;
    all(rows).await
}
