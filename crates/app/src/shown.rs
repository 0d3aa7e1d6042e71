//! The certificates that servers are shown, read once for each server and again when their files change.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use egress::Shows;
use identity::tls::{ShownFiles, ToServer};
use model::{ServerName, limits};
use registry::ServerManifest;

/// How often files of certificates are looked at.
const LOOK: Duration = Duration::from_millis(limits::CERTIFICATES_LOOK_MILLISECONDS);

/// The certificates of servers that are shown one.
pub(crate) struct Shown {
    /// Where relative files start from.
    base: PathBuf,
    known: Mutex<HashMap<ServerName, (ShownFiles, Arc<ToServer>)>>,
}

impl Shown {
    /// Nothing yet; files are relative to `base`.
    pub(crate) fn new(base: &Path) -> Self {
        Self { base: base.to_owned(), known: Mutex::default() }
    }

    /// What a server is shown; `None` if it asks for nothing.
    ///
    /// # Errors
    /// When it cannot be read: nothing is shown then, and nobody connects without it.
    pub(crate) fn of(&self, manifest: &ServerManifest) -> anyhow::Result<Option<Shows>> {
        let Some(tls) = manifest.address().and_then(|address| address.tls.as_ref()) else { return Ok(None) };
        let files = ShownFiles {
            certificate: self.base.join(tls.certificate.as_str()),
            key: tls.key.clone(),
            authorities: tls.ca.as_ref().map(|ca| self.base.join(ca.as_str())),
            base: self.base.clone(),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let read = ToServer::read(files.clone());
        let read = read.with_context(|| format!("the certificate that server `{}` is shown", manifest.name))?;
        // The same files and authorities: connections that are open go on, and what changed in them is seen by looking.
        if let Some((_, before)) =
            known.get(&manifest.name).filter(|(before, one)| *before == files && one.shows().id == read.shows().id)
        {
            return Ok(Some(before.shows()));
        }
        let shows = read.shows();
        known.insert(manifest.name.clone(), (files, read));
        Ok(Some(shows))
    }

    /// Forgets servers that are not there any more.
    pub(crate) fn keep(&self, is_there: impl Fn(&ServerName) -> bool) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|server, _| is_there(server));
    }

    fn all(&self) -> Vec<(ServerName, Arc<ToServer>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(server, (_, one))| (server.clone(), Arc::clone(one))).collect()
    }
}

/// Reads certificates again when their files change, until `stop` resolves. While one does not fit, the old one stays.
pub(crate) async fn watch(shown: Arc<Shown>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut told: HashMap<ServerName, String> = HashMap::new();
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let looking = shown.all();
        let looked = tokio::task::spawn_blocking(move || {
            let look = |(server, one): (ServerName, Arc<ToServer>)| {
                (server, one.look().map_err(|error| model::with_causes(&error)))
            };
            looking.into_iter().map(look).collect::<Vec<_>>()
        });
        for (server, looked) in looked.await.unwrap_or_default() {
            match looked {
                Ok(is_new) => {
                    told.remove(&server);
                    if is_new {
                        tracing::info!(%server, "the certificate that a server is shown was read again");
                    }
                }
                Err(why) if told.get(&server) == Some(&why) => {}
                Err(why) => {
                    tracing::error!(%server, why, "the certificate that a server is shown cannot be used; the old one stays");
                    told.insert(server, why);
                }
            }
        }
    }
}
