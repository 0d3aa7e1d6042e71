//! What a resource server must do (MCP 2026-07-28, authorization; RFC 9728, RFC 8707, RFC 6750), row by row: R1 to R14 of the
//! project's checklist, each through the front door.

use http::HeaderMap;
use serde_json::{Value, json};

use super::issuer::now;
use super::{Company, DESK, PUBLIC, challenge, client, metadata, parameter, read_as, with};
use crate::client::eventually;
use crate::gate::files::{ANA, DESK_CREDENTIAL, endpoint, policies_at};
use crate::gate::{Gate, Setup, name, value};
use crate::session::Line;
use crate::verdict::{
    ARGUMENTS_INVALID, ENDPOINT_NOT_FOUND, HEADER_MISMATCH, HOST_UNKNOWN, ORIGIN_REFUSED, PATH_UNKNOWN, POLICY_FORBIDS,
    SCOPE_MISSING, SESSION_UNKNOWN, UNAUTHENTICATED, passes, receipt_id,
};

/// The desk's endpoint with demands, and a second one to the same server for which Ana's agent is not registered.
fn demanding(demands: &str) -> Vec<(String, String)> {
    let desk = endpoint("desk", "desk") + "\n[authentication]\n" + demands;
    vec![("endpoints/desk.toml".to_owned(), desk)]
}

/// The answer turns somebody away whose token is no good, and says where there are others.
async fn no_good(company: &Company, reply: &drill::mcp::Reply) {
    company.gate.turns_away(reply, UNAUTHENTICATED).await;
    let told = challenge(reply);
    assert!(told.starts_with("Bearer "), "{told}");
    assert_eq!(parameter(&told, "error").as_deref(), Some("invalid_token"), "{told}");
    let at = format!("{PUBLIC}/.well-known/oauth-protected-resource/desk/mcp");
    assert_eq!(parameter(&told, "resource_metadata").as_deref(), Some(at.as_str()), "{told}");
}

#[tokio::test]
async fn r01_metadata_says_who_issues_tokens_for_an_endpoint_and_tells_nothing_of_which_there_are() {
    let company = Company::start().await;
    let desk = metadata(&company.gate, "desk").await;
    assert_eq!(desk["resource"], DESK);
    assert_eq!(desk["authorization_servers"], json!([company.issuer.url()]));
    assert_eq!(desk["bearer_methods_supported"], json!(["header"]));
    // One that is not there is told in the same words.
    let nowhere = metadata(&company.gate, "nowhere").await;
    assert_eq!(nowhere.to_string(), desk.to_string().replace("/desk/", "/nowhere/"));
    // So is the challenge for somebody without a token.
    let stranger = async |endpoint: &str| {
        let reply = read_as(&company.gate, endpoint, HeaderMap::new()).await;
        company.gate.turns_away(&reply, UNAUTHENTICATED).await;
        challenge(&reply)
    };
    let told = stranger("desk").await;
    assert_eq!(parameter(&told, "error"), None, "who shows nothing did nothing wrong: {told}");
    assert_eq!(stranger("nowhere").await, told.replace("/desk/", "/nowhere/"));
    // Metadata is at no other path, and for nobody who addresses another host.
    let other = ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/desk", "/desk/mcp"];
    for path in
        other.iter().copied().chain(["/.well-known/oauth-protected-resource/de%73k/mcp", "/.well-known/x/desk/mcp"])
    {
        let heard = company.gate.send(company.gate.agents(), "GET", path, HeaderMap::new(), "").await;
        assert!(heard.status.is_client_error(), "{path}: {}", heard.status);
    }
    let foreign = HeaderMap::from_iter([(name("host"), value("attacker.example"))]);
    let path = "/.well-known/oauth-protected-resource/desk/mcp";
    let heard = company.gate.send(company.gate.agents(), "GET", path, foreign, "").await;
    company.gate.turns_away(&heard.into(), HOST_UNKNOWN).await;
}

