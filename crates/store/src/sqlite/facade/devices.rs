//! Devices that wait for a person elsewhere.

use identity::port::{Device, Grant, Polled};
use model::{Digest, StoreError, Timestamp, limits};
use sqlx::SqliteConnection;

use super::{Ending, number, read, room, storage, written};

static DEVICES: Ending = Ending {
    what: "devices that wait",
    sweep: "DELETE FROM facade_devices WHERE expires <= ?",
    count: "SELECT count(*) FROM facade_devices",
};

pub(super) async fn add(rows: &mut SqliteConnection, device: &Device, now: Timestamp) -> Result<(), StoreError> {
    room(rows, &DEVICES, limits::DEVICES_MAX, now).await?;
    sqlx::query("INSERT INTO facade_devices (device, user_code, document, polled, expires) VALUES (?, ?, ?, 0, ?)")
        .bind(device.device.to_string())
        .bind(device.user_code.to_string())
        .bind(written(&device.grant)?)
        .bind(number(device.expires.0)?)
        .execute(rows)
        .await
        .map_err(storage("remember a device"))?;
    Ok(())
}

pub(super) async fn find(
    rows: &mut SqliteConnection,
    user_code: &Digest,
    now: Timestamp,
) -> Result<Option<(Digest, Grant)>, StoreError> {
    let doing = "find a device";
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT device, document FROM facade_devices WHERE user_code = ? AND expires > ? AND granted IS NULL",
    )
    .bind(user_code.to_string())
    .bind(number(now.0)?)
    .fetch_optional(rows)
    .await
    .map_err(storage(doing))?;
    row.map(|(device, document)| Ok((device.parse().map_err(storage(doing))?, read(&document)?))).transpose()
}

pub(super) async fn decide(
    rows: &mut SqliteConnection,
    device: &Digest,
    grant: Option<&Grant>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE facade_devices SET granted = ?3, document = coalesce(?4, document)
         WHERE device = ?1 AND expires > ?2 AND granted IS NULL",
    )
    .bind(device.to_string())
    .bind(number(now.0)?)
    .bind(grant.is_some())
    .bind(grant.map(written).transpose()?)
    .execute(rows)
    .await
    .map_err(storage("decide for a device"))?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn poll(rows: &mut SqliteConnection, device: &Digest, now: Timestamp) -> Result<Polled, StoreError> {
    let doing = "ask for a device";
    let row: Option<(String, Option<bool>, i64)> =
        sqlx::query_as("SELECT document, granted, polled FROM facade_devices WHERE device = ? AND expires > ?")
            .bind(device.to_string())
            .bind(number(now.0)?)
            .fetch_optional(&mut *rows)
            .await
            .map_err(storage(doing))?;
    let Some((document, granted, polled)) = row else { return Ok(Polled::Unknown) };
    let soonest = u64::try_from(polled).unwrap_or(0).saturating_add(limits::DEVICE_INTERVAL_MILLISECONDS);
    let (told, statement) = match granted {
        Some(true) => (Polled::Granted(Box::new(read(&document)?)), "DELETE FROM facade_devices WHERE device = ?1"),
        Some(false) => (Polled::Denied, "DELETE FROM facade_devices WHERE device = ?1"),
        None => {
            let told = if now.0 < soonest { Polled::TooSoon } else { Polled::Pending };
            (told, "UPDATE facade_devices SET polled = ?2 WHERE device = ?1")
        }
    };
    sqlx::query(statement).bind(device.to_string()).bind(number(now.0)?).execute(rows).await.map_err(storage(doing))?;
    Ok(told)
}
