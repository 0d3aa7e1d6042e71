//! An enterprise that vouches for its users: the identity provider's assertion for a client, for an access token here
//! (Enterprise-Managed Authorization; identity assertion authorization grant, ID-JAG; RFC 7523 §2.1).
//!
//! Nobody sees a page: the provider decided. So everything in the assertion must fit: who issued it, for this gate and no
//! other, for this client, for this endpoint; and it is good once. The client proves that it is the one that it was given to.

use bytes::Bytes;
use http::Response;
use model::AgentKind;

use super::Facade;
use super::answer::Wrong;
use super::authenticate::spend;
use super::authorize::narrowed;
use super::client::{Client, Proof};
use super::possession::Possession;
use crate::port::Grant;
use crate::site::Parameters;

pub(super) async fn run(
    facade: &Facade,
    client: &Client,
    form: &Parameters,
    held: Possession,
) -> Result<Response<Bytes>, Wrong> {
    let invalid = || Wrong::client("invalid_grant", "the assertion is not one for this client at this gate");
    if let Proof::Public = client.proof {
        return Err(Wrong::client("unauthorized_client", "a public client cannot come with an assertion"));
    }
    if client.kind != AgentKind::Delegated {
        return Err(Wrong::client("unauthorized_client", "this application acts for nobody"));
    }
    let assertion = form.get("assertion").ok_or(Wrong::client("invalid_request", "there is no `assertion`"))?;
    let claims = facade.relying.vouched(assertion, facade.issuer()).await.map_err(|error| {
        let why = model::with_causes(&error);
        tracing::info!(client = client.id, why, "an identity assertion is not believed");
        invalid()
    })?;
    if claims.text("client_id") != Some(&client.id) {
        return Err(invalid());
    }
    // The audience and the resource are checked as a pair: an assertion for this gate is not one for all of it.
    let resource = match claims.texts("resource").as_deref() {
        Some([resource]) => (*resource).to_owned(),
        Some(_) | None => return Err(invalid()),
    };
    let endpoint = facade.endpoint_of(&resource).filter(|endpoint| client.endpoints.contains(endpoint));
    let endpoint = endpoint.ok_or_else(invalid)?;
    let doorway = facade.directory.endpoint(&endpoint).ok_or_else(invalid)?;
    if form.get("resource").is_some_and(|asked| asked != resource) {
        return Err(Wrong::client("invalid_target", "the assertion is for another resource"));
    }
    let person = facade.relying.person_of(&claims).map_err(|_| invalid())?;
    // What the endpoint knows, the provider allows and the client asks for.
    let allowed = claims.text("scope").map_or_else(Vec::new, |allowed| narrowed(&doorway.scopes, allowed));
    let scopes = form.get("scope").map_or_else(|| allowed.clone(), |asked| narrowed(&allowed, asked));
    // Last, so that what is refused for another reason is not used up; and before anything is given.
    if !spend(facade, &claims).await? {
        return Err(invalid());
    }
    let grant = held.binds(Grant { person: Some(person), ..client.granted(endpoint, scopes) })?;
    // No refresh token: the provider is asked for the next assertion, and so may say no.
    facade.give_once("signin.assertion", grant).await
}
