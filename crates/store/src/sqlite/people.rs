//! The port of people's sessions on the admin side.

use async_trait::async_trait;
use identity::port::{EndedSession, FoundSession, People, Session};
use model::{Change, Digest, Role, StoreError, Timestamp, limits};
use sqlx::SqliteConnection;

use super::facade::{Ending, beside, once, room};
use super::write::{number, read, to_the_end, unsigned, written};
use super::{Sqlite, storage};
use crate::entry::Entry;

static SESSIONS: Ending = Ending {
    what: "sessions of people",
    sweep: "DELETE FROM people_sessions WHERE ends <= ?",
    count: "SELECT count(*) FROM people_sessions",
};

#[async_trait]
impl People for Sqlite {
    async fn begin_session(
        &self,
        id: Digest,
        session: Session,
        roles: &[Role],
        change: Change,
    ) -> Result<(), StoreError> {
        let (store, entry) = (self.clone(), Entry::signed_in(&session, roles));
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let now = writing.change().at;
            begin(writing.rows(), &id, &session, now).await?;
            writing.finish_beside(entry).await
        })
        .await
    }

    async fn session(&self, id: &Digest, now: Timestamp) -> Result<Option<FoundSession>, StoreError> {
        let row: Option<(String, i64, i64)> =
            sqlx::query_as("SELECT document, seen, checked FROM people_sessions WHERE id = ? AND ends > ?")
                .bind(id.to_string())
                .bind(number(now.0)?)
                .fetch_optional(&mut *self.reader().await?)
                .await
                .map_err(storage("find a session"))?;
        row.map(found).transpose()
    }

    async fn seen_session(&self, id: &Digest, now: Timestamp) -> Result<(), StoreError> {
        let (store, id) = (self.clone(), *id);
        to_the_end(async move {
            let mut writing = store.begin(beside(now)).await?;
            sqlx::query("UPDATE people_sessions SET seen = max(seen, ?) WHERE id = ?")
                .bind(number(now.0)?)
                .bind(id.to_string())
                .execute(writing.rows())
                .await
                .map_err(storage("note that a session is in use"))?;
            writing.finish_unnoticed().await.map(drop)
        })
        .await
    }

    async fn checked_session(&self, id: &Digest, session: Session, now: Timestamp) -> Result<(), StoreError> {
        let (store, id) = (self.clone(), *id);
        to_the_end(async move {
            let mut writing = store.begin(beside(now)).await?;
            // A session that ended meanwhile does not come back.
            sqlx::query("UPDATE people_sessions SET document = ?, checked = ? WHERE id = ?")
                .bind(written(&session)?)
                .bind(number(now.0)?)
                .bind(id.to_string())
                .execute(writing.rows())
                .await
                .map_err(storage("keep what is known of a person"))?;
            writing.finish_unnoticed().await.map(drop)
        })
        .await
    }

    async fn sessions(&self, now: Timestamp) -> Result<Vec<FoundSession>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT document, seen, checked FROM people_sessions WHERE ends > ? ORDER BY begun DESC, id",
        )
        .bind(number(now.0)?)
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(storage("read the sessions of people"))?;
        rows.into_iter().map(found).collect()
    }

    async fn end_sessions(&self, ended: EndedSession, change: Change) -> Result<usize, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let count = end(writing.rows(), &ended).await?;
            match count {
                0 => drop(writing.finish_unnoticed().await?),
                count => writing.finish_beside(Entry::left(&ended, count)).await?,
            }
            Ok(count)
        })
        .await
    }

    async fn refuse_person(&self, change: Change) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move { store.begin(change).await?.finish_beside(Entry::no_role()).await }).await
    }

    async fn spend_once(&self, spent: &Digest, expires: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let (store, spent) = (self.clone(), *spent);
        to_the_end(async move {
            let mut writing = store.begin(beside(now)).await?;
            let first = once::spend(writing.rows(), &spent, expires, now).await?;
            writing.finish_unnoticed().await?;
            Ok(first)
        })
        .await
    }
}

fn found((document, seen, checked): (String, i64, i64)) -> Result<FoundSession, StoreError> {
    let (seen, checked) = (Timestamp(unsigned(seen)?), Timestamp(unsigned(checked)?));
    Ok(FoundSession { session: read(&document)?, seen, checked })
}

async fn begin(rows: &mut SqliteConnection, id: &Digest, session: &Session, now: Timestamp) -> Result<(), StoreError> {
    let person = &session.person;
    room(rows, &SESSIONS, limits::PEOPLE_SESSIONS_MAX, now).await?;
    let others = u64::try_from(limits::PEOPLE_SESSIONS_EACH_MAX.saturating_sub(1)).unwrap_or(u64::MAX);
    sqlx::query(
        "DELETE FROM people_sessions WHERE issuer = ?1 AND subject = ?2 AND id IN
         (SELECT id FROM people_sessions WHERE issuer = ?1 AND subject = ?2 ORDER BY begun DESC LIMIT -1 OFFSET ?3)",
    )
    .bind(&person.issuer)
    .bind(&person.subject)
    .bind(number(others)?)
    .execute(&mut *rows)
    .await
    .map_err(storage("end the oldest sessions"))?;
    sqlx::query(
        "INSERT INTO people_sessions (id, document, issuer, subject, session, begun, seen, checked, ends)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6, ?7)",
    )
    .bind(id.to_string())
    .bind(written(session)?)
    .bind(&person.issuer)
    .bind(&person.subject)
    .bind(person.session.as_deref())
    .bind(number(now.0)?)
    .bind(number(session.ends.0)?)
    .execute(rows)
    .await
    .map_err(storage("begin a session"))?;
    Ok(())
}

async fn end(rows: &mut SqliteConnection, ended: &EndedSession) -> Result<usize, StoreError> {
    let statement = match ended {
        EndedSession::One { id, whose: _ } => {
            sqlx::query("DELETE FROM people_sessions WHERE id = ?").bind(id.to_string())
        }
        EndedSession::Subject { issuer, subject } => {
            sqlx::query("DELETE FROM people_sessions WHERE issuer = ? AND subject = ?").bind(issuer).bind(subject)
        }
        EndedSession::Provider { issuer, session } => {
            sqlx::query("DELETE FROM people_sessions WHERE issuer = ? AND session = ?").bind(issuer).bind(session)
        }
    };
    let done = statement.execute(rows).await.map_err(storage("end sessions"))?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}
