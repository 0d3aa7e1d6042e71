//! The pages on which somebody connects a server: an invitation is opened, the browser goes to the authorization server,
//! and comes back.
//!
//! Whoever holds the invitation's ticket was given it by the gate; the browser that begins is the only one that can end it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Response, StatusCode};

use super::{Invited, Outgoing, Return, document};
use crate::facade::pages::style;
use crate::secrets::opened_text;
use crate::site::{self, Parameters, Site, Visit, escaped, with_cookie};

/// The cookie by which the browser that began is known again. No other host can set it.
const BROWSER: &str = "__Host-portcullis-connect";

/// The pages under `/connect/`.
pub struct Pages {
    outgoing: Arc<Outgoing>,
}

impl Pages {
    /// Where authorization servers send people back to.
    pub const CALLBACK: &str = "/connect/callback";
    /// Where the gate's client metadata document is.
    pub const DOCUMENT: &str = "/connect/client.json";

    /// The pages of these credentials.
    pub fn new(outgoing: Arc<Outgoing>) -> Self {
        Self { outgoing }
    }

    /// What an invitation is for, and the way on.
    fn invitation(&self, visit: &Visit) -> Response<Bytes> {
        let parameters = Parameters::of_query(visit.query.as_deref());
        let ticket = parameters.as_ref().ok().and_then(|parameters| parameters.get("ticket")).unwrap_or_default();
        let Some(Invited { source, holder, by }) = self.outgoing.invited(ticket) else { return over() };
        let facts = [
            ("Server", source.server.to_string()),
            ("At", source.url.host_str().unwrap_or_default().to_owned()),
            ("Used for", holder.to_string()),
            ("Asked for by", by),
        ];
        let facts: String = facts
            .iter()
            .map(|(name, value)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(value)))
            .collect();
        let body = format!(
            "<p>The gate is to use this server as whoever signs in next, in the account and with the rights that you \
             choose there.</p><dl>{facts}</dl><form method=\"post\" action=\"/connect/begin\"><input type=\"hidden\" \
             name=\"ticket\" value=\"{}\"><div class=\"buttons\"><button class=\"yes\">Go on and sign in</button></div></form>",
            escaped(ticket)
        );
        shown(StatusCode::OK, "Connect a server", &body, None)
    }

    async fn begin(&self, visit: &Visit) -> Response<Bytes> {
        let origin = self.outgoing.presence().callback.origin().ascii_serialization();
        if visit.is_from_elsewhere(&origin) {
            return trouble(StatusCode::FORBIDDEN, "A page of another site sent this. Open the invitation again.");
        }
        let parameters = Parameters::of_form(visit);
        let ticket = parameters.as_ref().ok().and_then(|parameters| parameters.get("ticket")).unwrap_or_default();
        let Some(Invited { source, holder, by }) = self.outgoing.invited(ticket) else { return over() };
        match self.outgoing.begin(&source, holder, by).await {
            Ok(begun) => {
                let host = begun.url.host_str().unwrap_or_default();
                let body = format!(
                    "<p>You are sent on to sign in.</p><p><a class=\"yes\" rel=\"noreferrer\" href=\"{}\">Continue to {}</a></p>",
                    escaped(begun.url.as_str()),
                    escaped(host)
                );
                let page = shown(StatusCode::OK, "Connect a server", &body, Some(begun.url.as_str()));
                with_cookie(page, BROWSER, opened_text(&begun.browser))
            }
            Err(error) => {
                tracing::warn!(server = %source.server, error = %model::with_causes(&error), "a server cannot be connected");
                trouble(StatusCode::BAD_GATEWAY, "The server's authorization server cannot be used; the log says why.")
            }
        }
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
        match self.outgoing.finish(back, visit.cookie(BROWSER)).await {
            Ok(connected) => {
                self.outgoing.uninvite(&connected.server, &connected.holder);
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
            (Method::GET, Self::CALLBACK) => self.finish(&visit).await,
            (Method::GET, Self::DOCUMENT) => match document(self.outgoing.presence()) {
                Some(document) => site::published(&document),
                None => trouble(StatusCode::NOT_FOUND, "The gate has no document here."),
            },
            (Method::GET, "/connect/style.css") => style(),
            _ => trouble(StatusCode::NOT_FOUND, "There is nothing here."),
        }
    }
}

fn over() -> Response<Bytes> {
    trouble(StatusCode::NOT_FOUND, "This invitation is not good any more. Ask for another one.")
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
