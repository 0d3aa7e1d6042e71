//! What the façade's tokens are good for: calls at one endpoint, by the agent and for the person, until the sign-in ends.

use http::HeaderMap;
use serde_json::json;

use super::facade_clients::lobby;
use super::person::{GATE, Page as _, Place, resource};
use super::provider::seconds;
use super::{challenge, client, metadata, parameter, read_as};
use crate::gate::bearer;

#[tokio::test]
async fn a_client_finds_its_way_from_the_endpoint_to_a_call_in_a_persons_name() {
    let place = Place::start().await;
    let reply = read_as(&place.gate, "desk", HeaderMap::new()).await;
    assert_eq!(reply.status, 401);
    let told = parameter(&challenge(&reply), "resource_metadata").unwrap();
    assert_eq!(told, format!("{GATE}/.well-known/oauth-protected-resource/desk/mcp"));
    let said = metadata(&place.gate, "desk").await;
    assert_eq!(said["authorization_servers"], json!([GATE]));
    assert_eq!(said["resource"], resource("desk"));

    let tokens = place.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let reply = client(&place.gate, "desk", access).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.json);
    let receipt = place.gate.receipt(reply.headers["portcullis-receipt"].to_str().unwrap()).await.to_string();
    for named in ["\"helpdesk\"", "\"ana\"", "support"] {
        assert!(receipt.contains(named), "{named} is not in {receipt}");
    }
    let reached = place.gate.desk.seen();
    assert!(!reached.iter().any(|seen| format!("{:?}{:?}", seen.headers, seen.body).contains(access)));
    place.leaks_nothing().await;
}

#[tokio::test]
async fn a_token_ends_at_once_when_its_sign_in_does() {
    let place = Place::start().await;
    for end in ["given back", "logged out", "used twice"] {
        let tokens = place.tokens().await;
        let access = tokens["access_token"].as_str().unwrap();
        let calls = async || read_as(&place.gate, "desk", bearer(access)).await;
        assert_eq!(calls().await.status, 200, "{end}");
        match end {
            "given back" => {
                let form = [("client_id", "editor"), ("token", tokens["refresh_token"].as_str().unwrap())];
                assert_eq!(place.post("/oauth/revoke", &form).await.status, 200);
            }
            "logged out" => {
                let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
                let said = json!({ "aud": "portcullis", "jti": "1", "sub": "s-ana", "events": event });
                let token = place.provider.signs("logout+jwt", &said);
                let heard = place.post("/oauth/backchannel-logout", &[("logout_token", &token)]).await;
                assert_eq!(heard.status, 200, "{}", heard.text());
            }
            _ => {
                place.refresh(&tokens).await;
                assert_eq!(place.refresh(&tokens).await.error(), "invalid_grant");
            }
        }
        let reply = calls().await;
        assert_eq!(reply.status, 401, "{end}");
        assert!(challenge(&reply).contains("invalid_token"), "{end}");
    }
    // What was ended stays so when the gate starts again.
    let tokens = place.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let form = [("client_id", "editor"), ("token", access)];
    assert_eq!(place.post("/oauth/revoke", &form).await.status, 200);
    place.gate.end().await;
    place.gate.again().await;
    assert_eq!(read_as(&place.gate, "desk", bearer(access)).await.status, 401);
}

#[tokio::test]
async fn an_autonomous_agent_acts_for_nobody_and_where_it_is_registered() {
    let place = Place::start().await;
    let desk = resource("desk");
    let proof = place.assertion("robot", "1", &[]);
    let heard = place.by_assertion(&proof, &[("grant_type", "client_credentials"), ("resource", &desk)]).await.json();
    let access = heard["access_token"].as_str().unwrap();
    let reply = read_as(&place.gate, "desk", bearer(access)).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let receipt = place.gate.receipt(reply.headers["portcullis-receipt"].to_str().unwrap()).await.to_string();
    assert!(receipt.contains("\"reconciler\"") && !receipt.contains("\"ana\""), "{receipt}");
}

#[tokio::test]
async fn what_is_not_the_facades_own_token_for_the_endpoint_opens_nothing() {
    let place = Place::of("", |setup| setup.state.push(lobby())).await;
    let tokens = place.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let (head, rest) = access.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let claims = json!({
        "iss": GATE, "aud": resource("desk"), "client_id": "editor", "registration": "editor", "family": "f", "sub": "s",
        "user": "ana", "groups": ["support"], "iat": seconds(), "exp": seconds() + 60,
    });
    let forged = [
        ("a refresh token", refresh.to_owned()),
        ("without its signature", format!("{head}.{body}.")),
        ("with another's body", format!("{head}.{}.{signature}", body.replace('a', "b"))),
        ("of the provider", place.provider.signs("at+jwt", &claims)),
        ("signed by a client", place.robot.sign("at+jwt", claims.as_object().unwrap()).unwrap()),
    ];
    for (what, token) in forged {
        assert_eq!(read_as(&place.gate, "desk", bearer(&token)).await.status, 401, "{what}");
    }
    assert_eq!(read_as(&place.gate, "lobby", bearer(access)).await.status, 401, "another endpoint");
    assert_eq!(read_as(&place.gate, "desk", bearer(access)).await.status, 200);
}

#[tokio::test]
async fn an_open_stream_ends_with_the_sign_in() {
    let place = Place::start().await;
    let tokens = place.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let listener = client(&place.gate, "desk", access);
    let mut news = listener.listen(json!({ "toolsListChanged": true })).await.unwrap();
    let form = [("client_id", "editor"), ("token", access)];
    assert_eq!(place.post("/oauth/revoke", &form).await.status, 200);
    let patience = std::time::Duration::from_secs(20);
    let ended = tokio::time::timeout(patience, async { while let Ok(Some(_)) = news.next().await {} }).await;
    assert!(ended.is_ok(), "the stream goes on");
}
