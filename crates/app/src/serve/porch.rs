//! What stands before the path: whom the gate lets in, and what it is called, as settings say.

use std::net::SocketAddr;
use std::sync::Arc;

use gateway::{Callers, Doors, Front, Gate};
use identity::outgoing::{Pages, Presence};
use identity::resource_server::proof::Proofs;
use identity::resource_server::{IssuerSettings, ResourceServer};

use crate::settings::{Listener, Loaded};

/// What the front of the gate is made with, whenever settings are read.
pub(super) struct Porch {
    pub(super) bound: SocketAddr,
    pub(super) egress: egress::Client,
    pub(super) proofs: Arc<Proofs>,
    pub(super) clock: Arc<dyn model::Clock>,
    /// The gate itself, where people sign in at it.
    pub(super) own: Option<IssuerSettings>,
}

impl Porch {
    /// Callers and the names of the listener, from settings. What is known of issuers that stay is kept.
    pub(super) fn front(&self, loaded: &Loaded, before: Option<&Front>) -> anyhow::Result<Front> {
        let before = before.and_then(|before| before.callers.server.as_deref());
        let mut settings = loaded.resource(&self.egress, self.bound)?;
        if let Some(own) = &self.own {
            let none = || loaded.no_issuers(own.url.clone());
            // First, because any client can sign in there.
            settings.get_or_insert_with(none).issuers.insert(0, own.clone());
        }
        let server = settings.map(|settings| {
            let (proofs, clock) = (Arc::clone(&self.proofs), Arc::clone(&self.clock));
            Arc::new(ResourceServer::new(settings, proofs, clock, before))
        });
        let callers = Callers { development: loaded.callers()?, server };
        Ok(Front { doors: doors(&loaded.settings.agents, self.bound), callers })
    }

    /// Has issuers' keys fetched, beside everything else.
    pub(super) fn warm(&self, gate: &Gate) {
        if let Some(server) = gate.front.load().callers.server.clone() {
            tokio::spawn(async move { server.warm().await });
        }
    }
}

/// What others call the agents' listener.
pub(super) fn base(loaded: &Loaded, agents: SocketAddr) -> String {
    loaded.public_url(agents).unwrap_or_else(|| {
        format!("{}://{agents}", if loaded.settings.agents.tls.is_some() { "https" } else { "http" })
    })
}

/// How the gate is known to authorization servers.
pub(super) fn presence(loaded: &Loaded, agents: SocketAddr) -> anyhow::Result<Presence> {
    let base = base(loaded, agents);
    let callback = format!("{base}{}", Pages::CALLBACK).parse()?;
    // Others read it over the network, so that there is none where they cannot.
    let here = || base.starts_with("https://").then(|| format!("{base}{}", Pages::DOCUMENT));
    let document = loaded.settings.agents.client_document.clone().or_else(here).map(|url| url.parse());
    // Where nobody signs in, nobody could tell whose account it is that somebody connects.
    let people = loaded.settings.sign_in.as_ref().map(|_| format!("{base}/connect/").parse());
    Ok(Presence {
        callback,
        document: document.transpose()?,
        name: "Portcullis".to_owned(),
        people: people.transpose()?,
    })
}

/// What the admin listener is called beside its address.
pub(super) fn admin_hosts(loaded: &Loaded) -> Vec<String> {
    let admin = &loaded.settings.admin;
    let named = admin.public_url.as_deref().and_then(|url| url.split_once("://"));
    admin.hosts.iter().cloned().chain(named.map(|(_, host)| host.to_owned())).collect()
}

/// The names a listener answers to: its address, `localhost` if that is what it is, and what settings add.
fn doors(listener: &Listener, bound: SocketAddr) -> Doors {
    let port = bound.port();
    let mut hosts = vec![bound.to_string()];
    if bound.ip().is_loopback() {
        hosts.extend([format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")]);
    }
    let named = listener.public_url.as_deref().and_then(|url| url.split_once("://"));
    hosts.extend(named.map(|(_, host)| host.to_owned()));
    hosts.extend(listener.hosts.iter().flat_map(|host| [host.clone(), format!("{host}:{port}")]));
    Doors::new(hosts, listener.origins.clone())
}
