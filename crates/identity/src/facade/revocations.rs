//! What was revoked while access tokens of it may still be about.
//!
//! Access tokens live for minutes and are checked without asking anybody; a logout must not wait for their end. So the ids
//! of revoked families are remembered for as long as their tokens can live, and whoever checks a token asks here.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use model::{Clock, StoreError, Timestamp, limits};
use tokio::sync::watch;

use crate::port;

/// Families whose tokens are good no more.
pub struct Revocations {
    clock: Arc<dyn Clock>,
    families: RwLock<HashMap<String, Timestamp>>,
    told: watch::Sender<()>,
}

impl Revocations {
    pub(super) async fn open(port: &dyn port::Facade, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let now = clock.now();
        let since = Timestamp(now.0.saturating_sub(limits::ACCESS_TOKEN_MILLISECONDS_MAX));
        let known = port.revoked(since).await?;
        let families = known.into_iter().map(|family| (family, now)).collect();
        Ok(Self { clock, families: RwLock::new(families), told: watch::Sender::new(()) })
    }

    /// Whether the family that a token names was revoked.
    pub fn hold(&self, family: &str) -> bool {
        self.families.read().unwrap_or_else(PoisonError::into_inner).contains_key(family)
    }

    /// Tells of every revocation: open streams ask again then.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.told.subscribe()
    }

    pub(super) fn add(&self, revoked: Vec<String>) {
        if revoked.is_empty() {
            return;
        }
        let now = self.clock.now();
        let mut families = self.families.write().unwrap_or_else(PoisonError::into_inner);
        families.retain(|_, at| now.milliseconds_since(*at) <= limits::ACCESS_TOKEN_MILLISECONDS_MAX);
        families.extend(revoked.into_iter().map(|family| (family, now)));
        drop(families);
        self.told.send_replace(());
    }
}
