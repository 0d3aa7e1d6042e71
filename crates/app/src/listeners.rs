//! The two listeners: where they are bound, and their TLS where it ends at the gate itself.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use identity::tls::{Prepared, Tls};
use model::limits;
use tokio::net::TcpListener;

use crate::settings::Loaded;

/// How often files of certificates are looked at.
const LOOK: Duration = Duration::from_millis(limits::CERTIFICATES_LOOK_MILLISECONDS);

/// The TLS of both listeners, where they have some.
pub(crate) struct Listeners {
    /// Of the agents' listener.
    pub(crate) agents: Option<Arc<Tls>>,
    /// Of the admin listener.
    pub(crate) admin: Option<Arc<Tls>>,
}

impl Listeners {
    /// Reads what settings name.
    ///
    /// # Errors
    /// When a file cannot be read, or they do not fit each other.
    pub(crate) fn read(loaded: &Loaded) -> anyhow::Result<Self> {
        let tls = |prepared| Arc::new(Tls::new(prepared));
        Ok(Self { agents: loaded.agents_tls()?.map(tls), admin: loaded.admin_tls()?.map(tls) })
    }

    /// Goes by what settings say now; both or neither.
    ///
    /// # Errors
    /// When a file cannot be read, or TLS would come or go.
    pub(crate) fn take(&self, loaded: &Loaded) -> anyhow::Result<()> {
        let (agents, admin) = (loaded.agents_tls()?, loaded.admin_tls()?);
        let before = [&self.agents, &self.admin].map(Option::is_some);
        anyhow::ensure!([agents.is_some(), admin.is_some()] == before, "TLS comes and goes with a restart only");
        let asked = self.agents.as_ref().map(|tls| tls.asks());
        let asks = agents.as_ref().map(Prepared::asks);
        anyhow::ensure!(asked == asks, "`client_ca` comes and goes with a restart only");
        for (tls, prepared) in [(&self.agents, agents), (&self.admin, admin)] {
            if let (Some(tls), Some(prepared)) = (tls, prepared) {
                tls.take(prepared);
            }
        }
        Ok(())
    }

    /// Those that have some, by the names of their settings.
    pub(crate) fn both(&self) -> impl Iterator<Item = (&'static str, Arc<Tls>)> {
        let named = [("agents", &self.agents), ("admin", &self.admin)];
        named.into_iter().filter_map(|(listener, tls)| Some((listener, Arc::clone(tls.as_ref()?))))
    }

    /// How agents and people speak to the gate.
    pub(crate) fn schemes(&self) -> (&'static str, &'static str) {
        let scheme = |tls: &Option<Arc<Tls>>| if tls.is_some() { "https" } else { "http" };
        (scheme(&self.agents), scheme(&self.admin))
    }
}

/// Binds a listener.
///
/// # Errors
/// When the address cannot be had.
pub(crate) async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    let hint = || format!("cannot listen on {address} (`{setting}`): is another gate running there?");
    TcpListener::bind(address).await.with_context(hint)
}

/// Reads a listener's certificate again when its files change, so that a new one counts without a restart. While they do not
/// fit each other the old one stays.
pub(crate) async fn certificates(listener: &'static str, tls: Arc<Tls>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut told = None;
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let looking = Arc::clone(&tls);
        let looked = tokio::task::spawn_blocking(move || looking.look().map_err(|error| model::with_causes(&error)));
        match looked.await {
            Ok(Ok(true)) => tracing::info!(listener, "the certificates were read again"),
            Ok(Ok(false)) => {}
            Ok(Err(why)) if told.as_ref() == Some(&why) => continue,
            Ok(Err(why)) => {
                tracing::error!(listener, why, "the certificates changed and cannot be used; the old ones stay");
                told = Some(why);
                continue;
            }
            Err(error) => tracing::error!(listener, %error, "the certificates could not be looked at"),
        }
        told = None;
    }
}
