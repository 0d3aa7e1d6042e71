//! What is given out: an access token of minutes (RFC 9068), and a refresh token that changes with each use.

use bytes::Bytes;
use http::{Response, StatusCode};
use model::{Secret, Timestamp, limits};
use serde_json::{Map, Value, json};

use super::answer::Wrong;
use super::{Facade, kept};
use crate::jwt::seconds;
use crate::port::{Family, Grant, Refresh};
use crate::secrets::opened_text as opened;
use crate::site;

/// The claim of tokens whose client somebody vouches for.
pub const ATTESTED: &str = "attested";

/// A refresh token: two halves, of which the second changes with each use.
pub(super) struct RefreshToken {
    chain: Secret<String>,
    link: Secret<String>,
}

impl RefreshToken {
    /// The first of a family.
    pub(super) fn first(facade: &Facade) -> Self {
        Self { chain: facade.fresh(), link: facade.fresh() }
    }

    /// The next of a family.
    pub(super) fn next(&self, facade: &Facade) -> Self {
        Self { chain: Secret::new(opened(&self.chain).to_owned()), link: facade.fresh() }
    }

    /// What a client sent; `None` for what cannot be one.
    pub(super) fn read(token: &str) -> Option<Self> {
        let (chain, link) = token.split_once('.')?;
        let half = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let secret = |text: &str| Secret::new(text.to_owned());
        (half(chain) && half(link)).then(|| Self { chain: secret(chain), link: secret(link) })
    }

    /// How it is kept.
    pub(super) fn kept(&self) -> Refresh {
        Refresh { chain: kept(opened(&self.chain)), link: kept(opened(&self.link)) }
    }

    fn text(&self) -> String {
        format!("{}.{}", opened(&self.chain), opened(&self.link))
    }
}

impl Facade {
    /// A family that begins now, and lives shorter where nobody can be asked about the person again.
    pub(super) fn family(&self, grant: Grant) -> Family {
        let begun = self.now();
        let lives = match grant.upstream {
            Some(_) => limits::FAMILY_MILLISECONDS_MAX,
            None => limits::FAMILY_UNCHECKED_MILLISECONDS_MAX,
        };
        let id = format!("{:032x}", self.entropy.bits());
        Family { id, grant, begun, ends: Timestamp(begun.0.saturating_add(lives)) }
    }

    /// The answer that gives a client its tokens.
    pub(super) async fn give(
        &self,
        family: &Family,
        scopes: &[String],
        refresh: Option<&RefreshToken>,
    ) -> Result<Response<Bytes>, Wrong> {
        let seconds_max = limits::ACCESS_TOKEN_MILLISECONDS_MAX / 1_000;
        let token = self.access_token(family, scopes, seconds_max).await?;
        let mut answer = json!({
            "access_token": token,
            "token_type": if family.grant.key.is_some() { "DPoP" } else { "Bearer" },
            "expires_in": seconds_max,
            "scope": scopes.join(" "),
        });
        if let (Some(answer), Some(refresh)) = (answer.as_object_mut(), refresh) {
            answer.insert("refresh_token".to_owned(), refresh.text().into());
        }
        Ok(site::json(StatusCode::OK, &answer))
    }

    /// The same for a grant without a refresh token, which the journal is told of as `what`.
    pub(super) async fn give_once(&self, what: &'static str, grant: Grant) -> Result<Response<Bytes>, Wrong> {
        self.port.note(what, grant.clone(), self.change()).await?;
        let scopes = grant.scopes.clone();
        self.give(&self.family(grant), &scopes, None).await
    }

    async fn access_token(&self, family: &Family, scopes: &[String], lives: u64) -> Result<String, Wrong> {
        let (grant, now) = (&family.grant, seconds(self.now()));
        let mut claims = Map::new();
        let mut say = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        say("iss", self.issuer().into());
        say("aud", self.resource(&grant.endpoint).into());
        say("client_id", grant.client.as_str().into());
        say("registration", grant.registration.as_str().into());
        say("family", family.id.as_str().into());
        say("jti", format!("{:032x}", self.entropy.bits()).into());
        say("iat", now.into());
        say("exp", now.saturating_add(lives).into());
        say("scope", scopes.join(" ").into());
        match &grant.person {
            // RFC 9068 §5: where there is no person, the subject is the client, and `user` is not there.
            None => say("sub", grant.registration.as_str().into()),
            Some(person) => {
                say("sub", person.subject.as_str().into());
                say("user", person.user.as_str().into());
                say("groups", person.groups.iter().map(|group| group.as_str()).collect());
                say("amr", person.amr.iter().map(String::as_str).collect());
                if let Some(acr) = &person.acr {
                    say("acr", acr.as_str().into());
                }
                if let Some(auth_time) = person.auth_time {
                    say("auth_time", auth_time.into());
                }
            }
        }
        let bound = [("jkt", &grant.key), ("x5t#S256", &grant.certificate)];
        let bound: Map<String, Value> =
            bound.into_iter().filter_map(|(name, held)| Some((name.to_owned(), held.clone()?.into()))).collect();
        if !bound.is_empty() {
            say("cnf", bound.into());
        }
        if grant.attested {
            say(ATTESTED, true.into());
        }
        self.keys.sign("at+jwt", &claims).await.map_err(|error| {
            let why = model::with_causes(&error);
            tracing::error!(why, "an access token could not be signed");
            Wrong::Client {
                status: StatusCode::SERVICE_UNAVAILABLE,
                error: "server_error",
                description: "try again later",
            }
        })
    }
}
