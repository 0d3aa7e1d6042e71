//! Sessions: begun, found, asked after, ended.

use std::sync::atomic::Ordering;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use model::{Account, Actor, Change, Digest, Role, Secret, StoreError, Timestamp, limits};

use super::{Csrf, Entrance, Known, Present, Session, account, actor};
use crate::bearer::bearer_token;
use crate::facade::answer::Wrong;
use crate::port::{self, EndedSession, FoundSession, Person, SessionKind};
use crate::relying::SignedIn;
use crate::secrets::{opened_bytes, opened_text as opened};
use crate::site::cookie;

/// What a session's token begins with, for whoever looks for tokens where none should be.
const TOKEN: &str = "portcullis-session-";

/// A session that began.
pub(super) struct Begun {
    pub(super) secret: Secret<String>,
    pub(super) seconds: u64,
    pub(super) roles: Vec<Role>,
}

impl Entrance {
    /// The name of a browser's cookie. Over TLS no other host can set one of this name.
    pub(super) fn cookie_name(&self) -> &'static str {
        if self.is_secure() { "__Host-portcullis-session" } else { "portcullis-session" }
    }

    pub(super) fn is_secure(&self) -> bool {
        self.terms().url.starts_with("https://")
    }

    /// Whose session a request is of; nobody's where anything about that is in doubt.
    pub async fn known(&self, headers: &HeaderMap) -> Option<Known> {
        let (kind, secret) = self.shown(headers)?;
        let (id, now) = (kept(kind, secret), self.now());
        let found = self.port.session(&id, now).await;
        let found =
            found.inspect_err(|error| tracing::error!(error = model::with_causes(error), "no session is known"));
        let found = found.ok().flatten().filter(|found| found.session.kind == kind)?;
        let (terms, seen) = (self.terms(), found.seen);
        if kind == SessionKind::Browser && now.milliseconds_since(seen) >= terms.idle_seconds.saturating_mul(1_000) {
            self.end_one(&id, &found.session.person, Actor::Gate, "it was not used").await;
            return None;
        }
        let session = self.vouched(&id, found).await?;
        let roles = terms.roles_of(&session);
        if roles.is_empty() {
            self.end_one(&id, &session.person, Actor::Gate, "the person has no role any more").await;
            return None;
        }
        if now.milliseconds_since(seen) >= limits::PEOPLE_SEEN_MILLISECONDS
            && let Err(error) = self.port.seen_session(&id, now).await
        {
            tracing::error!(error = model::with_causes(&error), "that a session is in use was not noted");
        }
        let csrf = Csrf::of(secret);
        Some(Known { who: actor(&session.person), roles, session: Session { kind, ends: session.ends, csrf, id } })
    }

    /// Ends a session, because its person wants that.
    ///
    /// # Errors
    /// When that could not be kept.
    pub async fn sign_out(&self, known: &Known) -> Result<(), StoreError> {
        let Actor::SignedIn(whose) = &known.who else { return Ok(()) };
        let ended = EndedSession::One { id: known.session.id, whose: whose.clone() };
        self.port.end_sessions(ended, self.change(known.who.clone(), "")).await.map(drop)
    }

    /// Everybody who is in, the newest session first.
    ///
    /// # Errors
    /// When that cannot be read.
    pub async fn present(&self) -> Result<Vec<Present>, StoreError> {
        let (terms, now) = (self.terms(), self.now());
        let is_used = |found: &FoundSession| {
            let idle = now.milliseconds_since(found.seen) >= terms.idle_seconds.saturating_mul(1_000);
            found.session.kind != SessionKind::Browser || !idle
        };
        let present = |FoundSession { session, seen, .. }: FoundSession| Present {
            account: account(&session.person),
            roles: terms.roles_of(&session),
            kind: session.kind,
            begun: session.begun,
            seen,
            ends: session.ends,
        };
        Ok(self.port.sessions(now).await?.into_iter().filter(is_used).map(present).collect())
    }

    /// Ends all sessions of a person, because somebody else wants that; returns how many there were.
    ///
    /// # Errors
    /// When that could not be kept.
    pub async fn send_out(&self, issuer: String, subject: String, change: Change) -> Result<usize, StoreError> {
        self.port.end_sessions(EndedSession::Subject { issuer, subject }, change).await
    }

    /// What a request shows: one thing or the other. A token beside a cookie is the token.
    fn shown<'h>(&self, headers: &'h HeaderMap) -> Option<(SessionKind, &'h [u8])> {
        if headers.contains_key(AUTHORIZATION) {
            let token = bearer_token(headers).ok().filter(|token| token.starts_with(TOKEN.as_bytes()))?;
            return Some((SessionKind::CommandLine, token));
        }
        Some((SessionKind::Browser, cookie(headers, self.cookie_name())?.as_bytes()))
    }

    /// Begins a session for whoever signed in, with these roles or with none at all.
    pub(super) async fn begin(&self, kind: SessionKind, signed_in: &SignedIn, first: bool) -> Result<Begun, Wrong> {
        let (terms, person, begun) = (self.terms(), signed_in.person.clone(), self.now());
        let upstream = match &signed_in.refresh {
            None => None,
            Some(refresh) => Some(self.seal_upstream(&person, refresh).await?),
        };
        let wanted = match kind {
            SessionKind::Browser => terms.session_seconds,
            SessionKind::CommandLine => terms.command_line_seconds,
        };
        // Nobody could say whether they still are who they were.
        let most = if upstream.is_some() { wanted } else { limits::PEOPLE_UNCHECKED_SECONDS_MAX };
        let seconds = wanted.min(most);
        let ends = Timestamp(begun.0.saturating_add(seconds.saturating_mul(1_000)));
        let session = port::Session { kind, person, first, upstream, begun, ends };
        let (roles, who) = (terms.roles_of(&session), actor(&session.person));
        if roles.is_empty() {
            self.port.refuse_person(self.change(who, "")).await?;
            return Err(no_role());
        }
        let fresh = self.fresh();
        let secret = match kind {
            SessionKind::Browser => fresh,
            SessionKind::CommandLine => Secret::new(format!("{TOKEN}{}", opened(&fresh))),
        };
        let id = kept(kind, opened(&secret).as_bytes());
        self.port.begin_session(id, session, &roles, self.change(who, "")).await?;
        Ok(Begun { secret, seconds, roles })
    }

    /// The session, if its person still is who they were; the provider is asked when its word is old.
    async fn vouched(&self, id: &Digest, found: FoundSession) -> Option<port::Session> {
        let check = self.terms().check_seconds.saturating_mul(1_000);
        if self.now().milliseconds_since(found.checked) < check {
            return Some(found.session);
        }
        let Some(sealed) = found.session.upstream.clone() else { return self.unvouched(id, found).await };
        if self.now().0 < self.away_until.load(Ordering::Relaxed) {
            return self.unvouched(id, found).await;
        }
        // One at a time: the provider's refresh token may be good once. Who waited for another's question takes its answer.
        let _turn = self.turns.of(id).lock().await;
        let now = self.port.session(id, self.now()).await.ok().flatten()?;
        if now.session.upstream.as_ref() != Some(&sealed) || now.checked != found.checked {
            return Some(now.session);
        }
        self.ask_again(id, now, &sealed).await
    }

    async fn ask_again(&self, id: &Digest, found: FoundSession, sealed: &str) -> Option<port::Session> {
        let person = &found.session.person;
        let refresh = match self.open_upstream(person, sealed).await {
            Ok(refresh) => refresh,
            Err(why) => {
                tracing::error!(why, "what a person is asked after with does not open");
                self.end_one(id, person, Actor::Gate, "nobody can ask after the person").await;
                return None;
            }
        };
        match self.relying.ask_again(&refresh, person).await {
            Ok(again) => {
                let mut session = found.session.clone();
                if let Some(refresh) = &again.refresh {
                    session.upstream = self.seal_upstream(person, refresh).await.ok();
                }
                session.person = again.person.unwrap_or(session.person);
                let kept = self.port.checked_session(id, session.clone(), self.now()).await;
                kept.inspect_err(|error| tracing::error!(error = model::with_causes(error), "a check was not kept"))
                    .ok()?;
                Some(session)
            }
            Err(error) if error.is_final() => {
                tracing::info!(why = model::with_causes(&error), "the identity provider vouches for somebody no more");
                self.end_one(id, person, Actor::Gate, "the identity provider vouches for the person no more").await;
                None
            }
            Err(error) => {
                tracing::warn!(why = model::with_causes(&error), "the identity provider cannot be asked about people");
                let until = self.now().0.saturating_add(limits::PEOPLE_PROVIDER_AWAY_MILLISECONDS);
                self.away_until.store(until, Ordering::Relaxed);
                self.unvouched(id, found).await
            }
        }
    }

    /// A session without the provider's word: it goes on for a while.
    async fn unvouched(&self, id: &Digest, found: FoundSession) -> Option<port::Session> {
        let most = limits::PEOPLE_UNCHECKED_SECONDS_MAX.saturating_mul(1_000);
        if self.now().milliseconds_since(found.checked) < most {
            return Some(found.session);
        }
        let why = "the identity provider could not be asked about the person for too long";
        self.end_one(id, &found.session.person, Actor::Gate, why).await;
        None
    }

    async fn end_one(&self, id: &Digest, person: &Person, by: Actor, why: &str) {
        let whose: Account = account(person);
        let ended = self.port.end_sessions(EndedSession::One { id: *id, whose }, self.change(by, why)).await;
        if let Err(error) = ended {
            // It counts no more all the same: each time it is shown, the same is found out.
            tracing::error!(error = model::with_causes(&error), "the end of a session was not kept");
        }
    }

    async fn seal_upstream(&self, person: &Person, refresh: &Secret<String>) -> Result<String, Wrong> {
        let plain = Secret::new(opened(refresh).to_owned().into_bytes());
        Ok(self.vault.seal(&purpose(person), &plain).await?.to_string())
    }

    async fn open_upstream(&self, person: &Person, sealed: &str) -> Result<Secret<String>, String> {
        let sealed = sealed.parse().map_err(|error| model::with_causes(&error))?;
        let plain = self.vault.open(&purpose(person), &sealed).await.map_err(|error| model::with_causes(&error))?;
        Ok(Secret::new(String::from_utf8_lossy(opened_bytes(&plain)).into_owned()))
    }
}

/// What a session is kept under. Its kind is part of it, so that the secret of one kind is none of the other.
fn kept(kind: SessionKind, secret: &[u8]) -> Digest {
    Digest::of(&[b"portcullis session ", kind.as_str().as_bytes(), b"\n", secret].concat())
}

/// What the vault is told that a provider's refresh token is for.
fn purpose(person: &Person) -> String {
    format!("people upstream {} {}", person.issuer, person.subject)
}

/// What whoever has no role hears: nothing of the gate but that.
fn no_role() -> Wrong {
    let text = "Nobody gave you a role on this gate. Ask its administrators for one.";
    Wrong::page(http::StatusCode::FORBIDDEN, "You may not come in", text)
}
