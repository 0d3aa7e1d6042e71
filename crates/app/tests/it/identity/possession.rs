//! Tokens that are bound to a key (RFC 9449): good with a proof of that key, made now, for this very request, once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use drill::mcp::Reply;
use http::HeaderMap;
use identity::jwt::SigningKey;
use model::Digest;
use serde_json::{Value, json};

use super::issuer::{TestIssuer, now};
use super::person::{GATE, Page as _, Place, REDIRECT, VERIFIER, claims, encoded, parameters, resource};
use super::{Company, DESK, challenge, parameter, read_as};
use crate::gate::files::endpoint;
use crate::gate::{Heard, bearer, name, value};
use crate::verdict::{STEP_UP_REQUIRED, UNAUTHENTICATED, passes};

/// An agent that holds a key.
pub(crate) struct Holder {
    pub(crate) key: SigningKey,
    made: std::cell::Cell<u32>,
}

impl Holder {
    pub(crate) fn new() -> Self {
        Self { key: SigningKey::generate().unwrap(), made: std::cell::Cell::new(0) }
    }

    /// A token that is bound to its key.
    fn token(&self, issuer: &TestIssuer) -> String {
        issuer.token(&json!({ "cnf": { "jkt": self.key.kid() } }))
    }

    /// A right proof for reading a ticket with a token, with edits; `null` takes a claim out.
    pub(crate) fn proof(&self, token: &str, nonce: Option<&str>, edits: &Value) -> String {
        self.signs("dpop+jwt", token, nonce, edits)
    }

    /// The same as a token of this type.
    fn signs(&self, typ: &str, token: &str, nonce: Option<&str>, edits: &Value) -> String {
        self.made.set(self.made.get() + 1);
        let ath = URL_SAFE_NO_PAD.encode(Digest::of(token.as_bytes()).as_bytes());
        let jti = format!("proof-{}", self.made.get());
        let mut claims = json!({ "htm": "POST", "htu": DESK, "iat": now(), "jti": jti, "ath": ath, "nonce": nonce });
        claims.as_object_mut().unwrap().extend(edits.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, said| !said.is_null());
        self.key.prove(typ, claims.as_object().unwrap()).unwrap()
    }
}

pub(crate) fn proven(token: &str, proof: &str) -> HeaderMap {
    HeaderMap::from_iter([(name("authorization"), value(&format!("DPoP {token}"))), (name("dpop"), value(proof))])
}

fn nonce(reply: &Reply) -> String {
    reply.headers["dpop-nonce"].to_str().unwrap().to_owned()
}

/// The answer refuses a proof, says why, and has a nonce for the next.
fn refuses_proof(company: &Company, reply: &Reply, error: &str) -> String {
    company.gate.says(reply, UNAUTHENTICATED);
    let told = challenge(reply);
    assert!(told.starts_with("DPoP "), "{told}");
    assert_eq!(parameter(&told, "error").as_deref(), Some(error), "{told}");
    assert!(parameter(&told, "algs").is_some_and(|algorithms| algorithms.contains("ES256")), "{told}");
    nonce(reply)
}

