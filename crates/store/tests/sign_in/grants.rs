//! Other ways to a token: devices, clients for themselves, assertions of the provider, and keys that tokens are bound to.

use http::Method;
use identity::jwt::SigningKey;
use model::limits;
use serde_json::{Value, json};

use super::provider::ISSUER;
use super::world::{Browser, GATE, Heard, JWT_BEARER, World, callback, challenge, encoded, resource};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn device(world: &World) -> Value {
    let sales = resource("sales");
    let heard = world.post("/oauth/device_authorization", &[("client_id", "editor"), ("resource", &sales)]).await;
    assert_eq!(heard.status, 200, "{}", heard.body);
    heard.json()
}

async fn poll(world: &World, waiting: &Value, client: &str) -> Heard {
    let code = waiting["device_code"].as_str().unwrap();
    world.post("/oauth/token", &[("grant_type", DEVICE), ("client_id", client), ("device_code", code)]).await
}

#[tokio::test]
async fn a_person_signs_in_for_a_device() {
    let world = World::new().await;
    let waiting = device(&world).await;
    assert_eq!(waiting["verification_uri"], format!("{GATE}/oauth/device"));
    world.clock.go_on(limits::DEVICE_INTERVAL_MILLISECONDS);
    assert_eq!(poll(&world, &waiting, "editor").await.error(), "authorization_pending");
    assert_eq!(poll(&world, &waiting, "editor").await.error(), "slow_down");

    let browser = Browser::default();
    let typed = waiting["user_code"].as_str().unwrap().to_lowercase().replace('-', " ");
    let page = browser.post(&world, "/oauth/device", &[("user_code", &typed)]).await;
    assert!(page.body.contains("Order &lt;Editor&gt;") && page.body.contains("device of your own"), "{}", page.body);
    let onward = browser.post(&world, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
    let back = world.provider.sign_in(&onward.link());
    let done = browser.get(&world, &callback(&back)).await;
    assert_eq!((done.status.as_u16(), done.location()), (200, None));

    let tokens = poll(&world, &waiting, "editor").await.json();
    assert_eq!(world.claims(&tokens["access_token"], "sales").text("user"), Some("s-ada"));
    assert_eq!(poll(&world, &waiting, "editor").await.error(), "expired_token", "once");
    assert_eq!(world.refresh(tokens["refresh_token"].as_str().unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_device_gets_nothing_by_a_no_a_wrong_code_or_from_another_site() {
    let world = World::new().await;
    let waiting = device(&world).await;
    let code = waiting["user_code"].as_str().unwrap();
    let browser = Browser::default();
    let wrong = browser.post(&world, "/oauth/device", &[("user_code", "BBBB-BBBB")]).await;
    assert!(wrong.body.contains("No device waits"), "{}", wrong.body);
    let form = encoded(&[("user_code", code)]);
    let forged = world.ask(Method::POST, "/oauth/device", &form, &[("origin", "https://evil.example")]).await;
    assert_eq!(forged.status, 403);
    let page = browser.post(&world, "/oauth/device", &[("user_code", code)]).await;
    browser.post(&world, "/oauth/consent", &[("request", &page.sealed()), ("answer", "deny")]).await;
    assert_eq!(poll(&world, &waiting, "editor").await.error(), "access_denied");
    let waiting = device(&world).await;
    world.clock.go_on(limits::DEVICE_MILLISECONDS_MAX);
    assert_eq!(poll(&world, &waiting, "editor").await.error(), "expired_token");
}

async fn itself(world: &World, client: &str, assertion: &str) -> Heard {
    let sales = resource("sales");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("resource", sales.as_str()),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    world.post("/oauth/token", &form).await
}

#[tokio::test]
async fn an_autonomous_agent_proves_that_it_is_one_once_for_each_token() {
    let world = World::new().await;
    let assertion = world.assertion("robot", "1", &[]);
    let heard = itself(&world, "robot", &assertion).await;
    assert_eq!(heard.status, 200, "{}", heard.body);
    let tokens = heard.json();
    let claims = world.claims(&tokens["access_token"], "sales");
    assert_eq!((claims.text("sub"), claims.text("user")), (Some("robot"), None), "it is for nobody");
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(itself(&world, "robot", &assertion).await.error(), "invalid_client", "an assertion is good once");
    let at_endpoint = world.assertion("robot", "2", &[("aud", json!(format!("{GATE}/oauth/token")))]);
    assert_eq!(itself(&world, "robot", &at_endpoint).await.status, 200);
}

#[tokio::test]
async fn an_assertion_of_a_client_that_is_none_is_refused() {
    let world = World::new().await;
    let now = world.clock_seconds();
    for (number, changed) in [
        vec![("aud", json!("https://other.example"))],
        vec![("aud", json!([GATE, "https://other.example"]))],
        vec![("sub", json!("another"))],
        vec![("iss", json!("another"))],
        vec![("exp", json!(now - 60))],
        vec![("exp", json!(now + 86_400))],
        vec![("nbf", json!(now + 3_600))],
        vec![("jti", Value::Null)],
    ]
    .into_iter()
    .enumerate()
    {
        let assertion = world.assertion("robot", &format!("wrong {number}"), &changed);
        assert_eq!(itself(&world, "robot", &assertion).await.error(), "invalid_client", "{changed:?}");
    }
    let forged = SigningKey::generate().unwrap();
    let claims = json!({ "iss": "robot", "sub": "robot", "aud": GATE, "jti": "x", "exp": now + 60 });
    let forged = forged.sign("JWT", claims.as_object().unwrap()).unwrap();
    assert_eq!(itself(&world, "robot", &forged).await.error(), "invalid_client");
    let unproven = [("grant_type", "client_credentials"), ("client_id", "robot"), ("resource", "x")];
    assert_eq!(world.post("/oauth/token", &unproven).await.error(), "invalid_client");
    let secret = [("grant_type", "client_credentials"), ("client_id", "editor"), ("client_secret", "s")];
    assert_eq!(world.post("/oauth/token", &secret).await.error(), "invalid_client");
}

#[tokio::test]
async fn a_delegated_agent_cannot_drop_its_user() {
    let world = World::new().await;
    let assertion = world.assertion("signing-editor", "1", &[]);
    assert_eq!(itself(&world, "signing-editor", &assertion).await.error(), "unauthorized_client");
    let (public, sales) = ([("grant_type", "client_credentials"), ("client_id", "editor")], resource("sales"));
    let form = [public[0], public[1], ("resource", sales.as_str())];
    assert_eq!(world.post("/oauth/token", &form).await.error(), "unauthorized_client");
}

fn vouched(world: &World, jti: &str, changed: &[(&str, Value)]) -> String {
    let now = world.clock_seconds();
    let mut claims = json!({
        "iss": ISSUER, "sub": "s-ada", "aud": GATE, "client_id": "signing-editor", "resource": resource("sales"),
        "scope": "read admin", "jti": jti, "iat": now, "exp": now + 120, "groups": ["finance"],
    });
    for (name, value) in changed {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(*name);
        } else {
            claims[*name] = value.clone();
        }
    }
    world.provider.sign("oauth-id-jag+jwt", &claims)
}

async fn exchange(world: &World, number: usize, client: &str, assertion: &str) -> Heard {
    let proof = world.assertion(client, &format!("proof {number}"), &[]);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", proof.as_str()),
    ];
    world.post("/oauth/token", &form).await
}

#[tokio::test]
async fn an_enterprise_vouches_for_its_user_once() {
    let world = World::new().await;
    let assertion = vouched(&world, "jag", &[]);
    let heard = exchange(&world, 1, "signing-editor", &assertion).await;
    assert_eq!(heard.status, 200, "{}", heard.body);
    let tokens = heard.json();
    let claims = world.claims(&tokens["access_token"], "sales");
    assert_eq!((claims.text("user"), claims.text("scope")), (Some("s-ada"), Some("read")), "what all sides allow");
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(exchange(&world, 2, "signing-editor", &assertion).await.error(), "invalid_grant", "a replay");
}

#[tokio::test]
async fn an_assertion_of_the_provider_must_fit_in_everything() {
    let world = World::new().await;
    let now = world.clock_seconds();
    for (number, changed) in [
        vec![("aud", json!("https://other.example"))],
        vec![("aud", json!([GATE, "https://other.example"]))],
        vec![("iss", json!("https://evil.example"))],
        vec![("client_id", json!("editor"))],
        vec![("client_id", Value::Null)],
        vec![("resource", json!(resource("hr")))],
        vec![("resource", json!("https://other.example/sales/mcp"))],
        vec![("resource", json!([resource("sales"), resource("desk")]))],
        vec![("resource", Value::Null)],
        vec![("sub", Value::Null)],
        vec![("jti", Value::Null)],
        vec![("exp", json!(now - 60))],
        vec![("exp", json!(now + 86_400))],
    ]
    .into_iter()
    .enumerate()
    {
        let assertion = vouched(&world, &format!("jag {number}"), &changed);
        let heard = exchange(&world, number, "signing-editor", &assertion).await;
        assert_eq!(heard.error(), "invalid_grant", "{changed:?}");
        assert!(!heard.body.contains(&assertion));
    }
    let id_token = world.provider.sign("JWT", &json!({ "iss": ISSUER, "sub": "s-ada", "aud": GATE, "exp": now + 60 }));
    assert_eq!(
        exchange(&world, 100, "signing-editor", &id_token).await.error(),
        "invalid_grant",
        "another kind of token"
    );
    let sales = vouched(&world, "public", &[("client_id", json!("editor"))]);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", sales.as_str()),
        ("client_id", "editor"),
    ];
    assert_eq!(world.post("/oauth/token", &form).await.error(), "unauthorized_client", "nobody proved who they are");
}

/// A proof of possession for the token endpoint.
fn proof(world: &World, key: &SigningKey, jti: &str, nonce: Option<&str>) -> String {
    let mut claims =
        json!({ "jti": jti, "htm": "POST", "htu": format!("{GATE}/oauth/token"), "iat": world.clock_seconds() });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    key.prove("dpop+jwt", claims.as_object().unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_is_bound_to_the_key_that_was_proved() {
    let world = World::new().await;
    let key = SigningKey::generate().unwrap();
    let code = world.code(&[("dpop_jkt", &key.public().thumbprint())]).await["code"].clone();
    let form = |grant: &[(&str, &str)]| encoded(grant);
    let redeem = form(&[
        ("grant_type", "authorization_code"),
        ("client_id", "editor"),
        ("code", &code),
        ("code_verifier", super::world::VERIFIER),
    ]);
    let ask = |body: String, proof: String| {
        let world = &world;
        async move { world.ask(Method::POST, "/oauth/token", &body, &[("dpop", &proof)]).await }
    };
    assert_eq!(world.ask(Method::POST, "/oauth/token", &redeem, &[]).await.error(), "invalid_dpop_proof", "no proof");
    let first = ask(redeem.clone(), proof(&world, &key, "1", None)).await;
    assert_eq!(first.error(), "use_dpop_nonce");
    let nonce = first.headers["dpop-nonce"].to_str().unwrap().to_owned();
    let thief = SigningKey::generate().unwrap();
    let other = ask(redeem.clone(), proof(&world, &thief, "2", Some(&nonce))).await;
    assert_eq!(other.error(), "invalid_dpop_proof", "another key than the one that was promised");
    let spent = proof(&world, &key, "3", Some(&nonce));
    let tokens = ask(redeem, spent.clone()).await.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let claims = world.claims(&tokens["access_token"], "sales");
    assert_eq!(claims.get("cnf"), Some(&json!({ "jkt": key.public().thumbprint() })));

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let renew = form(&[("grant_type", "refresh_token"), ("client_id", "editor"), ("refresh_token", refresh)]);
    assert_eq!(world.refresh(refresh).await.error(), "invalid_dpop_proof", "stolen, without the key");
    assert_eq!(ask(renew.clone(), spent).await.error(), "invalid_dpop_proof", "a proof is good once");
    let stolen = ask(renew.clone(), proof(&world, &thief, "4", Some(&nonce))).await;
    assert_eq!(stolen.error(), "invalid_dpop_proof");
    assert_eq!(ask(renew, proof(&world, &key, "5", Some(&nonce))).await.status, 200);
    assert_eq!(challenge().len(), 43);
}
