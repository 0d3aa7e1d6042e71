//! The command line: a person signs in with their browser, and a command gets a session of its own.
//!
//! Where the browser is on the same machine ([RFC 8252] §7.3), the command waits at a port of loopback, and a page asks first:
//! it names what is let in and for how long. What comes to that port is a code that is good once, for a minute, with the PKCE
//! verifier that the command alone knows. Where there is no browser, the identity provider's own way for devices is taken, if
//! it has one ([`crate::relying::device`]); the code that a person types is the provider's.
//!
//! [RFC 8252]: https://www.rfc-editor.org/rfc/rfc8252

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use model::{Digest, Secret, Timestamp, limits};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::pages::{BASE, On};
use super::{Entrance, locked};
use crate::facade::answer::Wrong;
use crate::facade::pages::{fact, framed, note};
use crate::facade::{pkce, with_parameters};
use crate::port::SessionKind;
use crate::relying::device::Polled;
use crate::relying::trip::{TripError, sealed, unsealed};
use crate::relying::{RelyingError, SignedIn};
use crate::secrets::opened_text as opened;
use crate::site::{self, Parameters, Visit, escaped};

/// What a command asked for.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    /// Where it waits, on loopback.
    port: u16,
    /// What it wants back.
    state: String,
    /// The PKCE challenge (S256).
    challenge: String,
    until: Timestamp,
}

/// Commands that wait for their person.
#[derive(Default)]
pub(super) struct Waiting {
    codes: HashMap<Digest, Code>,
    devices: HashMap<Digest, Device>,
}

/// Somebody who signed in, for whoever has the code.
struct Code {
    signed_in: SignedIn,
    challenge: String,
    until: Timestamp,
}

/// A sign-in that goes on at the provider.
#[derive(Clone)]
struct Device {
    code: Arc<Secret<String>>,
    source: IpAddr,
    interval: u64,
    next: Timestamp,
    until: Timestamp,
}

/// The lowest port that a command may wait at: the others are those of the system's services.
const PORT_MIN: u16 = 1_024;

impl Asked {
    fn read(parameters: &Parameters, until: Timestamp) -> Option<Self> {
        let port = parameters.get("port")?.parse().ok().filter(|port| *port >= PORT_MIN)?;
        let is_state =
            |state: &&str| (16..=128).contains(&state.len()) && state.bytes().all(|b| b.is_ascii_alphanumeric());
        let state = parameters.get("state").filter(is_state)?.to_owned();
        let challenge = parameters.get("code_challenge").filter(|challenge| pkce::is_challenge(challenge))?.to_owned();
        Some(Self { port, state, challenge, until })
    }
}

impl Entrance {
    /// Asks the person whether a command may act as them. The form is sealed for this browser's cookie, as the façade's is.
    pub(super) fn asked(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        let until = Timestamp(self.now().0.saturating_add(limits::SIGN_IN_MILLISECONDS_MAX));
        let parameters = Parameters::of_query(visit.query.as_deref())?;
        let asked = Asked::read(&parameters, until).ok_or(Wrong::asked(
            "The address is not one that a command of the gate made. Run “portcullis login” again.",
        ))?;
        let cookie = self.seal.seal(self.entropy.bits(), b"people asked").ok_or(TripError::Seal)?;
        let form = sealed(&self.seal, &purpose(&cookie), &asked).ok_or(TripError::Seal)?;
        let minutes = self.terms().command_line_seconds / 60;
        let facts = [
            fact("What", "A command on the machine of this browser"),
            fact("May", "everything that you may, in your name"),
            fact("For", &format!("{minutes} minutes at most")),
        ];
        let body = format!(
            "<dl>{}</dl>{}<form method=\"post\" action=\"/sign-in/command-line\"><input type=\"hidden\" name=\"request\" \
             value=\"{}\"><div class=\"buttons\"><button class=\"yes\" name=\"answer\" value=\"allow\">Go on and sign in\
             </button><button name=\"answer\" value=\"deny\">No</button></div></form>",
            facts.concat(),
            note("Go on only if you just ran “portcullis login” yourself."),
            escaped(&form)
        );
        let page = framed(BASE, StatusCode::OK, "May a command act for you?", &body, None);
        Ok(self.with_own_cookie(page, "asked", &cookie, "Strict"))
    }

