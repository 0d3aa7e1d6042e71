//! Issuers that fail, change their keys, or say what cannot be believed: nobody whose keys are known is refused, and nothing is
//! believed that an issuer did not sign or say.

use std::fs;

use serde_json::json;

use super::issuer::{ASKER_SECRET, TestIssuer};
use super::{Company, PUBLIC, agents, client};
use crate::gate::files::{person_token, write_private};
use crate::gate::{Gate, Setup, bearer};
use crate::verdict::{UNAUTHENTICATED, passes};

#[tokio::test]
async fn an_issuer_that_changes_its_keys_or_is_gone_refuses_nobody_whose_key_is_known() {
    let company = Company::start().await;
    let old = company.issuer.token(&json!({}));
    passes(&company.read(&old).await);
    company.issuer.rotate();
    let new = company.issuer.token(&json!({}));
    passes(&company.read(&new).await);
    passes(&company.read(&old).await);
    let fetched = company.issuer.asked("/keys");
    // Names of keys that anybody can invent cause no more fetches.
    let stranger = jwt_of_nobody(&company);
    for _ in 0..20 {
        company.gate.turns_away(&company.read(&stranger).await, UNAUTHENTICATED).await;
    }
    assert_eq!(company.issuer.asked("/keys"), fetched);

    company.issuer.be_up(false);
    passes(&company.read(&old).await);
    passes(&company.read(&company.issuer.token(&json!({ "jti": "of the outage" }))).await);
    company.gate.turns_away(&company.read(&stranger).await, UNAUTHENTICATED).await;
}

/// A token as good as any, but for its key, which is nobody's.
fn jwt_of_nobody(company: &Company) -> String {
    let key = identity::jwt::SigningKey::generate().unwrap();
    key.sign("at+jwt", &company.issuer.edited(&json!({}))).unwrap()
}

#[tokio::test]
async fn a_gate_that_starts_while_its_issuer_is_gone_takes_tokens_when_it_is_back() {
    let issuer = TestIssuer::start().await;
    issuer.be_up(false);
    let company = Company::of(issuer, "", Vec::new()).await;
    let token = company.issuer.token(&json!({}));
    company.gate.turns_away(&company.read(&token).await, UNAUTHENTICATED).await;
    let told = company.gate.until("/status", |status| status["issuers"][0]["trouble"].is_string()).await;
    let keys = &told["issuers"][0];
    assert_eq!((&keys["used_for"], &keys["believed"], &keys["keys"]), (&json!("agents"), &json!(false), &json!(0)));
    company.issuer.be_up(true);
    let mut reply = company.read(&token).await;
    let deadline = std::time::Instant::now() + crate::client::PATIENCE;
    while reply.status == 401 && std::time::Instant::now() < deadline {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        reply = company.read(&token).await;
    }
    passes(&reply);
    let keys = company.gate.read("/status").await["issuers"][0].clone();
    assert_eq!((&keys["issuer"], &keys["believed"]), (&json!(company.issuer.url()), &json!(true)), "{keys}");
    assert!(keys["trouble"].is_null() && keys["believed_until"].as_u64() > keys["fetched_at"].as_u64(), "{keys}");
    let admin = bearer(&person_token("admin"));
    let metrics = company.gate.send(company.gate.admin(), "GET", "/metrics", admin, "").await.text();
    let labels = format!("{{issuer=\"{}\",used_for=\"agents\"}}", company.issuer.url());
    for wanted in
        [format!("portcullis_issuer_keys_believed{labels} 1"), format!("portcullis_issuer_keys_trouble{labels} 0")]
    {
        assert!(metrics.contains(&wanted), "{wanted}: {metrics}");
    }
}