#[tokio::test]
async fn a_bound_token_is_good_with_a_proof_of_its_key_made_now_for_this_request_once() {
    let company = Company::start().await;
    let holder = Holder::new();
    let token = holder.token(&company.issuer);
    // The first proof cannot know the nonce.
    let first = company.read_as(proven(&token, &holder.proof(&token, None, &json!({})))).await;
    let nonce = refuses_proof(&company, &first, "use_dpop_nonce");
    let right = holder.proof(&token, Some(&nonce), &json!({}));
    passes(&company.read_as(proven(&token, &right)).await);
    refuses_proof(&company, &company.read_as(proven(&token, &right)).await, "invalid_dpop_proof");
    // A nonce is good for more than one proof, for its time.
    passes(&company.read_as(proven(&token, &holder.proof(&token, Some(&nonce), &json!({})))).await);

    let other = holder.token(&company.issuer);
    for (edits, error) in [
        (json!({ "htm": "GET" }), "invalid_dpop_proof"),
        (json!({ "htm": null }), "invalid_dpop_proof"),
        (json!({ "htu": DESK.replace("desk", "lobby") }), "invalid_dpop_proof"),
        (json!({ "htu": format!("{DESK}?x=1") }), "invalid_dpop_proof"),
        (json!({ "htu": null }), "invalid_dpop_proof"),
        (json!({ "iat": now() - 600 }), "invalid_dpop_proof"),
        (json!({ "iat": now() + 600 }), "invalid_dpop_proof"),
        (json!({ "iat": null }), "invalid_dpop_proof"),
        (json!({ "ath": null }), "invalid_dpop_proof"),
        (json!({ "ath": "AAAA" }), "invalid_dpop_proof"),
        (json!({ "jti": null }), "invalid_dpop_proof"),
        (json!({ "jti": "" }), "invalid_dpop_proof"),
        (json!({ "nonce": "invented" }), "use_dpop_nonce"),
    ] {
        let reply = company.read_as(proven(&token, &holder.proof(&token, Some(&nonce), &edits))).await;
        refuses_proof(&company, &reply, error);
    }
    // What the key signed for something else is no proof, and neither is what it did not sign.
    let fresh = || holder.proof(&token, Some(&nonce), &json!({}));
    let (one, another) = (fresh(), fresh());
    let swapped = format!("{}.{}", one.rsplit_once('.').unwrap().0, another.rsplit_once('.').unwrap().1);
    for wrong in [holder.signs("JWT", &token, Some(&nonce), &json!({})), swapped] {
        refuses_proof(&company, &company.read_as(proven(&token, &wrong)).await, "invalid_dpop_proof");
    }
    // A proof for another token, none, two, one by another key, and a token as if it were bound to nobody.
    refuses_proof(
        &company,
        &company.read_as(proven(&token, &holder.proof(&other, Some(&nonce), &json!({})))).await,
        "invalid_dpop_proof",
    );
    let alone = HeaderMap::from_iter([(name("authorization"), value(&format!("DPoP {token}")))]);
    refuses_proof(&company, &company.read_as(alone).await, "invalid_dpop_proof");
    let mut two = proven(&token, &holder.proof(&token, Some(&nonce), &json!({})));
    two.append("dpop", value(&holder.proof(&token, Some(&nonce), &json!({}))));
    refuses_proof(&company, &company.read_as(two).await, "invalid_dpop_proof");
    let thief = Holder::new();
    company
        .gate
        .says(&company.read_as(proven(&token, &thief.proof(&token, Some(&nonce), &json!({})))).await, UNAUTHENTICATED);
    company.gate.says(&company.read(&token).await, UNAUTHENTICATED);
    assert_eq!(company.gate.desk.calls(), 2);
    company.gate.counted("unauthenticated").await;
}

