//! The façade's port.

mod devices;
mod families;
mod keys;
pub(super) mod once;
mod sealed;

use async_trait::async_trait;
use identity::port::{
    Consent, Device, Ended, Facade, Family, Grant, KeptKey, Polled, Redeemed, Refresh, Registered, Rotated, SealedAt,
    SignIn,
};
use model::{Actor, Change, Digest, Expected, StoreError, Timestamp, UserId};
use sqlx::SqliteConnection;

use super::write::{number, read, to_the_end, written};
use super::{Sqlite, storage};
use crate::entry::Entry;

#[async_trait]
impl Facade for Sqlite {
    async fn leave(
        &self,
        state: Digest,
        sign_in: SignIn,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(beside(now)).await?;
            once::leave(writing.rows(), &state, &sign_in, expires, now).await?;
            writing.finish_unnoticed().await.map(|_| ())
        })
        .await
    }

    async fn come_back(&self, state: &Digest, now: Timestamp) -> Result<Option<SignIn>, StoreError> {
        let (store, state) = (self.clone(), *state);
        to_the_end(async move {
            let mut writing = store.begin(beside(now)).await?;
            let found = once::come_back(writing.rows(), &state, now).await?;
            writing.finish_unnoticed().await?;
            Ok(found)
        })
        .await
    }

    async fn agree(&self, code: Digest, grant: Grant, expires: Timestamp, change: Change) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let now = writing.change().at;
            families::consent(writing.rows(), &grant, now).await?;
            once::keep_code(writing.rows(), &code, &grant, expires, now).await?;
            writing.finish_beside(Entry::granted("signin.consent", &grant)).await
        })
        .await
    }

    async fn code(&self, code: &Digest, now: Timestamp) -> Result<Option<Grant>, StoreError> {
        once::code(&mut *self.reader().await?, code, now).await
    }

    async fn redeem(
        &self,
        code: &Digest,
        family: Family,
        refresh: Refresh,
        change: Change,
    ) -> Result<Redeemed, StoreError> {
        let (store, code) = (self.clone(), *code);
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let now = writing.change().at;
            if once::take_code(writing.rows(), &code, now).await? {
                families::begin(writing.rows(), Some(&code), &family, refresh, now).await?;
                writing.finish_beside(Entry::given("signin.begin", &family)).await?;
                return Ok(Redeemed::Begun);
            }
            match families::begun_with(writing.rows(), &code).await? {
                None => Ok(Redeemed::Unknown),
                Some(id) => {
                    families::revoke(writing.rows(), &Ended::Family(id.clone()), now).await?;
                    writing.finish_beside(Entry::reused("code", &id)).await?;
                    Ok(Redeemed::Again(id))
                }
            }
        })
        .await
    }

    async fn replayed(&self, code: &Digest, change: Change) -> Result<Option<String>, StoreError> {
        let (store, code) = (self.clone(), *code);
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let now = writing.change().at;
            let Some(id) = families::begun_with(writing.rows(), &code).await? else { return Ok(None) };
            let ended = families::revoke(writing.rows(), &Ended::Family(id.clone()), now).await?;
            writing.finish_beside(Entry::reused("code", &id)).await?;
            Ok(ended.into_iter().next())
        })
        .await
    }

    async fn begin(&self, family: Family, refresh: Refresh, change: Change) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let now = writing.change().at;
            families::consent(writing.rows(), &family.grant, now).await?;
            families::begin(writing.rows(), None, &family, refresh, now).await?;
            writing.finish_beside(Entry::given("signin.begin", &family)).await
        })
        .await
    }

    async fn family(&self, chain: &Digest, now: Timestamp) -> Result<Option<Family>, StoreError> {
        Ok(families::living(&mut *self.reader().await?, chain, now).await?.map(|(family, _)| family))
    }

    async fn rotate(&self, old: Refresh, new: Digest, family: Family, change: Change) -> Result<Rotated, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let now = writing.change().at;
            let Some((found, link)) = families::living(writing.rows(), &old.chain, now).await? else {
                return Ok(Rotated::Unknown);
            };
            if link != old.link.to_string() {
                // Whoever comes with it has an old token of the family, and so, perhaps, has somebody else a newer one.
                families::revoke(writing.rows(), &Ended::Family(found.id.clone()), now).await?;
                writing.finish_beside(Entry::reused("refresh token", &found.id)).await?;
                return Ok(Rotated::Again(found.id));
            }
            families::renew(writing.rows(), &new, &family).await?;
            writing.finish_beside(Entry::given("signin.renew", &family)).await?;
            Ok(Rotated::Renewed)
        })
        .await
    }

    async fn end(&self, ended: Ended, change: Change) -> Result<Vec<String>, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let now = writing.change().at;
            let ids = families::revoke(writing.rows(), &ended, now).await?;
            writing.finish_beside(Entry::ended(&ended, ids.len())).await?;
            Ok(ids)
        })
        .await
    }

    async fn revoked(&self, since: Timestamp) -> Result<Vec<String>, StoreError> {
        families::revoked(&mut *self.reader().await?, since).await
    }

    async fn consents(&self) -> Result<Vec<Consent>, StoreError> {
        let doing = "read the consents";
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT document FROM facade_consents ORDER BY user, client, endpoint")
                .fetch_all(&mut *self.reader().await?)
                .await
                .map_err(storage(doing))?;
        rows.iter().map(|(document,)| read(document)).collect()
    }

    async fn withdraw(&self, user: &UserId, client: &str, change: Change) -> Result<bool, StoreError> {
        let (store, user, client) = (self.clone(), user.clone(), client.to_owned());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let now = writing.change().at;
            let gone = sqlx::query("DELETE FROM facade_consents WHERE user = ? AND client = ?")
                .bind(user.as_str())
                .bind(&client)
                .execute(writing.rows())
                .await
                .map_err(storage("withdraw a consent"))?;
            let ended = Ended::Consent { user, client };
            let ids = families::revoke(writing.rows(), &ended, now).await?;
            writing.finish_beside(Entry::ended(&ended, ids.len())).await?;
            Ok(gone.rows_affected() > 0)
        })
        .await
    }

    async fn await_person(&self, device: Device, now: Timestamp) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(beside(now)).await?;
            devices::add(writing.rows(), &device, now).await?;
            writing.finish_unnoticed().await.map(|_| ())
        })
        .await
    }

    async fn device(&self, user_code: &Digest, now: Timestamp) -> Result<Option<(Digest, Grant)>, StoreError> {
        devices::find(&mut *self.reader().await?, user_code, now).await
    }

    async fn decide(&self, device: &Digest, grant: Option<Grant>, change: Change) -> Result<bool, StoreError> {
        let (store, device) = (self.clone(), *device);
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            let now = writing.change().at;
            let waited = devices::decide(writing.rows(), &device, grant.as_ref(), now).await?;
            match &grant {
                Some(grant) if waited => writing.finish_beside(Entry::granted("signin.device", grant)).await?,
                Some(_) | None => drop(writing.finish_unnoticed().await?),
            }
            Ok(waited)
        })
        .await
    }

    async fn poll(&self, device: &Digest, now: Timestamp) -> Result<Polled, StoreError> {
        let (store, device) = (self.clone(), *device);
        to_the_end(async move {
            let mut writing = store.begin(beside(now)).await?;
            let polled = devices::poll(writing.rows(), &device, now).await?;
            writing.finish_unnoticed().await?;
            Ok(polled)
        })
        .await
    }

    async fn spend(&self, once: &Digest, expires: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let (store, once) = (self.clone(), *once);
        to_the_end(async move {
            let mut writing = store.begin(beside(now)).await?;
            let first = once::spend(writing.rows(), &once, expires, now).await?;
            writing.finish_unnoticed().await?;
            Ok(first)
        })
        .await
    }

    async fn register(&self, client: Registered, change: Change) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            once::register(writing.rows(), &client).await?;
            writing.finish_beside(Entry::registered(&client)).await
        })
        .await
    }

    async fn registered(&self, id: &str) -> Result<Option<Registered>, StoreError> {
        let doing = "read a client";
        let row: Option<(String,)> = sqlx::query_as("SELECT document FROM facade_clients WHERE id = ?")
            .bind(id)
            .fetch_optional(&mut *self.reader().await?)
            .await
            .map_err(storage(doing))?;
        row.map(|(document,)| read(&document)).transpose()
    }

    async fn note(&self, what: &'static str, grant: Grant, change: Change) -> Result<(), StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let writing = store.begin(change).await?;
            writing.finish_beside(Entry::granted(what, &grant)).await
        })
        .await
    }

    async fn signing_keys(&self) -> Result<Vec<KeptKey>, StoreError> {
        keys::all(&mut *self.reader().await?).await
    }

    async fn keep_signing_key(
        &self,
        key: KeptKey,
        unless_since: Timestamp,
        forget: Timestamp,
    ) -> Result<Vec<KeptKey>, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(beside(key.made)).await?;
            let left = keys::keep(writing.rows(), &key, unless_since, forget).await?;
            writing.finish_unnoticed().await?;
            Ok(left)
        })
        .await
    }

    async fn sealed(&self) -> Result<Vec<SealedAt>, StoreError> {
        sealed::all(&mut *self.reader().await?).await
    }

    async fn reseal(&self, found: SealedAt, sealed: String, now: Timestamp) -> Result<bool, StoreError> {
        let store = self.clone();
        to_the_end(async move {
            let mut writing = store.begin(beside(now)).await?;
            let is_done = sealed::reseal(writing.rows(), &found, &sealed).await?;
            writing.finish_unnoticed().await?;
            Ok(is_done)
        })
        .await
    }
}

/// A change that is too small to be told: somebody is on their way.
pub(super) fn beside(now: Timestamp) -> Change {
    Change { actor: Actor::Gate, expected: Expected::Any, at: now, reason: None }
}

/// Forgets rows whose time is over, then refuses one more where there are too many.
pub(super) async fn room(
    connection: &mut SqliteConnection,
    table: &'static Ending,
    at_most: usize,
    now: Timestamp,
) -> Result<(), StoreError> {
    let doing = "forget what is over";
    sqlx::query(table.sweep).bind(number(now.0)?).execute(&mut *connection).await.map_err(storage(doing))?;
    let count: i64 = sqlx::query_scalar(table.count).fetch_one(connection).await.map_err(storage(doing))?;
    if usize::try_from(count).unwrap_or(usize::MAX) >= at_most {
        return Err(StoreError::Refused(format!("there are {at_most} {} already", table.what)));
    }
    Ok(())
}

/// A table whose rows end. Each statement is written out: SQL is never put together.
pub(super) struct Ending {
    pub(super) what: &'static str,
    pub(super) sweep: &'static str,
    pub(super) count: &'static str,
}
