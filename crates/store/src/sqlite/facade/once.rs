//! What is good once: states, codes, ids of assertions. And the clients that registered by themselves.

use identity::port::{Grant, Registered, SignIn};
use model::{Digest, StoreError, Timestamp, limits};
use sqlx::SqliteConnection;

use super::{Ending, number, read, room, storage, written};

static SIGN_INS: Ending = Ending {
    what: "people on the way to sign in",
    sweep: "DELETE FROM facade_sign_ins WHERE expires <= ?",
    count: "SELECT count(*) FROM facade_sign_ins",
};

static CODES: Ending = Ending {
    what: "codes",
    sweep: "DELETE FROM facade_codes WHERE expires <= ?",
    count: "SELECT count(*) FROM facade_codes",
};

static SPENT: Ending = Ending {
    what: "spent assertions",
    sweep: "DELETE FROM facade_spent WHERE expires <= ?",
    count: "SELECT count(*) FROM facade_spent",
};

pub(super) async fn leave(
    rows: &mut SqliteConnection,
    state: &Digest,
    sign_in: &SignIn,
    expires: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    room(rows, &SIGN_INS, limits::SIGN_INS_MAX, now).await?;
    sqlx::query("INSERT INTO facade_sign_ins (state, document, expires) VALUES (?, ?, ?)")
        .bind(state.to_string())
        .bind(written(sign_in)?)
        .bind(number(expires.0)?)
        .execute(rows)
        .await
        .map_err(storage("remember who leaves to sign in"))?;
    Ok(())
}

pub(super) async fn come_back(
    rows: &mut SqliteConnection,
    state: &Digest,
    now: Timestamp,
) -> Result<Option<SignIn>, StoreError> {
    let doing = "find who comes back";
    let row: Option<(String, i64)> =
        sqlx::query_as("DELETE FROM facade_sign_ins WHERE state = ? RETURNING document, expires")
            .bind(state.to_string())
            .fetch_optional(rows)
            .await
            .map_err(storage(doing))?;
    let now = number(now.0)?;
    row.filter(|(_, expires)| *expires > now).map(|(document, _)| read(&document)).transpose()
}

pub(super) async fn keep_code(
    rows: &mut SqliteConnection,
    code: &Digest,
    grant: &Grant,
    expires: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    room(rows, &CODES, limits::SIGN_INS_MAX, now).await?;
    sqlx::query("INSERT INTO facade_codes (code, document, expires) VALUES (?, ?, ?)")
        .bind(code.to_string())
        .bind(written(grant)?)
        .bind(number(expires.0)?)
        .execute(rows)
        .await
        .map_err(storage("keep a code"))?;
    Ok(())
}

pub(super) async fn code(
    rows: &mut SqliteConnection,
    code: &Digest,
    now: Timestamp,
) -> Result<Option<Grant>, StoreError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT document FROM facade_codes WHERE code = ? AND expires > ?")
        .bind(code.to_string())
        .bind(number(now.0)?)
        .fetch_optional(rows)
        .await
        .map_err(storage("find a code"))?;
    row.map(|(document,)| read(&document)).transpose()
}

pub(super) async fn take_code(rows: &mut SqliteConnection, code: &Digest, now: Timestamp) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM facade_codes WHERE code = ? AND expires > ?")
        .bind(code.to_string())
        .bind(number(now.0)?)
        .execute(rows)
        .await
        .map_err(storage("spend a code"))?;
    Ok(done.rows_affected() > 0)
}

pub(in crate::sqlite) async fn spend(
    rows: &mut SqliteConnection,
    once: &Digest,
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    room(rows, &SPENT, limits::SPENT_ASSERTIONS_MAX, now).await?;
    let done = sqlx::query("INSERT INTO facade_spent (once, expires) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(once.to_string())
        .bind(number(expires.0)?)
        .execute(rows)
        .await
        .map_err(storage("spend an assertion"))?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn register(rows: &mut SqliteConnection, client: &Registered) -> Result<(), StoreError> {
    let doing = "register a client";
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM facade_clients")
        .fetch_one(&mut *rows)
        .await
        .map_err(storage(doing))?;
    let at_most = limits::REGISTERED_CLIENTS_MAX;
    if usize::try_from(count).unwrap_or(usize::MAX) >= at_most {
        return Err(StoreError::Refused(format!("there are {at_most} clients that registered by themselves already")));
    }
    sqlx::query("INSERT INTO facade_clients (id, document) VALUES (?, ?)")
        .bind(&client.id)
        .bind(written(client)?)
        .execute(rows)
        .await
        .map_err(storage(doing))?;
    Ok(())
}