/// The nonce and the error of the token endpoint's answer.
pub(crate) fn asked_again(heard: &Heard, error: &str) -> String {
    assert_eq!((heard.status.as_u16(), heard.error().as_str()), (400, error), "{}", heard.text());
    heard.headers["dpop-nonce"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_that_proves_a_key_gets_tokens_that_nobody_else_can_use() {
    let place = Place::start().await;
    let (own, thief) = (Holder::new(), Holder::new());
    let endpoint = json!({ "htu": format!("{GATE}/oauth/token"), "ath": null });
    let ask = async |holder: &Holder, nonce: Option<&str>, form: &[(&str, &str)]| {
        let proof = holder.proof("", nonce, &endpoint);
        place.send("POST", "/oauth/token", &[("dpop", &proof)], &encoded(form)).await
    };
    let code = place.back(&[]).await["code"].clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "editor"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    // A proof without the gate's nonce uses nothing up.
    let nonce = asked_again(&ask(&own, None, &form).await, "use_dpop_nonce");
    let given = ask(&own, Some(&nonce), &form).await;
    assert_eq!(given.status, 200, "{}", given.text());
    let tokens = given.json();
    assert_eq!(tokens["token_type"], "DPoP");
    assert_eq!(claims(&tokens["access_token"])["cnf"], json!({ "jkt": own.key.kid() }));

    let access = tokens["access_token"].as_str().unwrap();
    let desk = json!({ "htu": resource("desk") });
    let read = async |who: HeaderMap| read_as(&place.gate, "desk", who).await;
    passes(&read(proven(access, &own.proof(access, Some(&nonce), &desk))).await);
    let stolen = proven(access, &thief.proof(access, Some(&nonce), &desk));
    for who in [stolen, bearer(access)] {
        place.gate.says(&read(who).await, UNAUTHENTICATED);
    }

    // Neither can a thief renew it, with a key of their own or with none; the owner can.
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("client_id", "editor"), ("refresh_token", refresh)];
    assert_eq!(ask(&thief, Some(&nonce), &form).await.error(), "invalid_dpop_proof");
    assert_eq!(place.post("/oauth/token", &form).await.error(), "invalid_dpop_proof");
    let renewed = ask(&own, Some(&nonce), &form).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    assert_eq!(claims(&renewed.json()["access_token"])["cnf"], json!({ "jkt": own.key.kid() }));
    assert_eq!(place.gate.desk.calls(), 1);
    place.leaks_nothing().await;
}

#[tokio::test]
async fn a_code_that_was_promised_to_a_key_is_given_to_whoever_holds_it() {
    let place = Place::start().await;
    let (own, thief) = (Holder::new(), Holder::new());
    let code = place.back(&[("dpop_jkt", own.key.kid())]).await["code"].clone();
    let redeem = async |holder: Option<&Holder>, nonce: Option<&str>| {
        let edits = json!({ "htu": format!("{GATE}/oauth/token"), "ath": null });
        let proof = holder.map(|holder| holder.proof("", nonce, &edits));
        let headers: Vec<_> = proof.iter().map(|proof| ("dpop", proof.as_str())).collect();
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "editor"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        place.send("POST", "/oauth/token", &headers, &encoded(&form)).await
    };
    let nonce = asked_again(&redeem(Some(&own), None).await, "use_dpop_nonce");
    // Whoever has the code and the verifier, and another key or none.
    for holder in [Some(&thief), None] {
        assert_eq!(redeem(holder, Some(&nonce)).await.error(), "invalid_dpop_proof");
    }
    let given = redeem(Some(&own), Some(&nonce)).await;
    assert_eq!(given.status, 200, "{}", given.text());
    assert_eq!(claims(&given.json()["access_token"])["cnf"], json!({ "jkt": own.key.kid() }));
    let heard = place.send("GET", &place.authorize(&[("dpop_jkt", "a key")]), &[], "").await;
    assert_eq!(parameters(&heard.leads_to())["error"], "invalid_request", "what is no thumbprint promises nothing");
}

#[tokio::test]
async fn one_proof_is_for_one_request_and_so_for_every_message_of_a_batch() {
    let company = Company::start().await;
    let holder = Holder::new();
    let token = holder.token(&company.issuer);
    let nonce = refuses_proof(&company, &company.read_as(proven(&token, "")).await, "invalid_dpop_proof");
    let post = async |session: Option<&str>, body: Value| {
        let mut headers = proven(&token, &holder.proof(&token, Some(&nonce), &json!({})));
        headers.insert("content-type", value("application/json"));
        headers.insert("accept", value("application/json, text/event-stream"));
        if let Some(session) = session {
            headers.insert("mcp-session-id", value(session));
        }
        company.gate.send(company.gate.agents(), "POST", "/desk/mcp", headers, body.to_string()).await
    };
    let client = json!({ "name": "it", "version": "1" });
    let params = json!({ "protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": client });
    let hello = post(None, json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })).await;
    assert_eq!(hello.status, 200, "{}", hello.text());
    let session = hello.headers["mcp-session-id"].to_str().unwrap();
    let begun = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(post(Some(session), begun).await.status, 202);
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let read = |id: u64| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
    let both = post(Some(session), json!([read(2), read(3)])).await;
    assert_eq!(both.status, 200, "{}", both.text());
    let answers = both.json();
    for answer in answers.as_array().expect("an array of answers") {
        assert!(answer.get("result").is_some_and(|result| result["isError"] != true), "{answer:#}");
    }
    assert_eq!((answers.as_array().map(Vec::len), company.gate.desk.calls()), (Some(2), 2));
}

#[tokio::test]
async fn an_endpoint_or_a_registration_can_ask_for_a_bound_token() {
    let desk = endpoint("desk", "desk") + "\n[authentication]\nassurance = \"key-bound\"\n";
    let by_endpoint = vec![("endpoints/desk.toml".to_owned(), desk)];
    for company in [Company::with(by_endpoint).await, demanded_of_the_agent().await] {
        let reply = company.read(&company.issuer.token(&json!({}))).await;
        company.gate.refuses(&reply, STEP_UP_REQUIRED).await;
        assert!(challenge(&reply).starts_with("DPoP "), "{}", challenge(&reply));
        let (holder, nonce) = (Holder::new(), nonce(&reply));
        let token = holder.token(&company.issuer);
        passes(&company.read_as(proven(&token, &holder.proof(&token, Some(&nonce), &json!({})))).await);
    }
}

/// A gate where the help desk's agent is registered as one that holds a key.
async fn demanded_of_the_agent() -> Company {
    let company = Company::start().await;
    let file = company.gate.directory().join("state/agents/helpdesk.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("owner =", "assurance = \"key-bound\"\nowner =")).unwrap();
    company.gate.apply().await;
    company.gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
    company
}