#[tokio::test]
async fn r02_a_token_for_this_endpoint_passes_and_its_agent_and_person_are_in_the_receipt() {
    let company = Company::start().await;
    let reply = company.read(&company.issuer.token(&json!({}))).await;
    passes(&reply);
    let receipt = company.gate.receipt(receipt_id(&reply)).await;
    let who = &receipt["record"]["event"]["who"];
    assert_eq!(who, &json!({ "agent": "helpdesk", "kind": "delegated", "user": "ana" }), "{receipt:#}");
    let autonomous = json!({ "client_id": "client-of-reconciler", "sub": "client-of-reconciler", "groups": null });
    let reply = company.read(&company.issuer.token(&autonomous)).await;
    passes(&reply);
    let receipt = company.gate.receipt(receipt_id(&reply)).await;
    assert_eq!(receipt["record"]["event"]["who"], json!({ "agent": "reconciler", "kind": "autonomous" }));
    // Development tokens go on beside it, on loopback.
    passes(&company.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
}

#[tokio::test]
async fn r02_a_token_for_anything_else_or_at_another_time_is_refused_with_a_challenge() {
    let company = Company::start().await;
    for edits in [
        json!({ "aud": format!("{PUBLIC}/bank/mcp") }),
        json!({ "aud": PUBLIC }),
        json!({ "aud": format!("{DESK}/") }),
        json!({ "aud": [DESK, "https://crm.example"] }),
        json!({ "aud": null }),
        json!({ "exp": now() - 60 }),
        json!({ "nbf": now() + 300 }),
        json!({ "iss": "https://elsewhere.example" }),
        json!({ "client_id": "nobody-registered" }),
    ] {
        let reply = company.read(&company.issuer.token(&edits)).await;
        no_good(&company, &reply).await;
    }
    assert_eq!(company.gate.desk.calls(), 0);
}

#[tokio::test]
async fn r02_an_agent_finds_an_endpoint_that_it_is_not_registered_for_like_one_that_is_not_there() {
    let state = vec![
        ("endpoints/lobby.toml".to_owned(), endpoint("lobby", "desk")),
        ("policies/lobby.cedar".to_owned(), policies_at("lobby")),
    ];
    let company = Company::with(state).await;
    let at = async |place: &str| {
        let token = company.issuer.token(&json!({ "aud": format!("{PUBLIC}/{place}/mcp") }));
        read_as(&company.gate, place, with(&token)).await
    };
    // With a development token it is there.
    let params = json!({ "ticket": "1" });
    assert_ne!(company.gate.client_at("lobby", ANA).call("read_ticket", params).await.unwrap().status, 404);
    let (lobby, nowhere) = (at("lobby").await, at("nowhere").await);
    company.gate.refuses(&lobby, ENDPOINT_NOT_FOUND).await;
    company.gate.refuses(&nowhere, ENDPOINT_NOT_FOUND).await;
    assert_eq!(lobby.headers.get("www-authenticate"), None);
    let text = |reply: &drill::mcp::Reply| reply.json.to_string().replace(receipt_id(reply), "");
    assert_eq!(text(&lobby), text(&nowhere));
    // One that is registered nowhere finds nothing either.
    let crowd = company.issuer.token(&json!({ "client_id": "client-of-crowd" }));
    company.gate.refuses(&company.read(&crowd).await, ENDPOINT_NOT_FOUND).await;
}

#[tokio::test]
async fn r03_the_callers_token_never_reaches_a_server() {
    let issuer = super::issuer::TestIssuer::start().await;
    let listener = format!("public_url = \"{PUBLIC}\"\n");
    let (settings, state) = (issuer.settings(), super::agents(&issuer.url()));
    let gate = Gate::with(Setup { settings, listener, state, guarded: true, ..Setup::default() }).await;
    let token = issuer.token(&json!({}));
    passes(&client(&gate, "desk", &token).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    let seen = gate.desk.forwarded().pop().unwrap();
    assert_eq!(seen.headers["authorization"], format!("Bearer {DESK_CREDENTIAL}"));
    let signature = token.rsplit('.').next().unwrap();
    assert!(!format!("{:?}{:?}", seen.headers, seen.body).contains(signature));
}

#[tokio::test]
async fn r04_every_request_has_its_token_in_the_one_header_for_it() {
    let company = Company::start().await;
    let token = company.issuer.token(&json!({}));
    let session = Line::bearing(&company.gate, "desk", &token).begin(json!({})).await;
    passes(&session.read_ticket().await);
    // A session is no token: not for a message, not for a stream, not for its end.
    let nobody = session.with(Line::bearing(&company.gate, "desk", "nobody"));
    for reply in [nobody.read_ticket().await, nobody.listen().await.whole().await, nobody.delete().await] {
        company.gate.turns_away(&reply, UNAUTHENTICATED).await;
    }
    // In a URL it is never looked for.
    for query in [format!("access_token={token}"), format!("token={token}")] {
        let heard =
            company.gate.send(company.gate.agents(), "POST", &format!("/desk/mcp?{query}"), HeaderMap::new(), "").await;
        company.gate.turns_away(&heard.into(), PATH_UNKNOWN).await;
    }
    // Neither is one in another header, nor two of them.
    for header in ["x-authorization", "proxy-authorization", "cookie"] {
        let who = HeaderMap::from_iter([(name(header), value(&format!("Bearer {token}")))]);
        company.gate.turns_away(&company.read_as(who).await, UNAUTHENTICATED).await;
    }
    let mut both = with(&token);
    both.append("authorization", value(&format!("Bearer {token}")));
    assert_eq!(both.get_all("authorization").iter().count(), 2);
    company.gate.turns_away(&company.read_as(both).await, UNAUTHENTICATED).await;
    passes(&session.read_ticket().await);
}

#[tokio::test]
async fn r05_scopes_that_are_missing_are_told_at_once_to_those_who_may_connect() {
    let company = Company::of(
        super::issuer::TestIssuer::start().await,
        "scopes = [\"mcp\"]\n",
        demanding("scopes = [\"desk:read\", \"desk:write\"]\n"),
    )
    .await;
    let stranger = company.read_as(HeaderMap::new()).await;
    assert_eq!(parameter(&challenge(&stranger), "scope").as_deref(), Some("mcp"));
    let few = company.read(&company.issuer.token(&json!({ "scope": "mcp desk:read" }))).await;
    company.gate.refuses(&few, SCOPE_MISSING).await;
    let told = challenge(&few);
    assert_eq!(parameter(&told, "error").as_deref(), Some("insufficient_scope"), "{told}");
    assert_eq!(parameter(&told, "scope").as_deref(), Some("desk:read desk:write"), "{told}");
    assert!(parameter(&told, "resource_metadata").is_some(), "{told}");
    passes(&company.read(&company.issuer.token(&json!({ "scope": "mcp desk:write desk:read" }))).await);
    // Who may not connect is told nothing of scopes.
    let guest = json!({ "client_id": "client-of-visitor", "sub": "carl", "groups": ["guests"] });
    let guest = company.read(&company.issuer.token(&guest)).await;
    company.gate.refuses(&guest, ENDPOINT_NOT_FOUND).await;
    assert_eq!(guest.headers.get("www-authenticate"), None);
}

#[tokio::test]
async fn r06_scopes_permit_nothing_that_policy_does_not() {
    let company = Company::start().await;
    let bob = json!({ "sub": "bob", "groups": ["interns"], "scope": "admin all * desk:refund mcp" });
    let bob = company.client(&company.issuer.token(&bob));
    passes(&bob.call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    let refund = bob.call("refund", json!({ "order": "1", "amount": 1 })).await.unwrap();
    company.gate.refuses(&refund, POLICY_FORBIDS).await;
    let none = company.issuer.token(&json!({ "scope": null }));
    passes(&company.client(&none).call("refund", json!({ "order": "1", "amount": 1 })).await.unwrap());
}

#[tokio::test]
async fn r07_no_challenge_and_no_metadata_names_more_than_is_asked_for() {
    let issuer = super::issuer::TestIssuer::start().await;
    let company = Company::of(issuer, "scopes = [\"mcp\"]\n", demanding("scopes = [\"desk:read\"]\n")).await;
    let said = metadata(&company.gate, "desk").await;
    assert_eq!(said["scopes_supported"], json!(["mcp"]), "what an endpoint asks for is told to its callers alone");
    let reply = company.read(&company.issuer.token(&json!({}))).await;
    for text in [said.to_string(), challenge(&reply), challenge(&company.read_as(HeaderMap::new()).await)] {
        assert!(!text.contains("offline_access") && !text.contains('*') && !text.contains("openid"), "{text}");
    }
    let without = Company::start().await;
    assert_eq!(metadata(&without.gate, "desk").await.get("scopes_supported"), None);
}

#[tokio::test]
async fn r08_what_a_caller_had_to_ask_for_more_stands_in_receipts_that_answers_name() {
    let company = Company::with(demanding("scopes = [\"desk:read\"]\n")).await;
    let refused = company.read(&company.issuer.token(&json!({}))).await;
    let event = company.gate.refuses(&refused, SCOPE_MISSING).await;
    assert_eq!(event["who"]["user"], "ana");
    let elevated = company.read(&company.issuer.token(&json!({ "scope": "desk:read" }))).await;
    passes(&elevated);
    assert_ne!(receipt_id(&elevated), receipt_id(&refused));
    assert_eq!(company.gate.receipt(receipt_id(&elevated)).await["record"]["event"]["who"]["user"], "ana");
}

#[tokio::test]
async fn r09_a_page_cannot_use_a_token_from_its_own_origin() {
    let company = Company::start().await;
    let mut who = with(&company.issuer.token(&json!({})));
    who.insert("origin", value("https://attacker.example"));
    company.gate.turns_away(&company.read_as(who).await, ORIGIN_REFUSED).await;
}

#[tokio::test]
async fn r10_headers_and_body_that_differ_are_refused_with_any_token() {
    let company = Company::start().await;
    let client = company.client(&company.issuer.token(&json!({})));
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let mut headers = client.headers("tools/call", &params);
    headers.insert("mcp-name", value("refund"));
    let reply = client.raw(client.body("tools/call", params).to_string(), headers).await.unwrap();
    company.gate.refuses(&reply, HEADER_MISMATCH).await;
}

#[tokio::test]
async fn r11_arguments_are_validated_whatever_the_token_says() {
    let company = Company::start().await;
    let client = company.client(&company.issuer.token(&json!({ "scope": "admin" })));
    let reply = client.call("refund", json!({ "order": "1", "amount": "1" })).await.unwrap();
    company.gate.refuses(&reply, ARGUMENTS_INVALID).await;
    assert_eq!(company.gate.desk.calls(), 0);
}

#[tokio::test]
async fn r12_a_session_is_good_for_the_agent_and_person_that_began_it_and_for_their_next_tokens() {
    let company = Company::start().await;
    let session = Line::bearing(&company.gate, "desk", &company.issuer.token(&json!({}))).begin(json!({})).await;
    let bearing = |edits: Value| Line::bearing(&company.gate, "desk", &company.issuer.token(&edits));
    // The same person with a newer token goes on; nobody else does, however good their token is.
    passes(&session.with(bearing(json!({ "jti": "another" }))).read_ticket().await);
    let bob = session.with(bearing(json!({ "sub": "bob", "groups": ["interns"] })));
    company.gate.refuses(&bob.read_ticket().await, SESSION_UNKNOWN).await;
    let desktop = session.with(bearing(json!({ "client_id": "client-of-desktop" })));
    company.gate.refuses(&desktop.read_ticket().await, SESSION_UNKNOWN).await;
}

#[tokio::test]
async fn r13_no_token_is_kept_or_told_anywhere() {
    let company = Company::start().await;
    let good = company.issuer.token(&json!({}));
    let bad = company.issuer.token(&json!({ "aud": "https://elsewhere.example" }));
    passes(&company.read(&good).await);
    no_good(&company, &company.read(&bad).await).await;
    company.gate.turns_away(&company.read_as(with("no-token-at-all")).await, UNAUTHENTICATED).await;
    company.gate.end().await;
    for token in [&good, &bad] {
        let signature = token.rsplit('.').next().unwrap();
        let claims = token.split('.').nth(1).unwrap();
        for part in [signature, claims] {
            assert!(!company.gate.output().contains(part), "the log holds a token");
            for (file, bytes) in company.gate.kept() {
                let holds = bytes.windows(part.len()).any(|window| window == part.as_bytes());
                assert!(!holds, "{} holds a token", file.display());
            }
        }
    }
}

#[tokio::test]
async fn r14_keys_are_never_fetched_without_tls_from_anywhere_but_loopback() {
    let issuer = super::issuer::TestIssuer::start().await;
    issuer.tell(Some(json!({ "issuer": issuer.url(), "jwks_uri": "http://10.1.2.3/keys" })));
    let company = Company::of(issuer, "", Vec::new()).await;
    no_good(&company, &company.read(&company.issuer.token(&json!({}))).await).await;
    let said = || company.gate.output();
    eventually("the log says why", || said().contains("without TLS")).await;
    assert_eq!(company.issuer.asked("/keys"), 0);
}
