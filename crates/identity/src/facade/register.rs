//! Clients that register by themselves (RFC 7591). Off unless settings name the agent that such clients are, because anybody can
//! do it and call themselves what they like.

use bytes::Bytes;
use http::{Response, StatusCode};
use model::limits;
use serde_json::{Value, json};

use super::Facade;
use super::answer::Wrong;
use super::client::Redirects;
use crate::json;
use crate::port::Registered;
use crate::site::{self, Visit};

pub(super) async fn run(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    register(facade, visit).await.map_err(Wrong::for_client)
}

async fn register(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    if facade.terms.registration.is_none() {
        let (status, error) = (StatusCode::FORBIDDEN, "access_denied");
        return Err(Wrong::Client { status, error, description: "clients do not register by themselves here" });
    }
    let wrong = |description| Wrong::client("invalid_client_metadata", description);
    let members = json::object(&visit.body, limits::CLIENT_DOCUMENT_BYTES_MAX);
    let members = members.map_err(|_| wrong("the body is no strict JSON object, or too long"))?;
    let method = members.get("token_endpoint_auth_method").map(Value::as_str);
    if !matches!(method, None | Some(Some("none"))) {
        return Err(wrong("only public clients register by themselves: `token_endpoint_auth_method` is `none`"));
    }
    let redirects: Option<Vec<String>> = members
        .get("redirect_uris")
        .and_then(Value::as_array)
        .and_then(|listed| listed.iter().map(|one| one.as_str().map(str::to_owned)).collect());
    let redirects = redirects.filter(|listed| (1..=limits::CLIENT_REDIRECTS_MAX).contains(&listed.len()));
    let no_redirect = || Wrong::client("invalid_redirect_uri", "`redirect_uris` are `https`, or of this machine");
    let redirects = redirects.ok_or_else(no_redirect)?;
    Redirects::new(redirects.clone()).map_err(|_| no_redirect())?;
    let name = members.get("client_name").and_then(Value::as_str).unwrap_or("An application without a name");
    if name.len() > limits::NAME_BYTES_MAX {
        return Err(wrong("`client_name` is too long"));
    }
    let client = Registered {
        id: format!("dynamic-{:032x}", facade.entropy.bits()),
        name: name.to_owned(),
        redirects,
        at: facade.now(),
    };
    let answer = json!({
        "client_id": client.id,
        "client_name": client.name,
        "redirect_uris": client.redirects,
        "client_id_issued_at": client.at.0 / 1_000,
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    });
    facade.port.register(client, facade.change()).await?;
    Ok(site::json(StatusCode::CREATED, &answer))
}
