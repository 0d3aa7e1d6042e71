//! The pages of the entrance, and the way back from the identity provider.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Entrance, Known};
use crate::facade::answer::Wrong;
use crate::facade::pages::{fact, framed, icon, style};
use crate::port::{EndedSession, SessionKind};
use crate::relying::trip::Trip;
use crate::relying::{SignedIn, Wishes};
use crate::secrets::opened_text as opened;
use crate::site::{self, Parameters, Site, Visit, escaped, with_cookie_of};

/// Where the pages are.
pub(super) const BASE: &str = "/sign-in";
/// What the cookie of the way there and back is sealed for.
const TRIP: &str = "people sign in";

/// What is done once somebody is back.
#[derive(Serialize, Deserialize)]
pub(super) enum On {
    /// A session begins in the browser.
    Browser,
    /// A command line on the same machine gets a code.
    CommandLine(super::command_line::Asked),
}

impl Entrance {
    /// Where the identity provider sends browsers back to.
    pub const CALLBACK: &str = "/sign-in/callback";

    async fn route(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        match (&visit.method, visit.path.as_str()) {
            (&Method::GET, "/sign-in") => self.arrive(visit).await,
            (&Method::GET, Self::CALLBACK) => self.come_back(visit).await,
            (&Method::POST, "/sign-in/out") => self.leave(visit).await,
            (&Method::GET, "/sign-in/command-line") => self.asked(visit),
            (&Method::POST, "/sign-in/command-line") => self.answered(visit).await,
            (&Method::POST, "/sign-in/command-line/token") => self.redeem(visit).await.map_err(Wrong::for_client),
            (&Method::POST, "/sign-in/device") => self.begin_device(visit).await.map_err(Wrong::for_client),
            (&Method::POST, "/sign-in/device/token") => self.poll_device(visit).await.map_err(Wrong::for_client),
            (&Method::POST, "/sign-in/backchannel-logout") => {
                self.told_of_logout(visit).await.map_err(Wrong::for_client)
            }
            (&Method::GET, "/sign-in/style.css") => Ok(style()),
            (&Method::GET, "/sign-in/icon.svg") => Ok(icon()),
            _ => Err(Wrong::page(
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "The address is not one of the gate's.",
            )),
        }
    }

    /// Who is there, or the way to the provider.
    async fn arrive(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        match self.known(&visit.headers).await {
            Some(known) => Ok(self.welcome(&known)),
            None => self.send_away(On::Browser, site::redirect).await,
        }
    }

    fn welcome(&self, known: &Known) -> Response<Bytes> {
        let roles: Vec<_> = known.roles.iter().map(|role| role.as_str()).collect();
        let minutes = known.session.ends.milliseconds_since(self.now()) / 60_000;
        let facts = [("You are", known.who.to_string()), ("Your roles", roles.join(", "))];
        let facts: String = facts.iter().map(|(name, value)| fact(name, value)).collect();
        let left = fact("Until you sign in again", &format!("{minutes} minutes at most"));
        let body = format!(
            "<dl>{facts}{left}</dl><form method=\"post\" action=\"/sign-in/out\"><input type=\"hidden\" name=\"csrf\" \
             value=\"{}\"><div class=\"buttons\"><button>Sign out</button></div></form>",
            escaped(known.session.csrf.as_str())
        );
        framed(BASE, StatusCode::OK, "You are signed in", &body, None)
    }

    /// Sends a browser to the provider with `answer`, and with the cookie of the trip.
    pub(super) async fn send_away(
        &self,
        on: On,
        answer: impl FnOnce(&str) -> Response<Bytes>,
    ) -> Result<Response<Bytes>, Wrong> {
        let wishes = Wishes { acr_values: self.terms().acr_values.clone(), ..Wishes::default() };
        let (target, cookie) = self.trip().leave(&self.fresh(), on, wishes).await?;
        Ok(self.with_own_cookie(answer(target.as_str()), "trip", &cookie, "Lax"))
    }

