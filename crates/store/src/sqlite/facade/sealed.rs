//! What is sealed, wherever it is, so that it can be wrapped by another master key.

use identity::port::{Family, SealedAt, SealedPlace};
use model::StoreError;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::{keys, read, storage, written};

pub(super) async fn all(rows: &mut SqliteConnection) -> Result<Vec<SealedAt>, StoreError> {
    let mut found = Vec::new();
    for key in keys::all(rows).await? {
        if let Value::String(sealed) = key.sealed {
            found.push(SealedAt { place: SealedPlace::Key(key.id), sealed });
        }
    }
    let families: Vec<(String,)> = sqlx::query_as("SELECT document FROM facade_families WHERE revoked IS NULL")
        .fetch_all(rows)
        .await
        .map_err(storage("read the families"))?;
    for (document,) in families {
        let family: Family = read(&document)?;
        if let Some(Value::String(sealed)) = family.grant.upstream {
            found.push(SealedAt { place: SealedPlace::Family(family.id), sealed });
        }
    }
    Ok(found)
}

/// Within a transaction that holds the write lock.
pub(super) async fn reseal(rows: &mut SqliteConnection, found: &SealedAt, sealed: &str) -> Result<bool, StoreError> {
    let (before, after) = (Value::from(found.sealed.as_str()), Value::from(sealed));
    let doing = "seal anew";
    let done = match &found.place {
        SealedPlace::Key(id) => {
            sqlx::query("UPDATE facade_keys SET sealed = ? WHERE id = ? AND sealed = ?")
                .bind(written(&after)?)
                .bind(id)
                .bind(written(&before)?)
                .execute(rows)
                .await
        }
        SealedPlace::Family(id) => {
            let document: Option<String> = sqlx::query_scalar("SELECT document FROM facade_families WHERE id = ?")
                .bind(id)
                .fetch_optional(&mut *rows)
                .await
                .map_err(storage(doing))?;
            let Some(document) = document else { return Ok(false) };
            let mut family: Family = read(&document)?;
            if family.grant.upstream != Some(before) {
                return Ok(false);
            }
            family.grant.upstream = Some(after);
            sqlx::query("UPDATE facade_families SET document = ? WHERE id = ?")
                .bind(written(&family)?)
                .bind(id)
                .execute(rows)
                .await
        }
    };
    Ok(done.map_err(storage(doing))?.rows_affected() > 0)
}
