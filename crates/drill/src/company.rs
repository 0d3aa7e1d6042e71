//! The sample company: Brandt & Vogel, a shop for outdoor gear, and the systems its agents work with: four that listen,
//! and a notebook, [`notes`], that its client starts.
//!
//! The data is small, made up, and the same at every start, so that stories and tests can name an order and know
//! what it cost. Amounts are euros, dates are ISO 8601, mail addresses are of reserved domains.

mod billing;
mod crm;
mod erp;
pub mod notes;
mod observed;
mod server;
mod web_search;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use model::Secret;

pub use server::{Presented, Seen, Server};

/// The company's servers, running. They stop when this is dropped; [`Company::stop`] waits for it.
pub struct Company {
    crm: Server,
    erp: Server,
    billing: Server,
    web_search: Server,
}

impl Company {
    /// Starts every server on a free port of `bind`; none asks for a credential.
    ///
    /// # Errors
    /// When a socket cannot be bound.
    pub async fn start(bind: IpAddr) -> io::Result<Self> {
        Self::start_guarded(bind, BTreeMap::new()).await
    }

    /// Starts every server on a free port of `bind`. A server that `credentials` names answers 401 to whoever does
    /// not present exactly that bearer token.
    ///
    /// # Errors
    /// When a socket cannot be bound.
    pub async fn start_guarded(bind: IpAddr, mut credentials: BTreeMap<&str, Secret<String>>) -> io::Result<Self> {
        Ok(Self {
            crm: Server::start(crm::Crm::NAME, bind, crm::Crm::new(), credentials.remove(crm::Crm::NAME)).await?,
            erp: Server::start(erp::Erp::NAME, bind, erp::Erp::new(), credentials.remove(erp::Erp::NAME)).await?,
            billing: Server::start(
                billing::Billing::NAME,
                bind,
                billing::Billing::new(),
                credentials.remove(billing::Billing::NAME),
            )
            .await?,
            web_search: Server::start_streaming(
                web_search::WebSearch::NAME,
                bind,
                web_search::WebSearch::new(),
                credentials.remove(web_search::WebSearch::NAME),
            )
            .await?,
        })
    }

    /// Customers: `crm`.
    pub fn crm(&self) -> &Server {
        &self.crm
    }

    /// Orders, refunds and prices: `erp`.
    pub fn erp(&self) -> &Server {
        &self.erp
    }

    /// Invoices and credits: `billing`.
    pub fn billing(&self) -> &Server {
        &self.billing
    }

    /// The open web, which nobody vouches for: `web-search`. It answers as event streams, the others as JSON.
    pub fn web_search(&self) -> &Server {
        &self.web_search
    }

    /// All servers, in the order a reader meets them.
    pub fn servers(&self) -> [&Server; 4] {
        [&self.crm, &self.erp, &self.billing, &self.web_search]
    }

    /// One server by its name.
    pub fn server(&self, name: &str) -> Option<&Server> {
        self.servers().into_iter().find(|server| server.name() == name)
    }

    /// How many tool calls the named server has executed; zero for a name that is none of the company's.
    pub fn calls(&self, server: &str) -> u64 {
        self.server(server).map_or(0, Server::calls)
    }

    /// Stops every server, ends its subscriptions, and waits until its port is free again.
    pub async fn stop(self) {
        self.crm.stop().await;
        self.erp.stop().await;
        self.billing.stop().await;
        self.web_search.stop().await;
    }
}

#[cfg(test)]
mod tests;