#[tokio::test]
async fn key_sets_and_metadata_that_cannot_be_believed_take_nothing_in() {
    let key = json!({ "keys": [identity::jwt::SigningKey::generate().unwrap().public_jwk()] });
    let poisoned = [
        json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "k", "alg": "HS256" }] }).to_string(),
        json!({ "keys": [] }).to_string(),
        "<html>signed out</html>".to_owned(),
        format!("{{\"keys\": [], {}", key.to_string().trim_start_matches('{')),
        "x".repeat(600 * 1024),
    ];
    for text in poisoned {
        let issuer = TestIssuer::start().await;
        issuer.publish(Some(text));
        let company = Company::of(issuer, "", Vec::new()).await;
        company.gate.turns_away(&company.read(&company.issuer.token(&json!({}))).await, UNAUTHENTICATED).await;
    }
    // A good key does not make up for one that everybody can sign with.
    let issuer = TestIssuer::start().await;
    let secret = json!({ "kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "k" });
    issuer.publish(Some(json!({ "keys": [issuer.key().public_jwk(), secret] }).to_string()));
    let company = Company::of(issuer, "", Vec::new()).await;
    company.gate.turns_away(&company.read(&company.issuer.token(&json!({}))).await, UNAUTHENTICATED).await;
    let issuer = TestIssuer::start().await;
    issuer.tell(Some(json!({ "issuer": "https://elsewhere.example", "jwks_uri": format!("{}/keys", issuer.url()) })));
    let company = Company::of(issuer, "", Vec::new()).await;
    company.gate.turns_away(&company.read(&company.issuer.token(&json!({}))).await, UNAUTHENTICATED).await;
    assert_eq!(company.issuer.asked("/keys"), 0, "metadata of another issuer leads nowhere");
}

#[tokio::test]
async fn a_key_that_its_issuer_takes_back_takes_its_tokens_with_it() {
    let company = Company::start().await;
    let stolen = company.issuer.token(&json!({}));
    passes(&company.read(&stolen).await);
    company.issuer.rotate();
    company.issuer.publish(Some(json!({ "keys": [company.issuer.key().public_jwk()] }).to_string()));
    // A token of the new key has the gate look for it.
    passes(&company.read(&company.issuer.token(&json!({}))).await);
    company.gate.turns_away(&company.read(&stolen).await, UNAUTHENTICATED).await;
    assert_eq!(company.gate.desk.calls(), 2);
}

#[tokio::test]
async fn an_issuer_outside_its_networks_is_never_asked() {
    let issuer = TestIssuer::start().await;
    let settings = issuer.settings();
    let (elsewhere, state) = (format!("\n[[issuer]]\nurl = \"{}\"\n", issuer.url()), agents(&issuer.url()));
    let listener = format!("public_url = \"{PUBLIC}\"\n");
    let gate = Gate::with(Setup { settings, listener, state, ..Setup::default() }).await;
    passes(
        &client(&gate, "desk", &issuer.token(&json!({}))).call("read_ticket", json!({ "ticket": "1" })).await.unwrap(),
    );
    // The same issuer without its network: a plain URL, and loopback, which is no public address.
    let file = gate.directory().join("portcullis.toml");
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, right.replace(&issuer.settings(), &elsewhere)).unwrap();
    gate.reload();
    gate.has_said("is not asked without TLS").await;
}

/// A gate that asks its issuer about opaque tokens.
async fn asking() -> Company {
    let issuer = TestIssuer::start().await;
    let settings = format!(
        "{}\n[issuer.introspection]\nurl = \"{}/introspect\"\nclient_id = \"gate\"\nclient_secret = \"env:PORTCULLIS_TEST_ASKER\"\n",
        issuer.settings(),
        issuer.url()
    );
    let (listener, state) = (format!("public_url = \"{PUBLIC}\"\n"), agents(&issuer.url()));
    let shell = Some("export PORTCULLIS_TEST_ASKER=hush-of-the-gate");
    let gate = Gate::with(Setup { settings, listener, state, shell, ..Setup::default() }).await;
    Company { gate, issuer }
}

#[tokio::test]
async fn an_opaque_token_is_what_its_issuer_says_and_is_asked_about_once() {
    let company = asking().await;
    let token = company.issuer.opaque(&json!({}));
    for _ in 0..5 {
        passes(&company.read(&token).await);
    }
    assert_eq!(company.issuer.asked("/introspect"), 1);
    for edits in [
        json!({ "active": false }),
        json!({ "active": "true" }),
        json!({ "aud": format!("{PUBLIC}/bank/mcp") }),
        json!({ "aud": null }),
        json!({ "exp": null }),
        json!({ "exp": 1 }),
        json!({ "nbf": super::issuer::now() + 600 }),
        json!({ "iss": "https://elsewhere.example" }),
        json!({ "client_id": null }),
        json!({ "client_id": "nobody-registered" }),
    ] {
        let reply = company.read(&company.issuer.opaque(&edits)).await;
        company.gate.turns_away(&reply, UNAUTHENTICATED).await;
    }
    company.gate.turns_away(&company.read("opaque-to-everybody").await, UNAUTHENTICATED).await;

    company.issuer.be_up(false);
    passes(&company.read(&token).await);
    let unknown = company.issuer.opaque(&json!({}));
    company.gate.turns_away(&company.read(&unknown).await, UNAUTHENTICATED).await;
    passes(&company.read(&company.issuer.token(&json!({}))).await);
    assert!(!company.gate.output().contains(ASKER_SECRET));
    assert!(!company.gate.output().contains(&token));
}

#[tokio::test]
async fn an_issuer_that_is_taken_out_of_the_settings_is_nobodys_at_once() {
    let company = Company::start().await;
    let token = company.issuer.token(&json!({}));
    let client = company.client(&token);
    let mut stream = client.open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    let file = company.gate.directory().join("portcullis.toml");
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, right.replace(&company.issuer.settings(), "\n")).unwrap();
    company.gate.reload();
    company.gate.has_said("the settings were reloaded").await;
    crate::verdict::words(&stream.next().await.unwrap().unwrap(), UNAUTHENTICATED);
    company.gate.turns_away(&company.read(&token).await, UNAUTHENTICATED).await;
    // And it is back as fast, without a question to the issuer.
    let fetched = company.issuer.asked("/keys");
    write_private(&file, &right);
    company.gate.reload();
    let deadline = std::time::Instant::now() + crate::client::PATIENCE;
    while company.read(&token).await.status == 401 {
        assert!(std::time::Instant::now() < deadline, "the issuer is back");
    }
    assert!(company.issuer.asked("/keys") <= fetched + 1);
}
