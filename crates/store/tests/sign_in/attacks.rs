//! What must not work: MCP's security best practices for whoever stands between a client and another authorization server,
//! and OAuth's own (RFC 9700).

use std::collections::HashMap;

use http::Method;
use model::limits;
use serde_json::json;

use super::world::{Browser, GATE, REDIRECT, VERIFIER, World, callback, encoded, is_revoked, resource};

/// On the way: the browser, its page and where it leads.
async fn underway(world: &World) -> (Browser, HashMap<String, String>) {
    let browser = Browser::default();
    let page = browser.get(world, &world.authorize(&[])).await;
    let onward = browser.post(world, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
    let back = world.provider.sign_in(&onward.link());
    (browser, back)
}

#[tokio::test]
async fn a_request_that_leads_elsewhere_is_told_on_a_page_and_sent_nowhere() {
    let world = World::new().await;
    for changed in [
        [("redirect_uri", "https://evil.example/cb")],
        [("redirect_uri", "https://client.example/cb/")],
        [("redirect_uri", "https://client.example/cb?x=1")],
        [("redirect_uri", "http://127.0.0.1:3000/other")],
        [("redirect_uri", "http://localhost:3000/cb")],
        [("redirect_uri", "javascript:alert(1)")],
        [("redirect_uri", "")],
        [("client_id", "nobody")],
        [("client_id", "")],
        [("client_id", "https://evil.example/client.json")],
    ] {
        let heard = Browser::default().get(&world, &world.authorize(&changed)).await;
        assert_eq!((heard.status.as_u16(), heard.location()), (400, None), "{changed:?}");
        assert!(!heard.body.contains("evil.example") && !heard.body.contains("http-equiv"), "{}", heard.body);
    }
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.example%2Fcb", world.authorize(&[]));
    assert_eq!(Browser::default().get(&world, &twice).await.status, 400, "a parameter that is there twice");
}

#[tokio::test]
async fn a_request_that_is_wrong_is_told_to_its_client_with_who_says_so() {
    let world = World::new().await;
    let hr = resource("hr");
    for (changed, error) in [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_type", "")], "invalid_request"),
        ([("response_mode", "fragment")], "invalid_request"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge", "short")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("request", "e30.e30.")], "request_not_supported"),
        ([("request_uri", "https://evil.example/")], "request_uri_not_supported"),
        ([("prompt", "none")], "consent_required"),
        ([("max_age", "-1")], "invalid_request"),
        ([("dpop_jkt", "short")], "invalid_request"),
        ([("resource", "")], "invalid_target"),
        ([("resource", "https://other.example/sales/mcp")], "invalid_target"),
        ([("resource", "https://gate.example/sales/mcp/")], "invalid_target"),
        ([("resource", "https://gate.example/nowhere/mcp")], "invalid_target"),
        ([("resource", hr.as_str())], "invalid_target"),
    ] {
        let heard = Browser::default().get(&world, &world.authorize(&changed)).await;
        let (place, told) = heard.leads();
        assert_eq!((place.as_str(), told["error"].as_str()), (REDIRECT, error), "{changed:?}");
        assert_eq!((told["iss"].as_str(), told["state"].as_str()), (GATE, "the client's own"));
        assert!(!told.contains_key("code"));
    }
    let (_, nowhere) = Browser::default()
        .get(&world, &world.authorize(&[("resource", "https://gate.example/nowhere/mcp")]))
        .await
        .leads();
    let (_, hidden) = Browser::default().get(&world, &world.authorize(&[("resource", &hr)])).await.leads();
    assert_eq!(nowhere, hidden, "an endpoint that is not there looks like one that is not for this client");
    assert!(world.provider.asked().is_empty());
}

#[tokio::test]
async fn a_yes_counts_only_from_the_page_and_the_browser_that_were_asked() {
    let world = World::new().await;
    let browser = Browser::default();
    let page = browser.get(&world, &world.authorize(&[])).await;
    let sealed = page.sealed();
    let form = encoded(&[("request", &sealed), ("answer", "allow")]);
    let cookie = page.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for flag in ["__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(page.headers["set-cookie"].to_str().unwrap().contains(flag), "{flag}");
    }
    let stranger = Browser::default();
    stranger.get(&world, &world.authorize(&[])).await;
    let others = [
        stranger.post(&world, "/oauth/consent", &[("request", &sealed), ("answer", "allow")]).await,
        world.ask(Method::POST, "/oauth/consent", &form, &[("origin", GATE)]).await,
        world
            .ask(Method::POST, "/oauth/consent", &form, &[("origin", "https://evil.example"), ("cookie", &cookie)])
            .await,
        world.ask(Method::POST, "/oauth/consent", &form, &[("origin", "null"), ("cookie", &cookie)]).await,
        world
            .ask(Method::POST, "/oauth/consent", &form, &[("sec-fetch-site", "cross-site"), ("cookie", &cookie)])
            .await,
        world.ask(Method::POST, "/oauth/consent", &form, &[("cookie", "__Host-portcullis=made-up")]).await,
        world.ask(Method::GET, &format!("/oauth/consent?{form}"), "", &[("cookie", &cookie)]).await,
        browser.post(&world, "/oauth/consent", &[("answer", "allow")]).await,
        browser.post(&world, "/oauth/consent", &[("request", &format!("A{sealed}")), ("answer", "allow")]).await,
        browser.post(&world, "/oauth/consent", &[("request", &sealed)]).await,
        browser.post(&world, "/oauth/consent", &[("request", &sealed), ("answer", "perhaps")]).await,
    ];
    for (place, heard) in others.iter().enumerate() {
        assert!(heard.status.is_client_error() && heard.location().is_none(), "{place}: {}", heard.body);
    }
    assert!(world.provider.asked().is_empty(), "nobody left for the provider");
    world.clock.go_on(limits::SIGN_IN_MILLISECONDS_MAX + 1);
    let late = browser.post(&world, "/oauth/consent", &[("request", &sealed), ("answer", "allow")]).await;
    assert_eq!(late.status, 403, "a page that lay about");
}

#[tokio::test]
async fn a_state_is_good_once_in_one_browser_for_a_while() {
    let world = World::new().await;
    let (browser, back) = underway(&world).await;
    let victim = Browser::default();
    victim.get(&world, &world.authorize(&[])).await;
    let lured = victim.get(&world, &callback(&back)).await;
    assert_eq!((lured.status.as_u16(), lured.location()), (403, None), "another person's state signs nobody in");
    let after = browser.get(&world, &callback(&back)).await;
    assert_eq!(after.status, 403, "and is spent");

    let (browser, back) = underway(&world).await;
    assert_eq!(browser.get(&world, &callback(&back)).await.status, 303);
    assert_eq!(browser.get(&world, &callback(&back)).await.status, 403, "once");

    let (browser, mut back) = underway(&world).await;
    let state = back.remove("state").unwrap();
    assert_eq!(browser.get(&world, &callback(&back)).await.status, 403, "no state");
    back.insert("state".into(), format!("{state}0"));
    assert_eq!(browser.get(&world, &callback(&back)).await.status, 403, "no state of ours");
    back.insert("state".into(), state);
    world.clock.go_on(limits::SIGN_IN_MILLISECONDS_MAX);
    assert_eq!(browser.get(&world, &callback(&back)).await.status, 403, "too late");
}

#[tokio::test]
async fn what_another_provider_sends_back_is_not_taken() {
    let world = World::new().await;
    for issuer in [Some("https://evil.example"), Some("https://id.example/"), None] {
        for broken in [false, true] {
            let (browser, mut back) = underway(&world).await;
            back.remove("iss");
            back.extend(issuer.map(|issuer| ("iss".to_owned(), issuer.to_owned())));
            if broken {
                back.remove("code");
                back.insert("error".into(), "access_denied".into());
            }
            let heard = browser.get(&world, &callback(&back)).await;
            assert_eq!((heard.status.as_u16(), heard.location()), (403, None), "{issuer:?} {broken}");
        }
    }
}

#[tokio::test]
async fn an_id_token_of_another_sign_in_signs_nobody_in() {
    let world = World::new().await;
    for (name, value) in [
        ("nonce", json!("of another")),
        ("azp", json!("another client")),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("sub", json!("")),
    ] {
        let (browser, mut back) = underway(&world).await;
        world.provider.says(name, value);
        if name == "nonce" {
            // The code of one attempt in another: the provider's nonce is of the first.
            let (_, other) = underway(&world).await;
            back.insert("code".into(), other["code"].clone());
        }
        let (_, told) = browser.get(&world, &callback(&back)).await.leads();
        assert_eq!(told["error"], "access_denied", "{name}");
        world.provider.says(name, if name == "sub" { json!("s-ada") } else { json!("portcullis") });
        if name == "at_hash" {
            break;
        }
    }
}

#[tokio::test]
async fn a_code_that_comes_again_ends_what_it_began() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let tokens = world.redeem(&code["code"]).await.json();
    let claims = world.claims(&tokens["access_token"], "sales");
    let family = claims.text("family").unwrap();
    assert!(!is_revoked(&world, family));
    assert_eq!(world.redeem(&code["code"]).await.error(), "invalid_grant");
    assert!(is_revoked(&world, family), "the access token is good no more");
    assert_eq!(world.refresh(tokens["refresh_token"].as_str().unwrap()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_code_is_for_its_client_its_verifier_its_redirect_and_a_minute() {
    let world = World::new().await;
    let code = world.code(&[]).await["code"].clone();
    let other = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl";
    for changed in [
        [("client_id", "another")],
        [("code_verifier", other)],
        [("code_verifier", "")],
        [("redirect_uri", "http://127.0.0.1:3001/cb")],
        [("code", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")],
    ] {
        assert_eq!(world.redeem_with(&code, &changed).await.error(), "invalid_grant", "{changed:?}");
    }
    world.clock.go_on(limits::CODE_MILLISECONDS_MAX);
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant", "too late");
    let code = world.code(&[]).await["code"].clone();
    assert_eq!(world.redeem(&code).await.status, 200);
    assert_eq!(VERIFIER.len(), 43);
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_ends_its_family() {
    let world = World::new().await;
    let first = world.tokens().await;
    let stolen = first["refresh_token"].as_str().unwrap();
    let second = world.refresh(stolen).await.json();
    let claims = world.claims(&second["access_token"], "sales");
    assert_eq!(world.refresh(stolen).await.error(), "invalid_grant");
    assert!(is_revoked(&world, claims.text("family").unwrap()));
    assert_eq!(world.refresh(second["refresh_token"].as_str().unwrap()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_is_for_its_client_and_no_more_than_was_agreed_to() {
    let world = World::new().await;
    let code = world.code(&[("scope", "read")]).await;
    let tokens = world.redeem(&code["code"]).await.json();
    let token = tokens["refresh_token"].as_str().unwrap().to_owned();
    let ask = |client: &'static str, extra: (&'static str, &'static str)| {
        let (world, token) = (&world, token.clone());
        async move {
            let form = [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", &token), extra];
            world.post("/oauth/token", &form).await
        }
    };
    assert_eq!(ask("another", ("scope", "read")).await.error(), "invalid_grant");
    assert_eq!(ask("editor", ("resource", "https://gate.example/desk/mcp")).await.error(), "invalid_target");
    let more = ask("editor", ("scope", "read write")).await.json();
    assert_eq!(more["scope"], "read", "what was not agreed to is not given");
    for odd in ["", ".", "abc.def", token.replace('.', "").as_str(), "x", &"0".repeat(129)] {
        let heard = world.refresh(odd).await;
        assert!(["invalid_grant", "invalid_request"].contains(&heard.error().as_str()), "{odd}");
    }
}

#[tokio::test]
async fn who_asks_too_often_waits() {
    let world = World::new().await;
    let mut refused = 0;
    for _ in 0..limits::FACADE_REQUESTS_PER_MINUTE + 10 {
        let heard = world.ask(Method::GET, "/oauth/jwks", "", &[]).await;
        refused += u32::from(heard.status == 429);
    }
    assert_eq!(refused, 10);
}

#[tokio::test]
async fn methods_and_paths_that_are_none_are_refused() {
    let world = World::new().await;
    for (method, path) in [
        (Method::POST, "/oauth/authorize"),
        (Method::GET, "/oauth/token"),
        (Method::GET, "/oauth/revoke"),
        (Method::POST, "/oauth/callback"),
        (Method::GET, "/oauth/../admin"),
        (Method::PUT, "/oauth/token"),
        (Method::GET, "/oauth/"),
    ] {
        assert_eq!(world.ask(method.clone(), path, "", &[]).await.status, 404, "{method} {path}");
    }
    let json = world.ask(Method::POST, "/oauth/token", "{}", &[("content-type", "application/json")]).await;
    assert_eq!(json.error(), "invalid_request");
    let twice = world.ask(Method::POST, "/oauth/token", "grant_type=refresh_token&grant_type=x", &[]).await;
    assert_eq!(twice.error(), "invalid_request");
}
