//! A person signs in, once through.

use http::Method;
use model::{AgentKind, limits};
use serde_json::json;

use super::provider::ISSUER;
use super::world::{Browser, GATE, REDIRECT, World, callback, resource};

#[tokio::test]
async fn a_person_signs_in_and_the_client_gets_a_token_for_one_endpoint() {
    let world = World::new().await;
    let browser = Browser::default();
    let page = browser.get(&world, &world.authorize(&[("scope", "read offline_access")])).await;
    assert_eq!(page.status, 200);
    for told in ["Order &lt;Editor&gt;", "sales", "orders &amp; offers", "read", "http://127.0.0.1:3000", REDIRECT] {
        assert!(page.body.contains(told), "the page does not tell `{told}`:\n{}", page.body);
    }
    assert!(world.provider.asked().is_empty(), "nobody is asked before somebody says yes");

    let onward = browser.post(&world, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
    let (place, asked) = onward.leads();
    assert_eq!((onward.status.as_u16(), place), (200, format!("{ISSUER}/authorize")));
    assert_eq!((asked["client_id"].as_str(), asked["scope"].as_str()), ("portcullis", "openid offline_access"));
    assert!(!onward.body.contains("the client's own"), "the provider is told nothing of the client's");

    let back = world.provider.sign_in(&onward.link());
    let (place, told) = browser.get(&world, &callback(&back)).await.leads();
    assert_eq!(place, REDIRECT);
    assert_eq!((told["state"].as_str(), told["iss"].as_str()), ("the client's own", GATE));

    let heard = world.redeem(&told["code"]).await;
    let tokens = heard.json();
    assert_eq!((heard.status.as_u16(), heard.headers["cache-control"].to_str().unwrap()), (200, "no-store"));
    assert_eq!((tokens["token_type"].as_str(), tokens["scope"].as_str()), (Some("Bearer"), Some("read")));
    assert!(tokens["expires_in"].as_u64().unwrap() <= 600);
    let claims = world.claims(&tokens["access_token"], "sales");
    for (name, value) in [
        ("sub", json!("s-ada")),
        ("user", json!("s-ada")),
        ("client_id", json!("editor")),
        ("groups", json!(["finance"])),
        ("acr", json!("mfa")),
        ("amr", json!(["pwd", "otp"])),
        ("scope", json!("read")),
    ] {
        assert_eq!(claims.get(name), Some(&value), "{name}");
    }
    assert!(claims.seconds("auth_time").is_some());
    assert!(claims.seconds("exp").unwrap() - claims.seconds("iat").unwrap() <= 600);
}

#[tokio::test]
async fn a_refresh_token_is_good_for_another_and_the_person_is_asked_after() {
    let world = World::new().await;
    let first = world.tokens().await;
    world.provider.says("groups", json!(["finance", "board"]));
    let second = world.refresh(first["refresh_token"].as_str().unwrap()).await;
    assert_eq!(second.status, 200, "{}", second.body);
    let second = second.json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let claims = world.claims(&second["access_token"], "sales");
    assert_eq!(claims.texts("groups"), Some(vec!["finance", "board"]), "what they are now");
    let third = world.refresh(second["refresh_token"].as_str().unwrap()).await;
    assert_eq!(third.status, 200, "the provider's own refresh token goes on as well: {}", third.body);
}

#[tokio::test]
async fn a_no_goes_back_to_the_client_and_to_nobody_else() {
    let world = World::new().await;
    let browser = Browser::default();
    let page = browser.get(&world, &world.authorize(&[])).await;
    let no = browser.post(&world, "/oauth/consent", &[("request", &page.sealed()), ("answer", "deny")]).await;
    let (place, told) = no.leads();
    assert_eq!((place.as_str(), told["error"].as_str(), told["iss"].as_str()), (REDIRECT, "access_denied", GATE));
    assert_eq!(told["state"], "the client's own");
    assert!(world.provider.asked().is_empty());
}

#[tokio::test]
async fn a_client_can_ask_for_a_stronger_and_a_fresh_sign_in() {
    let world = World::new().await;
    let browser = Browser::default();
    let page = browser.get(&world, &world.authorize(&[("acr_values", "phr mfa"), ("max_age", "60")])).await;
    let onward = browser.post(&world, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
    let (_, asked) = onward.leads();
    assert_eq!((asked["acr_values"].as_str(), asked["max_age"].as_str()), ("phr mfa", "60"));
    // The provider says that the sign-in was now; a minute and more later that is too old.
    world.clock.go_on(120_000);
    let back = world.provider.sign_in(&onward.link());
    let (_, told) = browser.get(&world, &callback(&back)).await.leads();
    assert_eq!(told["error"], "access_denied");
}

#[tokio::test]
async fn pages_run_no_script_are_in_no_frame_and_are_kept_by_nobody() {
    let world = World::new().await;
    let browser = Browser::default();
    let device = world.ask(Method::GET, "/oauth/device", "", &[]).await;
    let trouble = world.ask(Method::GET, "/oauth/authorize", "", &[]).await;
    for page in [browser.get(&world, &world.authorize(&[])).await, device, trouble] {
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(
            (page.headers["x-frame-options"].to_str().unwrap(), page.headers["cache-control"].to_str().unwrap()),
            ("DENY", "no-store")
        );
        assert!(!page.body.contains("<script") && !page.body.contains("style="), "{}", page.body);
    }
    let style = world.ask(Method::GET, "/oauth/style.css", "", &[]).await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn the_metadata_says_what_there_is() {
    let world = World::new().await;
    let metadata = world.ask(Method::GET, "/.well-known/oauth-authorization-server", "", &[]).await.json();
    assert_eq!(metadata["issuer"], GATE);
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(
        metadata["authorization_grant_profiles_supported"],
        json!(["urn:ietf:params:oauth:grant-profile:id-jag"])
    );
    assert_eq!(metadata["registration_endpoint"], serde_json::Value::Null, "off unless settings say otherwise");
    let keys = world.ask(Method::GET, "/oauth/jwks", "", &[]).await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert!(keys["keys"][0].get("d").is_none());
}

#[tokio::test]
async fn signing_keys_are_replaced_and_old_tokens_stay_good() {
    let world = World::new().await;
    world.clock.go_on(limits::SIGNING_KEY_MILLISECONDS_MAX - 60_000);
    let old = world.tokens().await;
    world.clock.go_on(120_000);
    let new = world.tokens().await;
    let kid = |token: &serde_json::Value| token.as_str().unwrap().split('.').next().unwrap().to_owned();
    assert_ne!(kid(&old["access_token"]), kid(&new["access_token"]), "another key signs");
    world.claims(&old["access_token"], "sales");
    world.claims(&new["access_token"], "sales");
    let keys = world.ask(Method::GET, "/oauth/jwks", "", &[]).await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn nothing_that_opens_anything_is_kept() {
    let world = World::new().await;
    let browser = Browser::default();
    let page = browser.get(&world, &world.authorize(&[])).await;
    let onward = browser.post(&world, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
    let back = world.provider.sign_in(&onward.link());
    let told = browser.get(&world, &callback(&back)).await.leads().1;
    let tokens = world.redeem(&told["code"]).await.json();
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let renewed = world.refresh(&refresh).await.json();
    let kept = world.kept();
    let holds = |secret: &str| kept.windows(secret.len()).any(|part| part == secret.as_bytes());
    assert!(holds("signin.renew") && holds("s-ada"), "this is where things are kept");
    let halves: Vec<&str> = refresh.split('.').collect();
    let access = tokens["access_token"].as_str().unwrap();
    let renewed = renewed["refresh_token"].as_str().unwrap();
    for secret in [&told["code"], &back["state"], &back["code"], halves[0], halves[1], renewed, access] {
        assert!(!holds(secret), "`{secret}` is kept");
    }
    for secret in ["upstream-refresh-", "upstream-secret", "upstream-access", "__Host-portcullis="] {
        assert!(!holds(secret), "`{secret}` is kept");
    }
}

#[tokio::test]
async fn what_a_client_may_do_is_looked_up_anew_each_time() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let tokens = world.tokens().await;
    world.register.change("editor", |client| client.endpoints.clear());
    assert_eq!(world.redeem(&code["code"]).await.error(), "invalid_grant");
    assert_eq!(world.refresh(tokens["refresh_token"].as_str().unwrap()).await.error(), "invalid_grant");
    world.register.change("editor", |client| {
        client.endpoints = vec!["sales".parse().unwrap()];
        client.kind = AgentKind::Autonomous;
    });
    let browser = Browser::default();
    let (_, told) = browser.get(&world, &world.authorize(&[])).await.leads();
    assert_eq!(told["error"], "unauthorized_client", "an agent that acts for nobody signs nobody in");
}

#[tokio::test]
async fn a_token_is_for_the_endpoint_that_was_asked_for() {
    let world = World::new().await;
    let code = world.code(&[("resource", &resource("desk"))]).await;
    let refused = world.redeem_with(&code["code"], &[("resource", &resource("sales"))]).await;
    assert_eq!(refused.error(), "invalid_target");
    let tokens = world.redeem_with(&code["code"], &[("resource", &resource("desk"))]).await.json();
    world.claims(&tokens["access_token"], "desk");
}
