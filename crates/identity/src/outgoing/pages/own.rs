//! A person's own page of a server: there they connect it for themselves, and forget it again.
//!
//! Who they are says the identity provider, not the address that they opened. So an address that one person was given connects
//! nothing of another's: whoever follows it acts for themselves, or finds nothing (MCP 2026-07-28, client/elicitation: the
//! one who opens the URL must be the one who was asked to).

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use model::{Actor, Change, Expected, ServerName, UserId};

use super::{BROWSER, Pages, facts, onward, shown, trouble};
use crate::facade::Facade;
use crate::outgoing::{Agreed, Holder, Source};
use crate::secrets::opened_text;
use crate::site::{Parameters, Visit, escaped, with_cookie};

impl Pages {
    /// The page, for whoever is signed in; others sign in first.
    pub(super) async fn own(&self, visit: &Visit, server: &str) -> Response<Bytes> {
        let (Some(facade), Ok(server)) = (&self.people, server.parse::<ServerName>()) else { return nothing() };
        let Some(user) = facade.visitor(visit) else { return facade.welcome(visit).await };
        let awaited = self.outgoing.awaited(&server, &user);
        let agreed = self.agreed(&server, &user).await;
        if awaited.is_none() && agreed.is_none() {
            return nothing();
        }
        let mut told = vec![("Server", server.to_string())];
        if let Some(source) = &awaited {
            told.push(("At", source.url.host_str().unwrap_or_default().to_owned()));
        }
        told.push(("Used for", format!("your calls alone, {user}")));
        if let Some(Agreed { issuer, granted, .. }) = &agreed {
            told.push(("Connected at", issuer.clone()));
            told.push((
                "May do there",
                if granted.is_empty() { "what it decides".to_owned() } else { granted.join(", ") },
            ));
        }
        let mut forms = String::new();
        if awaited.is_some() {
            let text = if agreed.is_some() { "Connect it anew" } else { "Go on and sign in there" };
            forms.push_str(&form("/connect/begin", &server, "yes", text));
        }
        if agreed.is_some() {
            forms.push_str(&form("/connect/forget", &server, "no", "Forget it"));
        }
        let body = format!(
            "<p>Calls that agents make for you go to this server in the account that you sign in with there, and nobody \
             else's do.</p><dl>{}</dl>{forms}",
            facts(&told)
        );
        shown(StatusCode::OK, "Connect a server for yourself", &body, None)
    }

    /// Sends a person on to the authorization server of a server, for themselves.
    pub(super) async fn begin_own(&self, visit: &Visit, parameters: &Parameters) -> Response<Bytes> {
        let Some((_, server, user)) = self.person(visit, parameters) else { return gone() };
        let Some(source) = self.outgoing.awaited(&server, &user) else { return nothing() };
        self.leave(&source, Holder::User(user.clone()), Actor::User(user)).await
    }

    /// Forgets what a person connected.
    pub(super) async fn forget(&self, visit: &Visit) -> Response<Bytes> {
        if self.is_from_elsewhere(visit) {
            return trouble(StatusCode::FORBIDDEN, "A page of another site sent this. Open the page again.");
        }
        let Ok(parameters) = Parameters::of_form(visit) else { return nothing() };
        let Some((_, server, user)) = self.person(visit, &parameters) else { return gone() };
        let at = self.outgoing.clock.now();
        let change = Change { actor: Actor::User(user.clone()), expected: Expected::Any, at, reason: None };
        match self.outgoing.disconnect(&server, &Holder::User(user), change).await {
            Ok(_) => shown(StatusCode::OK, "Forgotten", "<p>Calls for you do not use it any more.</p>", None),
            Err(error) => {
                tracing::error!(%server, error = %model::with_causes(&error), "a credential was not forgotten");
                trouble(StatusCode::SERVICE_UNAVAILABLE, "The gate could not forget it. Try again in a few minutes.")
            }
        }
    }

    /// The person whose browser this is; `None` for nobody.
    pub(super) fn visitor(&self, visit: &Visit) -> Option<UserId> {
        self.people.as_ref()?.visitor(visit)
    }

    /// Sends a browser away with a cookie, for a holder.
    pub(super) async fn leave(&self, source: &Arc<Source>, holder: Holder, by: Actor) -> Response<Bytes> {
        match self.outgoing.begin(source, holder, by).await {
            Ok(begun) => with_cookie(onward(&begun.url), BROWSER, opened_text(&begun.browser)),
            Err(error) => {
                tracing::warn!(server = %source.server, error = %model::with_causes(&error), "a server cannot be connected");
                trouble(StatusCode::BAD_GATEWAY, "The server's authorization server cannot be used; the log says why.")
            }
        }
    }

    fn person(&self, visit: &Visit, parameters: &Parameters) -> Option<(&Arc<Facade>, ServerName, UserId)> {
        let facade = self.people.as_ref()?;
        Some((facade, parameters.get("server")?.parse().ok()?, facade.visitor(visit)?))
    }

    async fn agreed(&self, server: &ServerName, user: &UserId) -> Option<Agreed> {
        let holder = Holder::User(user.clone()).to_string();
        let known = self.outgoing.health(server).await;
        let known = known.inspect_err(|error| {
            tracing::error!(%server, error = %model::with_causes(error), "what is kept cannot be told");
        });
        known.ok()?.into_iter().find(|health| health.holder == holder)?.kept
    }
}

fn form(action: &str, server: &ServerName, class: &str, text: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"server\" value=\"{}\">\
         <div class=\"buttons\"><button class=\"{class}\">{text}</button></div></form>",
        escaped(server.as_str())
    )
}

/// A server that is not there looks like one that this person was not asked to connect.
fn nothing() -> Response<Bytes> {
    let text =
        "There is nothing here for you to connect. When a call that an agent makes for you needs it, you are asked to.";
    trouble(StatusCode::NOT_FOUND, text)
}

fn gone() -> Response<Bytes> {
    trouble(StatusCode::FORBIDDEN, "You are not signed in any more. Open the page again.")
}
