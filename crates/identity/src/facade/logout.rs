//! The end of what was given out: a client gives it back (RFC 7009), or the identity provider says that somebody left
//! (OpenID Connect Back-Channel Logout 1.0).

use bytes::Bytes;
use http::{Response, StatusCode};
use model::Timestamp;

use super::answer::Wrong;
use super::mint::RefreshToken;
use super::vouching::Leaver;
use super::{Facade, authenticate};
use crate::jwt::{Audience, Rule, Unverified};
use crate::keys::Algorithm;
use crate::port::Ended;
use crate::site::{self, Parameters, Visit};

pub(super) async fn revoke(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    given_back(facade, visit).await.map_err(Wrong::for_client)
}

async fn given_back(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    let form = Parameters::of_form(visit)?;
    let client = authenticate::run(facade, visit, &form).await?.client;
    let token = form.get("token").ok_or(Wrong::client("invalid_request", "there is no `token`"))?;
    let family = match RefreshToken::read(token) {
        Some(token) => {
            let found = facade.port.family(&token.kept().chain, facade.now()).await?;
            found.filter(|family| family.grant.client == client.id).map(|family| family.id)
        }
        None => family_of(facade, token, &client.id),
    };
    if let Some(family) = family {
        let ended = facade.port.end(Ended::Family(family.clone()), facade.change()).await?;
        // Its tokens may be of a grant that keeps no family.
        facade.revocations.add(if ended.is_empty() { vec![family] } else { ended });
    }
    // A token that is unknown is one that is good no more: the client hears the same (RFC 7009 §2.2).
    Ok(site::document(StatusCode::OK, "text/plain", ""))
}

/// The family of an access token of the gate's own, if it is this client's.
fn family_of(facade: &Facade, token: &str, client: &str) -> Option<String> {
    let unread = Unverified::read(token).ok()?;
    let audience = unread.audience()?.to_owned();
    let rule = Rule {
        algorithms: &[Algorithm::Es256],
        typ: &["at+jwt"],
        issuer: facade.issuer(),
        audience: Audience::Includes(&audience),
        skew: 0,
        now: facade.now(),
        required: &["family", "client_id"],
    };
    let claims = unread.verify(&facade.keys.set(), &rule).ok()?;
    claims.text("family").filter(|_| claims.text("client_id") == Some(client)).map(str::to_owned)
}

/// The provider says that somebody left.
pub(super) async fn told(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    left(facade, visit).await.map_err(Wrong::for_client)
}

async fn left(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    let refused = || Wrong::client("invalid_request", "it is no logout token for this gate");
    let form = Parameters::of_form(visit)?;
    let token = form.get("logout_token").ok_or_else(refused)?;
    let out = facade.relying.logged_out(token).await.map_err(|error| {
        let why = model::with_causes(&error);
        tracing::info!(why, "a logout token is not believed");
        refused()
    })?;
    let issuer = facade.relying.provider().issuer.clone();
    let (now, expires) =
        (facade.now(), Timestamp(out.expires.saturating_add(authenticate::SKEW).saturating_mul(1_000)));
    if !facade.port.spend(&out.once(&issuer, "façade"), expires, now).await? {
        return Err(refused());
    }
    let mut ended = Vec::new();
    for leaver in
        [out.session.as_deref().map(Leaver::Session), out.subject.as_deref().map(Leaver::Subject)].into_iter().flatten()
    {
        facade.forget_words(&issuer, leaver).await;
    }
    if let Some(session) = out.session {
        let session = Ended::Session { issuer: issuer.clone(), session };
        ended = facade.port.end(session, facade.change()).await?;
    }
    if let Some(subject) = out.subject.filter(|_| ended.is_empty()) {
        // The person, wherever they are signed in: also where the provider told no session when they came.
        ended = facade.port.end(Ended::Subject { issuer, subject }, facade.change()).await?;
    }
    facade.revocations.add(ended);
    Ok(site::document(StatusCode::OK, "text/plain", ""))
}
