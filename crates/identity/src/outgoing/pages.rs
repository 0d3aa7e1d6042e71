//! The pages on which somebody connects a server: an invitation is opened, the browser goes to the authorization server,
//! and comes back.
//!
//! Whoever holds the invitation's ticket was given it by the gate; the browser that begins is the only one that can end it.
//! What a person connects for themselves has no ticket: [`own`].

mod own;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use url::Url;

use super::{Invited, Outgoing, Return, document};
use crate::facade::Facade;
use crate::facade::pages::style;
use crate::site::{self, Parameters, Site, Visit, escaped};

/// The cookie by which the browser that began is known again. No other host can set it.
const BROWSER: &str = "__Host-portcullis-connect";

/// The pages under `/connect/`.
pub struct Pages {
    outgoing: Arc<Outgoing>,
    /// Who says who somebody is; nobody, and only those who were invited connect anything.
    people: Option<Arc<Facade>>,
}

impl Pages {
    /// Where authorization servers send people back to.
    pub const CALLBACK: &str = "/connect/callback";
    /// Where the gate's client metadata document is.
    pub const DOCUMENT: &str = "/connect/client.json";

    /// Names under `/connect/` that are no server's.
    pub(super) const OWN: [&str; 4] = ["invitation", "begin", "callback", "forget"];

    /// The pages of these credentials, and of people who sign in at `people`.
    pub fn new(outgoing: Arc<Outgoing>, people: Option<Arc<Facade>>) -> Self {
        Self { outgoing, people }
    }

    /// What an invitation is for, and the way on.
    fn invitation(&self, visit: &Visit) -> Response<Bytes> {
        let parameters = Parameters::of_query(visit.query.as_deref());
        let ticket = parameters.as_ref().ok().and_then(|parameters| parameters.get("ticket")).unwrap_or_default();
        let Some(Invited { source, holder, by }) = self.outgoing.invited(ticket) else { return over() };
        let facts = facts(&[
            ("Server", source.server.to_string()),
            ("At", source.url.host_str().unwrap_or_default().to_owned()),
            ("Used for", holder.to_string()),
            ("Asked for by", by.to_string()),
        ]);
        let body = format!(
            "<p>The gate is to use this server as whoever signs in next, in the account and with the rights that you \
             choose there.</p><dl>{facts}</dl><form method=\"post\" action=\"/connect/begin\"><input type=\"hidden\" \
             name=\"ticket\" value=\"{}\"><div class=\"buttons\"><button class=\"yes\">Go on and sign in</button></div></form>",
            escaped(ticket)
        );
        shown(StatusCode::OK, "Connect a server", &body, None)
    }

    async fn begin(&self, visit: &Visit) -> Response<Bytes> {
        if self.is_from_elsewhere(visit) {
            return trouble(StatusCode::FORBIDDEN, "A page of another site sent this. Open the invitation again.");
        }
        let Ok(parameters) = Parameters::of_form(visit) else { return over() };
        if parameters.get("server").is_some() {
            return self.begin_own(visit, &parameters).await;
        }
        let invited = self.outgoing.invited(parameters.get("ticket").unwrap_or_default());
        let Some(Invited { source, holder, by }) = invited else { return over() };
        self.leave(&source, holder, by).await
    }

    fn is_from_elsewhere(&self, visit: &Visit) -> bool {
        visit.is_from_elsewhere(&self.outgoing.presence().callback.origin().ascii_serialization())
    }

    async fn finish(&self, visit: &Visit) -> Response<Bytes> {
        let Ok(parameters) = Parameters::of_query(visit.query.as_deref()) else { return over() };
        let text = |name: &str| parameters.get(name).map(str::to_owned);
        let back = Return {
            state: text("state").unwrap_or_default(),
            code: text("code"),
            error: text("error"),
            iss: text("iss"),
        };
        let person = self.visitor(visit);
        match self.outgoing.finish(back, visit.cookie(BROWSER), person.as_ref()).await {
            Ok(connected) => {
                let body =
                    format!("<p>{} is connected. You can close this page.</p>", escaped(connected.server.as_str()));
                shown(StatusCode::OK, "Connected", &body, None)
            }
            Err(error) => {
                tracing::warn!(error = %model::with_causes(&error), "a server was not connected");
                let text = format!("Nothing was connected: {error}. Open the invitation again.");
                trouble(StatusCode::BAD_REQUEST, &text)
            }
        }
    }
}

#[async_trait]
impl Site for Pages {
    fn serves(&self, path: &str) -> bool {
        path.starts_with("/connect/")
    }

    async fn answer(&self, visit: Visit) -> Response<Bytes> {
        match (visit.method.clone(), visit.path.as_str()) {
            (Method::GET, "/connect/invitation") => self.invitation(&visit),
            (Method::POST, "/connect/begin") => self.begin(&visit).await,
            (Method::POST, "/connect/forget") => self.forget(&visit).await,
            (Method::GET, Self::CALLBACK) => self.finish(&visit).await,
            (Method::GET, Self::DOCUMENT) => match document(self.outgoing.presence()) {
                Some(document) => site::published(&document),
                None => trouble(StatusCode::NOT_FOUND, "The gate has no document here."),
            },
            (Method::GET, "/connect/style.css") => style(),
            (Method::GET, path) => self.own(&visit, path.trim_start_matches("/connect/")).await,
            _ => trouble(StatusCode::NOT_FOUND, "There is nothing here."),
        }
    }
}

fn over() -> Response<Bytes> {
    trouble(StatusCode::NOT_FOUND, "This invitation is not good any more. Ask for another one.")
}

fn facts(facts: &[(&str, String)]) -> String {
    let fact =
        |(name, value): &(&str, String)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(value));
    facts.iter().map(fact).collect()
}

/// Sends the browser on, by itself and by a link.
fn onward(url: &Url) -> Response<Bytes> {
    let body = format!(
        "<p>You are sent on to sign in.</p><p><a class=\"yes\" rel=\"noreferrer\" href=\"{}\">Continue to {}</a></p>",
        escaped(url.as_str()),
        escaped(url.host_str().unwrap_or_default())
    );
    shown(StatusCode::OK, "Connect a server", &body, Some(url.as_str()))
}

fn trouble(status: StatusCode, text: &str) -> Response<Bytes> {
    shown(status, "That did not work", &format!("<p>{}</p>", escaped(text)), None)
}

fn shown(status: StatusCode, title: &str, body: &str, onward: Option<&str>) -> Response<Bytes> {
    let refresh = onward.map_or_else(String::new, |target| {
        let target = target.replace('\'', "%27").replace('"', "%22");
        format!("<meta http-equiv=\"refresh\" content=\"0;url={}\">", escaped(&target))
    });
    site::page(
        status,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{refresh}<title>{title} · Portcullis</title>\
             <link rel=\"stylesheet\" href=\"/connect/style.css\"></head><body><main><p class=\"brand\">Portcullis</p>\
             <h1>{title}</h1>{body}</main></body></html>"
        ),
    )
}
