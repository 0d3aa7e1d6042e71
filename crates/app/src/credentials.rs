//! What people see and do of the credentials that servers are given.

use std::sync::Arc;

use admin::view::{CredentialHealth, Deed, ScopeRow};
use async_trait::async_trait;
use gateway::Key;
use identity::ages::Ages;
use identity::facade::Facade;
use identity::outgoing::{Agreed, Flow, Health, Holder, Outgoing, ScopeUse, Which, Whose};
use model::{Actor, Change, Clock, ServerName, with_causes};
use registry::ServerManifest;

use crate::compile::Compiler;

/// Milliseconds of a day.
const DAY: u64 = 24 * 60 * 60_000;

/// The credentials of servers, for the control plane.
pub(crate) struct Kept {
    pub(crate) compiler: Arc<Compiler>,
    pub(crate) ages: Arc<Ages>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) outgoing: Arc<Outgoing>,
    /// Who keeps what is sealed of sign-ins.
    pub(crate) facade: Option<Arc<Facade>>,
}

#[async_trait]
impl admin::Credentials for Kept {
    async fn health(&self, server: &ServerName) -> Result<Vec<CredentialHealth>, String> {
        let health = self.outgoing.health(server).await.map_err(|error| with_causes(&error))?;
        let aged = self.ages.of(server).map(|age| CredentialHealth {
            holder: "key".to_owned(),
            since: Some(age.since.0),
            due_at: age.due.map(|due| due.0),
            late_days: age.late(self.clock.now()).map(|late| late / DAY),
            ..CredentialHealth::default()
        });
        Ok(aged.into_iter().chain(health.into_iter().map(shown)).collect())
    }

    async fn scopes(&self, server: &ServerName) -> Result<Vec<ScopeRow>, String> {
        let known = self.outgoing.scopes(server).await.map_err(|error| with_causes(&error))?;
        let row = |ScopeUse { scope, granted, asked, used }: ScopeUse| {
            let [granted_at, asked_at, used_at] = [granted, asked, used].map(|at| at.map(|at| at.0));
            ScopeRow { scope, granted_at, asked_at, used_at }
        };
        Ok(known.into_iter().map(row).collect())
    }

    async fn invite(&self, manifest: &ServerManifest, holder: Option<&str>, by: &Actor) -> Result<String, String> {
        let server = &manifest.name;
        let key = self.compiler.key_of(manifest).await.map_err(|error| format!("{error:#}"))?;
        let supply = match key {
            Some(Key::Granted(supply)) if supply.source().flow == Flow::Code => supply,
            Some(Key::Missing(why)) => return Err(why),
            Some(Key::Granted(_) | Key::Fixed(_)) | None => {
                return Err(format!("server `{server}` has no credential that somebody agrees to in a browser"));
            }
        };
        let home = &self.outgoing.presence().callback;
        if home.scheme() != "https" && !home.host_str().is_some_and(is_loopback) {
            return Err("browsers must be told where the gate is: say `public_url` in `[agents]`".to_owned());
        }
        let holder = holder.map_or(Ok(Holder::Shared), str::parse).map_err(|error| with_causes(&error))?;
        let fits = match (&holder, supply.source().whose) {
            // The gate's own looks at a server take this one, whosever the others are.
            (Holder::Shared, _) | (Holder::User(_), Whose::User) | (Holder::Agent(_), Whose::Agent) => true,
            (Holder::User(_), Whose::Shared | Whose::Agent | Whose::Both)
            | (Holder::Agent(_), Whose::Shared | Whose::User | Whose::Both)
            | (Holder::Both(..), _) => false,
        };
        if !fits {
            return Err(format!(
                "server `{server}` has no credential of a `{holder}`: its manifest says whose they are"
            ));
        }
        let busy = || "too many are invited at this moment".to_owned();
        if let Holder::User(user) = &holder {
            // No ticket: who connects it for a person is that person, and nobody who was sent the address.
            let page = self.outgoing.await_person(supply.source(), user);
            let none = || "people must be able to say who they are: say `[sign_in]` in the settings".to_owned();
            return page.map(String::from).ok_or_else(none);
        }
        let ticket = self.outgoing.invite(supply.source(), &holder, by).ok_or_else(busy)?;
        let mut url = self.outgoing.presence().callback.clone();
        url.set_path("/connect/invitation");
        url.query_pairs_mut().append_pair("ticket", &ticket);
        Ok(url.into())
    }

    async fn disconnect(&self, server: &ServerName, holder: &str, change: Change) -> Result<bool, String> {
        let holder: Holder = holder.parse().map_err(|error| with_causes(&error))?;
        self.outgoing.disconnect(server, &holder, change).await.map_err(|error| with_causes(&error))
    }

    async fn rewrap(&self, change: Change) -> Result<usize, String> {
        let failed = |error| with_causes(&error);
        let mut rewrapped = self.outgoing.rewrap(Which::All).await.map_err(failed)?;
        if let Some(facade) = &self.facade {
            rewrapped += facade.rewrap(Which::All).await.map_err(failed)?;
        }
        self.outgoing.note_rewrapped(rewrapped, change).await.map_err(failed)?;
        Ok(rewrapped)
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn shown(health: Health) -> CredentialHealth {
    let Health { holder, kept, obtained, renew_at, failure } = health;
    let mut shown = CredentialHealth {
        holder,
        obtained_at: obtained.map(|at| at.0),
        renew_at: renew_at.map(|at| at.0),
        failed_at: failure.as_ref().map(|failure| failure.at.0),
        failure: failure.map(|failure| failure.why),
        ..CredentialHealth::default()
    };
    if let Some(Agreed { issuer, requested, granted, by, connected, renewed, expires }) = kept {
        shown.issuer = Some(issuer);
        (shown.requested, shown.granted) = (requested, granted);
        shown.connected = Some(Deed { by, at: connected.0, reason: None });
        shown.obtained_at = Some(renewed.0);
        shown.expires_at = expires.map(|at| at.0);
    }
    shown
}
