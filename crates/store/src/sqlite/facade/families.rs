//! Families of tokens, and the consents they rest on.

use identity::port::{Consent, Ended, Family, Grant, Refresh};
use model::{Digest, StoreError, Timestamp, limits};
use sqlx::SqliteConnection;

use super::{Ending, number, read, room, storage, written};

static FAMILIES: Ending = Ending {
    what: "families of tokens",
    sweep: "DELETE FROM facade_families WHERE expires <= ?",
    count: "SELECT count(*) FROM facade_families",
};

/// Writes down what a person agreed to; a client for itself needs nobody's consent.
pub(super) async fn consent(rows: &mut SqliteConnection, grant: &Grant, at: Timestamp) -> Result<(), StoreError> {
    let Some(person) = &grant.person else { return Ok(()) };
    let consent = Consent {
        user: person.user.clone(),
        client: grant.client.clone(),
        endpoint: grant.endpoint.clone(),
        scopes: grant.scopes.clone(),
        at,
    };
    sqlx::query(
        "INSERT INTO facade_consents (user, client, endpoint, document) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET document = ?4",
    )
    .bind(consent.user.as_str())
    .bind(&consent.client)
    .bind(consent.endpoint.as_str())
    .bind(written(&consent)?)
    .execute(rows)
    .await
    .map_err(storage("write a consent down"))?;
    Ok(())
}

pub(super) async fn begin(
    rows: &mut SqliteConnection,
    code: Option<&Digest>,
    family: &Family,
    refresh: Refresh,
    now: Timestamp,
) -> Result<(), StoreError> {
    room(rows, &FAMILIES, limits::FAMILIES_MAX, now).await?;
    let person = family.grant.person.as_ref();
    let user = person.map(|person| person.user.as_str());
    // One more than there may be of a person for a client takes the place of the oldest.
    sqlx::query(
        "UPDATE facade_families SET revoked = ?3 WHERE user IS ?1 AND client = ?2 AND revoked IS NULL AND id IN
         (SELECT id FROM facade_families WHERE user IS ?1 AND client = ?2 AND revoked IS NULL
          ORDER BY begun DESC LIMIT -1 OFFSET ?4)",
    )
    .bind(user)
    .bind(&family.grant.client)
    .bind(number(now.0)?)
    .bind(number(u64::try_from(limits::FAMILIES_PER_CLIENT_MAX.saturating_sub(1)).unwrap_or(u64::MAX))?)
    .execute(&mut *rows)
    .await
    .map_err(storage("end the oldest families"))?;
    sqlx::query(
        "INSERT INTO facade_families
         (id, document, code, chain, link, client, user, issuer, subject, session, begun, expires)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&family.id)
    .bind(written(family)?)
    .bind(code.map(ToString::to_string))
    .bind(refresh.chain.to_string())
    .bind(refresh.link.to_string())
    .bind(&family.grant.client)
    .bind(user)
    .bind(person.map(|person| person.issuer.as_str()))
    .bind(person.map(|person| person.subject.as_str()))
    .bind(person.and_then(|person| person.session.as_deref()))
    .bind(number(family.begun.0)?)
    .bind(number(family.ends.0)?)
    .execute(rows)
    .await
    .map_err(storage("begin a family"))?;
    Ok(())
}

/// The family that a code began, living or not.
pub(super) async fn begun_with(rows: &mut SqliteConnection, code: &Digest) -> Result<Option<String>, StoreError> {
    sqlx::query_scalar("SELECT id FROM facade_families WHERE code = ?")
        .bind(code.to_string())
        .fetch_optional(rows)
        .await
        .map_err(storage("find what a code began"))
}

/// A family that lives, with the half of its refresh token that is good now. One whose consent is gone does not live.
pub(super) async fn living(
    rows: &mut SqliteConnection,
    chain: &Digest,
    now: Timestamp,
) -> Result<Option<(Family, String)>, StoreError> {
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT document, link FROM facade_families WHERE chain = ? AND expires > ? AND revoked IS NULL",
    )
    .bind(chain.to_string())
    .bind(number(now.0)?)
    .fetch_optional(&mut *rows)
    .await
    .map_err(storage("find a family"))?;
    let Some((document, link)) = row else { return Ok(None) };
    let family: Family = read(&document)?;
    if let Some(person) = &family.grant.person {
        let stands: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM facade_consents WHERE user = ? AND client = ? AND endpoint = ?")
                .bind(person.user.as_str())
                .bind(&family.grant.client)
                .bind(family.grant.endpoint.as_str())
                .fetch_optional(rows)
                .await
                .map_err(storage("find a consent"))?;
        if stands.is_none() {
            return Ok(None);
        }
    }
    Ok(Some((family, link)))
}

pub(super) async fn renew(rows: &mut SqliteConnection, new: &Digest, family: &Family) -> Result<(), StoreError> {
    sqlx::query("UPDATE facade_families SET link = ?, document = ? WHERE id = ?")
        .bind(new.to_string())
        .bind(written(family)?)
        .bind(&family.id)
        .execute(rows)
        .await
        .map_err(storage("renew a family"))?;
    Ok(())
}

/// Ends the families that live and are meant; returns their ids.
pub(super) async fn revoke(
    rows: &mut SqliteConnection,
    ended: &Ended,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let (statement, one, other) = match ended {
        Ended::Family(id) => (
            "UPDATE facade_families SET revoked = ?3 WHERE id = ?1 AND ?2 = '' AND revoked IS NULL RETURNING id",
            id.as_str(),
            "",
        ),
        Ended::Subject { issuer, subject } => (
            "UPDATE facade_families SET revoked = ?3 WHERE issuer = ?1 AND subject = ?2 AND revoked IS NULL RETURNING id",
            issuer.as_str(),
            subject.as_str(),
        ),
        Ended::Session { issuer, session } => (
            "UPDATE facade_families SET revoked = ?3 WHERE issuer = ?1 AND session = ?2 AND revoked IS NULL RETURNING id",
            issuer.as_str(),
            session.as_str(),
        ),
        Ended::Consent { user, client } => (
            "UPDATE facade_families SET revoked = ?3 WHERE user = ?1 AND client = ?2 AND revoked IS NULL RETURNING id",
            user.as_str(),
            client.as_str(),
        ),
    };
    sqlx::query_scalar(statement)
        .bind(one)
        .bind(other)
        .bind(number(now.0)?)
        .fetch_all(rows)
        .await
        .map_err(storage("end families"))
}

pub(super) async fn revoked(rows: &mut SqliteConnection, since: Timestamp) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar("SELECT id FROM facade_families WHERE revoked >= ? ORDER BY id")
        .bind(number(since.0)?)
        .fetch_all(rows)
        .await
        .map_err(storage("read what was revoked"))
}
