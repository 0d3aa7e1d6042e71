//! What the tokens of a server may do against what its calls need: which scopes they were given, which of them the server asked
//! for, and when a call that needs one went through. What is given and never used can be taken away.
//!
//! Only the server knows which scope a call needs, and says so when it lacks it (RFC 6750 §3.1). So a scope that it never asked
//! for may still be needed; it is shown as what it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{Secret, ServerName, Timestamp, limits};
use serde_json::{Map, Value, json};

use super::keeper::{KeepError, Keeper};
use crate::port::Place;

/// What it is kept under among the credentials of a server.
const HOLDER: &str = "scopes";

/// One scope of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeUse {
    /// Its name.
    pub scope: String,
    /// When a token last was given it.
    pub granted: Option<Timestamp>,
    /// When the server last asked for it.
    pub asked: Option<Timestamp>,
    /// When a call that the server asked it for last went through.
    pub used: Option<Timestamp>,
}

/// The scopes of every server.
#[derive(Default)]
pub(super) struct Scopes(Mutex<HashMap<ServerName, Book>>);

#[derive(Default, Clone)]
struct Book {
    scopes: BTreeMap<String, Times>,
    /// What the server asked for when it was called for this.
    needs: BTreeMap<String, BTreeSet<String>>,
    /// Whether it was changed since it was kept.
    changed: bool,
    /// Whether what was kept of it was read.
    read: bool,
}

#[derive(Default, Clone, Copy)]
struct Times {
    granted: Option<Timestamp>,
    asked: Option<Timestamp>,
    used: Option<Timestamp>,
}

impl Scopes {
    /// A token was given these.
    pub(super) fn granted<'a>(
        &self,
        server: &ServerName,
        scopes: impl IntoIterator<Item = &'a String>,
        now: Timestamp,
    ) {
        self.note(server, scopes, |times| times.granted = Some(now));
    }

    /// The server asked for these, when it was called for `object`.
    pub(super) fn asked(&self, server: &ServerName, object: Option<&str>, scopes: &[String], now: Timestamp) {
        self.note(server, scopes, |times| times.asked = Some(now));
        let (Some(object), mut books) = (object, self.books()) else { return };
        let book = books.entry(server.clone()).or_default();
        if book.needs.len() < limits::SCOPE_NEEDS_MAX || book.needs.contains_key(object) {
            let needs = book.needs.entry(object.to_owned()).or_default();
            needs.extend(scopes.iter().take(limits::METADATA_LIST_MAX).cloned());
        }
    }

    /// A call for `object` went through.
    pub(super) fn went(&self, server: &ServerName, object: &str, now: Timestamp) {
        let mut books = self.books();
        let Some(Book { scopes, needs, changed, .. }) = books.get_mut(server) else { return };
        for scope in needs.get(object).into_iter().flatten() {
            if let Some(times) = scopes.get_mut(scope) {
                (times.used, *changed) = (Some(now), true);
            }
        }
    }

    /// Forgets servers that are not there any more.
    pub(super) fn keep(&self, is_there: impl Fn(&ServerName) -> bool) {
        self.books().retain(|server, _| is_there(server));
    }

    /// What is known of a server's scopes, what was kept of them before included.
    pub(super) async fn of(&self, server: &ServerName, keeper: &Keeper) -> Result<Vec<ScopeUse>, KeepError> {
        self.read(server, keeper).await?;
        let books = self.books();
        let known = books.get(server).map(|book| &book.scopes);
        let row = |(scope, times): (&String, &Times)| {
            let Times { granted, asked, used } = *times;
            ScopeUse { scope: scope.clone(), granted, asked, used }
        };
        Ok(known.into_iter().flatten().map(row).collect())
    }

    /// Keeps what has changed.
    pub(super) async fn write(&self, keeper: &Keeper, now: Timestamp) -> Result<(), KeepError> {
        let changed: Vec<ServerName> =
            self.books().iter().filter(|(_, book)| book.changed).map(|(server, _)| server.clone()).collect();
        for server in changed {
            // What was kept is not written over before it was read.
            self.read(&server, keeper).await?;
            let written = {
                let mut books = self.books();
                let Some(book) = books.get_mut(&server) else { continue };
                book.changed = false;
                book.write()
            };
            keeper.note(place(&server), &written, &Secret::new(String::new()), now).await?;
        }
        Ok(())
    }

    async fn read(&self, server: &ServerName, keeper: &Keeper) -> Result<(), KeepError> {
        if self.books().get(server).is_some_and(|book| book.read) {
            return Ok(());
        }
        let kept = keeper.read(&place(server)).await?;
        let mut books = self.books();
        let book = books.entry(server.clone()).or_default();
        book.read = true;
        if let Some(kept) = kept {
            book.join(&kept.about);
        }
        Ok(())
    }

    fn note<'a>(&self, server: &ServerName, scopes: impl IntoIterator<Item = &'a String>, said: impl Fn(&mut Times)) {
        let mut books = self.books();
        let book = books.entry(server.clone()).or_default();
        for scope in scopes {
            if book.scopes.len() < limits::SCOPES_KNOWN_MAX || book.scopes.contains_key(scope) {
                said(book.scopes.entry(scope.clone()).or_default());
                book.changed = true;
            }
        }
    }

    fn books(&self) -> MutexGuard<'_, HashMap<ServerName, Book>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn write(&self) -> Value {
        let time = |at: Option<Timestamp>| at.map(|at| at.0);
        let scopes = self.scopes.iter().map(|(scope, times)| {
            let told = json!({ "granted": time(times.granted), "asked": time(times.asked), "used": time(times.used) });
            (scope.clone(), told)
        });
        json!({ "scopes": scopes.collect::<Map<_, _>>(), "needs": self.needs })
    }

    /// Adds what was kept to what happened since.
    fn join(&mut self, kept: &Value) {
        let members = |name: &str| kept.get(name).and_then(Value::as_object).into_iter().flatten();
        for (scope, told) in members("scopes") {
            let time = |name: &str| told.get(name).and_then(Value::as_u64).map(Timestamp);
            let times = self.scopes.entry(scope.clone()).or_default();
            times.granted = times.granted.max(time("granted"));
            times.asked = times.asked.max(time("asked"));
            times.used = times.used.max(time("used"));
        }
        for (object, told) in members("needs") {
            let scopes = told.as_array().into_iter().flatten().filter_map(Value::as_str);
            self.needs.entry(object.clone()).or_default().extend(scopes.map(str::to_owned));
        }
    }
}

fn place(server: &ServerName) -> Place {
    Place { owner: Place::owner_of(server), holder: HOLDER.to_owned() }
}

#[cfg(test)]
mod tests;