    /// The person's answer.
    pub(super) async fn answered(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        let refused =
            || Wrong::asked("The page was not this browser's, or its time is over. Run “portcullis login” again.");
        if self.is_from_elsewhere(visit) {
            return Err(refused());
        }
        let form = Parameters::of_form(visit)?;
        let cookie = self.own_cookie(visit, "asked").ok_or_else(refused)?;
        let asked: Option<Asked> = unsealed(&self.seal, &purpose(cookie), form.get("request").unwrap_or_default());
        let asked = asked.filter(|asked| self.now() < asked.until).ok_or_else(refused)?;
        let onward = |title: &str, target: &str| {
            let body = format!("<p><a class=\"yes\" rel=\"noreferrer\" href=\"{}\">Continue</a></p>", escaped(target));
            framed(BASE, StatusCode::OK, title, &body, Some(target))
        };
        if form.get("answer") != Some("allow") {
            return Ok(onward("Not signed in", &self.back_to(&asked, ("error", "access_denied"))));
        }
        // Not a redirect: what follows a form is held to the form's own site by the page's policy.
        self.send_away(On::CommandLine(asked), |target| onward("You are sent on to sign in", target)).await
    }

    /// Sends the browser back to the command, with a code.
    pub(super) fn give_code(&self, asked: Asked, signed_in: SignedIn) -> Result<Response<Bytes>, Wrong> {
        let (code, now) = (self.fresh(), self.now());
        let (key, target) = (Digest::of(opened(&code).as_bytes()), self.back_to(&asked, ("code", opened(&code))));
        let until = Timestamp(now.0.saturating_add(limits::CODE_MILLISECONDS_MAX));
        let mut waiting = locked(&self.waiting);
        waiting.codes.retain(|_, code| now < code.until);
        if waiting.codes.len() >= limits::PEOPLE_WAITING_MAX {
            return Err(busy());
        }
        let code = Code { signed_in, challenge: asked.challenge, until };
        waiting.codes.insert(key, code);
        Ok(site::redirect(&target))
    }

    /// A code for a session. It is spent before anything else is looked at.
    pub(super) async fn redeem(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        let form = Parameters::of_form(visit)?;
        let (code, now) = (form.get("code").unwrap_or_default(), self.now());
        let found = locked(&self.waiting).codes.remove(&Digest::of(code.as_bytes()));
        let fits = |code: &Code| {
            now < code.until && pkce::fits(form.get("code_verifier").unwrap_or_default(), &code.challenge)
        };
        let found = found.filter(fits).ok_or(Wrong::client("invalid_grant", "the code is not good"))?;
        self.let_in(&form, &found.signed_in).await
    }

    /// Begins a sign-in at the provider, for a command without a browser.
    pub(super) async fn begin_device(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        let now = self.now();
        {
            let mut waiting = locked(&self.waiting);
            waiting.devices.retain(|_, device| now < device.until);
            let own = waiting.devices.values().filter(|device| device.source == visit.source).count();
            if waiting.devices.len() >= limits::PEOPLE_WAITING_MAX || own >= limits::PEOPLE_WAITING_EACH_MAX {
                return Err(Wrong::too_many());
            }
        }
        let begun = match self.relying.begin_device().await {
            Err(RelyingError::Metadata(_)) => {
                return Err(Wrong::client(
                    "unsupported_grant_type",
                    "the identity provider has no sign-in for devices",
                ));
            }
            begun => begun?,
        };
        let (handle, until) = (self.fresh(), Timestamp(now.0.saturating_add(begun.seconds.saturating_mul(1_000))));
        let next = Timestamp(now.0.saturating_add(begun.interval.saturating_mul(1_000)));
        let answer = json!({
            "device": opened(&handle),
            "user_code": begun.user_code,
            "verification_uri": begun.at.as_str(),
            "verification_uri_complete": begun.at_whole.as_ref().map(Url::as_str),
            "expires_in": begun.seconds,
            "interval": begun.interval,
        });
        let device = Device { code: Arc::new(begun.code), source: visit.source, interval: begun.interval, next, until };
        locked(&self.waiting).devices.insert(Digest::of(opened(&handle).as_bytes()), device);
        Ok(site::json(StatusCode::OK, &answer))
    }

