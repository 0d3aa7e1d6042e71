//! People who connect a server for themselves: who was asked to, and calls that wait until they have.
//!
//! A person's page of a server is there once a call of theirs was let through to it and lacked their credential. To everybody
//! else it is not: which servers there are is not told to whoever tries names.

use std::sync::Arc;
use std::time::Duration;

use model::{ServerName, Timestamp, UserId, limits};
use tokio::time::timeout;
use url::Url;

use super::pages::Pages;
use super::{Holder, Outgoing, OutgoingError, Source, locked};

/// A person who was asked to connect a server.
pub(super) struct Awaited {
    source: Arc<Source>,
    until: Timestamp,
}

impl Outgoing {
    /// Has a person's page of this server be there for [`limits::CONNECTING_MILLISECONDS_MAX`], and says where it is. The
    /// address opens nothing: whoever opens it connects the server for themselves, if they were asked to. `None` where
    /// people cannot say who they are, or too many are awaited.
    pub fn await_person(&self, source: &Arc<Source>, user: &UserId) -> Option<Url> {
        let name = source.server.as_str();
        let page = self.presence().people.as_ref().filter(|_| !Pages::OWN.contains(&name))?.join(name).ok()?;
        let now = self.clock.now();
        let until = Timestamp(now.0.saturating_add(limits::CONNECTING_MILLISECONDS_MAX));
        let key = (source.server.clone(), user.clone());
        let mut awaited = locked(&self.awaited);
        if awaited.len() >= limits::CONNECTING_PEOPLE_MAX && !awaited.contains_key(&key) {
            awaited.retain(|_, one| now < one.until);
            if awaited.len() >= limits::CONNECTING_PEOPLE_MAX {
                return None;
            }
        }
        awaited.insert(key, Awaited { source: Arc::clone(source), until });
        Some(page)
    }

    /// Forgets what is held and asked of servers that are not there any more.
    pub fn keep(&self, is_there: impl Fn(&ServerName) -> bool) {
        locked(&self.slots).retain(|key, _| is_there(&key.server));
        self.scopes.keep(&is_there);
        locked(&self.invites).retain(|(server, _), _| is_there(server));
        locked(&self.awaited).retain(|(server, _), _| is_there(server));
        // Nor does anybody come back who is on the way.
        locked(&self.pending).retain(|_, one| is_there(&one.source.server));
    }

    /// What this person was asked to connect, by the name of a server.
    pub(super) fn awaited(&self, server: &ServerName, user: &UserId) -> Option<Arc<Source>> {
        let now = self.clock.now();
        let awaited = locked(&self.awaited);
        let one = awaited.get(&(server.clone(), user.clone())).filter(|one| now < one.until)?;
        Some(Arc::clone(&one.source))
    }

    /// Returns as soon as the holder's credential is there, and after `patience` at the latest.
    pub async fn connected(self: &Arc<Self>, source: &Arc<Source>, holder: &Holder, patience: Duration) {
        let Ok(slot) = self.slot(source, holder) else { return };
        // Heard from before the look, so that nothing is missed between the two.
        let there = slot.connected.notified();
        tokio::pin!(there);
        there.as_mut().enable();
        if matches!(self.credential(source, holder).await, Err(OutgoingError::NotConnected { .. })) {
            // Whether it came or not, whoever waited looks for it again.
            let _ = timeout(patience, there).await;
        }
    }
}