    fn trip(&self) -> Trip<'_> {
        Trip { relying: &self.relying, seal: &self.seal, purpose: TRIP, now: self.now() }
    }

    async fn come_back(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        let parameters = Parameters::of_query(visit.query.as_deref())?;
        let stranger = || {
            let text = "This sign-in was not begun in this browser, or its time is over. Begin again.";
            Wrong::page(StatusCode::FORBIDDEN, "You are not signed in", text)
        };
        let cookie = self.own_cookie(visit, "trip").ok_or_else(stranger)?;
        let (signed_in, on) = self.trip().back::<On>(cookie, &parameters).await?.ok_or_else(stranger)?;
        self.is_as_asked(&signed_in)?;
        let answer = match on {
            On::Browser => self.begin_in_browser(&signed_in).await?,
            On::CommandLine(asked) => self.give_code(asked, signed_in)?,
        };
        // What was good for one way there and back is taken away.
        Ok(self.with_own_cookie(answer, "trip", "", "Lax; Max-Age=0"))
    }

    /// Whether somebody signed in by one of the classes that were asked for: the provider may have done as it liked.
    pub(super) fn is_as_asked(&self, signed_in: &SignedIn) -> Result<(), Wrong> {
        let terms = self.terms();
        let acr = signed_in.person.acr.as_ref();
        if terms.acr_values.is_empty() || acr.is_some_and(|acr| terms.acr_values.contains(acr)) {
            return Ok(());
        }
        let text = "This gate asks for another way of signing in than the one you took, such as a second factor.";
        Err(Wrong::page(StatusCode::FORBIDDEN, "You are not signed in", text))
    }

    async fn begin_in_browser(&self, signed_in: &SignedIn) -> Result<Response<Bytes>, Wrong> {
        let begun = self.begin(SessionKind::Browser, signed_in, false).await?;
        // Not a redirect: the way here led over another site, and browsers would keep the cookie back.
        let body = "<p><a class=\"yes\" href=\"/sign-in\">Go on</a></p>";
        let answer = framed(BASE, StatusCode::OK, "You are signed in", body, Some("/sign-in"));
        let (name, secret, secure) = (self.cookie_name(), opened(&begun.secret), self.secure());
        let seconds = begun.seconds;
        let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
        Ok(with_cookie_of(answer, &cookie))
    }

    async fn leave(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        let refused =
            || Wrong::page(StatusCode::FORBIDDEN, "That did not work", "Open the page again, and sign out there.");
        let form = Parameters::of_form(visit)?;
        let known = self.known(&visit.headers).await.ok_or_else(refused)?;
        let csrf = form.get("csrf").unwrap_or_default();
        if self.is_from_elsewhere(visit) || !known.session.csrf.is(csrf.as_bytes()) {
            return Err(refused());
        }
        self.sign_out(&known).await?;
        let body = "<p>What you did here is over. At your identity provider you may still be signed in.</p>";
        let answer = framed(BASE, StatusCode::OK, "You are signed out", body, None);
        let (name, secure) = (self.cookie_name(), self.secure());
        Ok(with_cookie_of(answer, &format!("{name}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{secure}")))
    }

    /// The provider says by itself that somebody left (OpenID Connect Back-Channel Logout 1.0).
    async fn told_of_logout(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        let refused = || Wrong::client("invalid_request", "it is no logout token for this gate");
        let form = Parameters::of_form(visit)?;
        let token = form.get("logout_token").ok_or_else(refused)?;
        let out = self.relying.logged_out(token).await.map_err(|error| {
            tracing::info!(why = model::with_causes(&error), "a logout token is not believed");
            refused()
        })?;
        let issuer = self.relying.provider().issuer.clone();
        let expires = Timestamp(out.expires.saturating_add(self.relying.provider().skew).saturating_mul(1_000));
        if !self.port.spend_once(&out.once(&issuer, "people"), expires, self.now()).await? {
            return Err(refused());
        }
        let change = || self.change(model::Actor::Gate, "the identity provider says that the person left");
        let mut ended = 0;
        if let Some(session) = out.session {
            ended =
                self.port.end_sessions(EndedSession::Provider { issuer: issuer.clone(), session }, change()).await?;
        }
        if let Some(subject) = out.subject.filter(|_| ended == 0) {
            self.port.end_sessions(EndedSession::Subject { issuer, subject }, change()).await?;
        }
        Ok(site::document(StatusCode::OK, "text/plain", ""))
    }

    pub(super) fn is_from_elsewhere(&self, visit: &Visit) -> bool {
        visit.is_from_elsewhere(&self.terms().url)
    }

    fn secure(&self) -> &'static str {
        if self.is_secure() { "; Secure" } else { "" }
    }

    fn own_cookie_name(&self, what: &str) -> String {
        let host = if self.is_secure() { "__Host-" } else { "" };
        format!("{host}portcullis-{what}")
    }

    /// A cookie of these pages beside the session's.
    pub(super) fn own_cookie<'v>(&self, visit: &'v Visit, what: &str) -> Option<&'v str> {
        visit.cookie(&self.own_cookie_name(what))
    }

    pub(super) fn with_own_cookie(
        &self,
        answer: Response<Bytes>,
        what: &str,
        value: &str,
        same_site: &str,
    ) -> Response<Bytes> {
        let (name, secure) = (self.own_cookie_name(what), self.secure());
        with_cookie_of(answer, &format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}{secure}"))
    }
}

#[async_trait]
impl Site for Entrance {
    fn serves(&self, path: &str) -> bool {
        path == BASE || path.starts_with("/sign-in/")
    }

    async fn answer(&self, visit: Visit) -> Response<Bytes> {
        if !self.sources.admits(visit.source, self.now()) {
            return Wrong::too_many().told_at(BASE);
        }
        match self.route(&visit).await {
            Ok(response) => response,
            Err(wrong) => wrong.told_at(BASE),
        }
    }
}