    /// Whether the person signed in at the provider: a session, if they did.
    pub(super) async fn poll_device(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        let pending = || Wrong::client("authorization_pending", "nobody signed in yet");
        let too_often = || Wrong::client("slow_down", "ask five seconds later each time");
        let form = Parameters::of_form(visit)?;
        let (key, now) = (Digest::of(form.get("device").unwrap_or_default().as_bytes()), self.now());
        let code = {
            let mut waiting = locked(&self.waiting);
            let found = waiting.devices.get_mut(&key).filter(|device| now < device.until);
            let device = found.ok_or(Wrong::client("expired_token", "the time for it is over"))?;
            if now < device.next {
                device.interval = device.interval.saturating_add(5);
                return Err(too_often());
            }
            device.next = Timestamp(now.0.saturating_add(device.interval.saturating_mul(1_000)));
            Arc::clone(&device.code)
        };
        match self.relying.poll_device(&code).await {
            Ok(Polled::Pending) => Err(pending()),
            Ok(Polled::TooOften) => {
                if let Some(device) = locked(&self.waiting).devices.get_mut(&key) {
                    device.interval = device.interval.saturating_add(5);
                }
                Err(too_often())
            }
            Ok(Polled::Done(signed_in)) => {
                // Of two who ask at once, one alone finds it still there.
                let waited = locked(&self.waiting).devices.remove(&key);
                waited.ok_or(Wrong::client("expired_token", "the time for it is over"))?;
                self.let_in(&form, &signed_in).await
            }
            Err(error) if matches!(error, RelyingError::Refused(_)) || error.is_final() => {
                locked(&self.waiting).devices.remove(&key);
                tracing::info!(why = model::with_causes(&error), "a command line was not signed in");
                Err(Wrong::client("access_denied", "the identity provider did not sign in"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A session of the command line for whoever signed in.
    async fn let_in(&self, form: &Parameters, signed_in: &SignedIn) -> Result<Response<Bytes>, Wrong> {
        let denied = |description| {
            move |wrong| match wrong {
                Wrong::Page { status: StatusCode::FORBIDDEN, .. } => Wrong::client("access_denied", description),
                Wrong::Page { .. } | Wrong::Client { .. } | Wrong::Redirect { .. } | Wrong::Proof { .. } => wrong,
            }
        };
        self.is_as_asked(signed_in).map_err(denied("the gate asks for another way of signing in"))?;
        let first = match form.get("first_code") {
            None => false,
            Some(code) if self.spend_first(code) => true,
            Some(_) => return Err(Wrong::client("access_denied", "the code for the first administrator is not good")),
        };
        let begun = self.begin(SessionKind::CommandLine, signed_in, first).await;
        let begun = begun.map_err(denied("you have no role on this gate"))?;
        let roles: Vec<_> = begun.roles.iter().map(|role| role.as_str()).collect();
        let answer = json!({
            "token": opened(&begun.secret),
            "token_type": "Bearer",
            "expires_in": begun.seconds,
            "name": super::actor(&signed_in.person).to_string(),
            "roles": roles,
        });
        Ok(site::json(StatusCode::OK, &answer))
    }

    fn back_to(&self, asked: &Asked, what: (&str, &str)) -> String {
        let url = self.terms().url.clone();
        let parameters = [what, ("state", &asked.state), ("iss", &url)];
        with_parameters(&format!("http://127.0.0.1:{}/signed-in", asked.port), &parameters)
    }
}

fn purpose(cookie: &str) -> String {
    format!("people asked\n{cookie}")
}

fn busy() -> Wrong {
    Wrong::page(StatusCode::SERVICE_UNAVAILABLE, "Not now", "Too many sign in at this moment. Try again in a minute.")
}
