//! The confused deputy, and everybody else who would be led through a sign-in that they did not begin (MCP 2026-07-28,
//! security best practices). Each rule there is a test here.

use identity::jwt::SigningKey;
use serde_json::json;

use super::facade_clients::lobby;
use super::person::{Browser, GATE, Page as _, Place, REDIRECT, VERIFIER, encoded, parameters, resource};
use super::provider::seconds;

/// The gate lets nobody through to the provider whom the person did not say yes to, signed in there or not.
#[tokio::test]
async fn each_client_needs_a_yes_of_its_own_before_anybody_is_sent_to_the_provider() {
    let place = Place::start().await;
    let browser = Browser::default();
    let callback = browser.signs_in(&place, &place.authorize(&[])).await;
    assert!(browser.get(&place, &callback).await.leads_to().starts_with(REDIRECT));
    let begun = place.provider.begun().len();
    for client in ["another", "editor"] {
        let page = browser.get(&place, &place.authorize(&[("client_id", client)])).await;
        assert_eq!((page.status.as_u16(), page.headers.get("location")), (200, None), "{client} is asked for");
    }
    assert_eq!(place.provider.begun().len(), begun);
    let agreed = |page: &serde_json::Value| page.to_string().contains("signin.consent");
    let kept = place.gate.until("/receipts?kind=changed", agreed).await.to_string();
    assert!(kept.contains("editor") && kept.contains("ana"), "a yes is on record: {kept}");
}

#[tokio::test]
async fn the_page_names_client_endpoint_and_redirect_and_nothing_can_be_drawn_over_it() {
    let place = Place::start().await;
    let page = Browser::default().get(&place, &place.authorize(&[])).await;
    let text = page.text();
    for named in ["helpdesk", "desk", "A help desk", "http://127.0.0.1:3000", REDIRECT] {
        assert!(text.contains(named), "`{named}` is not on the page:\n{text}");
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    for rule in ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert_eq!(page.headers["x-frame-options"], "DENY");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(!text.contains("<script"), "{text}");
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn a_yes_that_the_person_did_not_give_in_this_browser_is_none() {
    let place = Place::start().await;
    let (person, thief) = (Browser::default(), Browser::default());
    let page = person.get(&place, &place.authorize(&[])).await;
    let theirs = thief.get(&place, &place.authorize(&[("client_id", "another")])).await;
    let sealed = page.sealed();
    let form = encoded(&[("request", &sealed), ("answer", "allow")]);
    let own = [("origin", GATE), ("sec-fetch-site", "same-origin")];
    let forged = [
        (
            "another site's page",
            person.send(&place, "POST", "/oauth/consent", &[("origin", "https://evil.test")], &form).await,
        ),
        ("a page of no origin", person.send(&place, "POST", "/oauth/consent", &[("origin", "null")], &form).await),
        (
            "a cross-site form",
            person.send(&place, "POST", "/oauth/consent", &[("sec-fetch-site", "cross-site")], &form).await,
        ),
        ("a browser without the cookie", place.send("POST", "/oauth/consent", &own, &form).await),
        ("another browser", thief.post(&place, "/oauth/consent", &[("request", &sealed), ("answer", "allow")]).await),
        (
            "a form that was shown to somebody else",
            person.post(&place, "/oauth/consent", &[("request", &theirs.sealed()), ("answer", "allow")]).await,
        ),
        ("a form that was changed", {
            let first = if sealed.starts_with('A') { "B" } else { "A" };
            let changed = format!("{first}{}", sealed.chars().skip(1).collect::<String>());
            person.post(&place, "/oauth/consent", &[("request", &changed), ("answer", "allow")]).await
        }),
        (
            "an answer that is none",
            person.post(&place, "/oauth/consent", &[("request", &sealed), ("answer", "maybe")]).await,
        ),
        ("a yes in a link", person.get(&place, &format!("/oauth/consent?{form}")).await),
    ];
    for (what, heard) in forged {
        assert!(heard.status.is_client_error(), "{what}: {}", heard.status);
        assert!(heard.headers.get("location").is_none(), "{what}");
    }
    assert!(place.provider.begun().is_empty());
    place.gate.counted("visit-refused").await;
}

#[tokio::test]
async fn a_code_goes_to_a_listed_address_letter_by_letter_or_nowhere() {
    let place = Place::start().await;
    for redirect in [
        "https://client.example/cb/",
        "https://client.example/cb?x=1",
        "https://client.example/CB",
        "https://client.example.evil.test/cb",
        "https://client.example@evil.test/cb",
        "https://evil.test/cb",
        "http://client.example/cb",
        "http://127.0.0.1:3000/other",
        "http://127.0.0.1:3000@evil.test/cb",
        "http://localhost:3000/cb",
        "javascript:alert(1)",
        "//evil.test/cb",
        "",
    ] {
        let heard = place.send("GET", &place.authorize(&[("redirect_uri", redirect)]), &[], "").await;
        assert_eq!((heard.status.as_u16(), heard.headers.get("location")), (400, None), "{redirect}");
        assert!(!heard.text().contains("evil.test"), "a page does not repeat where a link would lead: {redirect}");
    }
    let twice = format!("{}&{}", place.authorize(&[]), encoded(&[("redirect_uri", "https://evil.test/cb")]));
    assert_eq!(place.send("GET", &twice, &[], "").await.status, 400);
    let unknown = place.send("GET", &place.authorize(&[("client_id", "nobody")]), &[], "").await;
    assert_eq!((unknown.status.as_u16(), unknown.headers.get("location")), (400, None));
}

#[tokio::test]
async fn what_comes_back_is_good_once_in_the_browser_that_left() {
    let place = Place::start().await;
    let (person, thief) = (Browser::default(), Browser::default());
    thief.get(&place, &place.authorize(&[])).await;
    let callback = person.signs_in(&place, &place.authorize(&[])).await;
    let state = parameters(&format!("{GATE}{callback}"))["state"].clone();
    for other in ["/oauth/callback?code=x", "/oauth/callback?code=x&state=guessed"] {
        assert_eq!(person.get(&place, other).await.status, 403, "{other}");
    }
    // A link with somebody's state signs nobody in, and spends it.
    assert_eq!(thief.get(&place, &callback).await.status, 403);
    assert_eq!(person.get(&place, &callback).await.status, 403);
    let again = person.signs_in(&place, &place.authorize(&[])).await;
    assert_ne!(parameters(&format!("{GATE}{again}"))["state"], state);
    assert!(person.get(&place, &again).await.leads_to().starts_with(REDIRECT));
    assert_eq!(person.get(&place, &again).await.status, 403, "the same answer a second time");
}

#[tokio::test]
async fn an_answer_of_another_provider_or_for_another_sign_in_signs_nobody_in() {
    for (what, value) in
        [("iss", "https://id.evil.test"), ("iss", ""), ("state", "guessed"), ("state", ""), ("code", "")]
    {
        let place = Place::start().await;
        place.provider.sends_back(what, value);
        let browser = Browser::default();
        let callback = browser.signs_in(&place, &place.authorize(&[])).await;
        let heard = browser.get(&place, &callback).await;
        assert_eq!((heard.status.as_u16(), heard.headers.get("location")), (403, None), "{what}={value}");
    }
    // Nor is another's no the provider's.
    let place = Place::start().await;
    place.provider.sends_back("error", "access_denied");
    place.provider.sends_back("iss", "https://id.evil.test");
    let browser = Browser::default();
    let callback = browser.signs_in(&place, &place.authorize(&[])).await;
    let heard = browser.get(&place, &callback).await;
    assert_eq!((heard.status.as_u16(), heard.headers.get("location")), (403, None));
    for (claim, value) in [
        ("nonce", json!("of another sign-in")),
        ("nonce", json!(null)),
        ("aud", json!("another client")),
        ("aud", json!(["portcullis", "another client"])),
        ("azp", json!("another client")),
        ("iss", json!("https://id.evil.test")),
        ("exp", json!(1_000_000_000)),
        ("iat", json!(seconds() + 600)),
        ("preferred_username", json!(null)),
        ("sub", json!(null)),
        ("at_hash", json!("of another token")),
    ] {
        let place = Place::start().await;
        place.provider.says(claim, value.clone());
        let told = place.back(&[]).await;
        assert_eq!(told.get("error").map(String::as_str), Some("access_denied"), "{claim}={value}: {told:?}");
        assert!(!told.contains_key("code"));
    }
    for (typ, key) in [("at+jwt", None), ("logout+jwt", None), ("JWT", Some(SigningKey::generate().unwrap()))] {
        let place = Place::start().await;
        place.provider.forges(typ, key);
        let told = place.back(&[]).await;
        assert_eq!(told.get("error").map(String::as_str), Some("access_denied"), "{typ}: {told:?}");
    }
}

#[tokio::test]
async fn a_sign_in_that_is_older_than_was_asked_for_gives_no_code() {
    let asked = [("max_age", "60")];
    for auth_time in [json!(seconds() - 600), json!(null)] {
        let place = Place::start().await;
        place.provider.says("auth_time", auth_time.clone());
        let told = place.back(&asked).await;
        assert_eq!(told.get("error").map(String::as_str), Some("access_denied"), "{auth_time}: {told:?}");
    }
    let place = Place::start().await;
    place.provider.says("auth_time", json!(seconds() - 10));
    assert!(place.back(&asked).await.contains_key("code"));
    assert_eq!(place.provider.begun()[0]["max_age"], "60");
    let heard = place.send("GET", &place.authorize(&[("max_age", "soon")]), &[], "").await;
    assert_eq!(parameters(&heard.leads_to())["error"], "invalid_request");
}

#[tokio::test]
async fn nobody_is_known_by_what_the_provider_does_not_vouch_for() {
    let by_email = async |verified: serde_json::Value| {
        let place = Place::of("", |setup| setup.settings = setup.settings.replace("preferred_username", "email")).await;
        place.provider.says("email", json!("ana@acme.example"));
        place.provider.says("email_verified", verified);
        place.back(&[]).await
    };
    for verified in [json!(false), json!(null), json!("true")] {
        let told = by_email(verified.clone()).await;
        assert_eq!(told.get("error").map(String::as_str), Some("access_denied"), "{verified}: {told:?}");
    }
    assert!(by_email(json!(true)).await.contains_key("code"));
    // What is asked for beside the token is of the token's person, also when they are asked after again.
    let place = Place::with("ask_userinfo = true\n").await;
    place.provider.informs(json!({ "sub": "s-other", "groups": ["support"] }));
    let told = place.back(&[]).await;
    assert_eq!(told.get("error").map(String::as_str), Some("access_denied"), "{told:?}");
    let own = json!({ "sub": "s-ana", "preferred_username": "ana", "groups": ["support"] });
    place.provider.informs(own.clone());
    let (first, second) = (place.tokens().await, place.tokens().await);
    place.provider.is_terse();
    assert_eq!(place.refresh(&first).await.status, 200);
    let mut other = own;
    other["sub"] = json!("s-other");
    place.provider.informs(other);
    assert_eq!(place.refresh(&second).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_provider_that_speaks_for_another_signs_nobody_in() {
    for (name, said) in [
        ("issuer", json!("https://id.evil.test")),
        ("authorization_endpoint", json!("http://id.evil.test/authorize")),
        ("token_endpoint", json!("http://id.evil.test/token")),
        ("code_challenge_methods_supported", json!(["plain"])),
    ] {
        let place = Place::start().await;
        place.provider.tells(name, said);
        let browser = Browser::default();
        let page = browser.get(&place, &place.authorize(&[])).await;
        let form = [("request", page.sealed()), ("answer", "allow".to_owned())];
        let form: Vec<_> = form.iter().map(|(name, said)| (*name, said.as_str())).collect();
        let heard = browser.post(&place, "/oauth/consent", &form).await;
        assert!(heard.status.is_server_error(), "{name}: {} {}", heard.status, heard.text());
        assert!(!heard.text().contains("evil.test") && place.provider.begun().is_empty(), "{}", heard.text());
    }
}

#[tokio::test]
async fn a_browser_is_known_by_no_cookie_that_the_gate_did_not_make() {
    let place = Place::start().await;
    for planted in ["chosen".to_owned(), "A".repeat(80)] {
        let cookie = format!("__Host-portcullis={planted}");
        let page = place.send("GET", &place.authorize(&[]), &[("cookie", &cookie)], "").await;
        let given = page.headers.get("set-cookie").expect("a cookie of the gate's own").to_str().unwrap();
        assert!(given.starts_with("__Host-portcullis=") && !given.contains(&planted), "{given}");
        let form = encoded(&[("request", &page.sealed()), ("answer", "allow")]);
        let own = [("origin", GATE), ("sec-fetch-site", "same-origin"), ("cookie", cookie.as_str())];
        assert_eq!(place.send("POST", "/oauth/consent", &own, &form).await.status, 403);
    }
}

#[tokio::test]
async fn what_a_device_waits_for_is_typed_at_the_gate_and_given_to_its_own_client() {
    let place = Place::start().await;
    let asked = [("client_id", "editor"), ("resource", &resource("desk"))];
    let begun = place.post("/oauth/device_authorization", &asked).await.json();
    let (code, typed) = (begun["device_code"].as_str().unwrap(), begun["user_code"].as_str().unwrap());
    let browser = Browser::default();
    for (name, said) in [("origin", "https://evil.test"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        let form = encoded(&[("user_code", typed)]);
        let heard = browser.send(&place, "POST", "/oauth/device", &[(name, said)], &form).await;
        assert_eq!(heard.status, 403, "{name}: {said}");
    }
    let page = browser.post(&place, "/oauth/device", &[("user_code", typed)]).await;
    let onward = browser.post(&place, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
    let callback = browser.at_the_provider(&place, &onward.link()).await;
    assert_eq!(browser.get(&place, &callback).await.status, 200);
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    assert_eq!(sibling(&place, &[("grant_type", grant), ("device_code", code)]).await, "invalid_grant");
}

/// A minute of requests, and as many again because a new minute may begin meanwhile.
#[tokio::test]
async fn an_address_that_asks_without_end_is_not_answered() {
    let place = Place::start().await;
    for asked in 0..1_300 {
        let heard = place.send("GET", "/oauth/jwks", &[], "").await;
        if heard.status == 429 {
            assert!(asked >= 600, "{asked}");
            return;
        }
        assert_eq!(heard.status, 200, "{asked}");
    }
    panic!("it is answered still");
}

/// What another client of the very same agent hears.
async fn sibling(place: &Place, form: &[(&str, &str)]) -> String {
    let proof = place.assertion("signing-editor", "sibling", &[]);
    place.by_assertion(&proof, form).await.error()
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_and_its_verifier_and_what_it_began_ends_when_it_comes_again() {
    let place = Place::of("", |setup| setup.state.push(lobby())).await;
    for changed in [
        ("code_verifier", "another-verifier-another-verifier-another-verifier"),
        ("code_verifier", ""),
        ("client_id", "another"),
        ("redirect_uri", "https://client.example/cb"),
        ("code", "guessed"),
    ] {
        let back = place.back(&[]).await;
        assert_eq!(place.redeem(&back["code"], &[changed]).await.error(), "invalid_grant", "{changed:?}");
    }
    let back = place.back(&[]).await;
    let form = [("code", back["code"].as_str()), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
    let form = [&[("grant_type", "authorization_code")], &form[..]].concat();
    assert_eq!(sibling(&place, &form).await, "invalid_grant");
    let back = place.back(&[]).await;
    let elsewhere = resource("lobby");
    assert_eq!(place.redeem(&back["code"], &[("resource", &elsewhere)]).await.error(), "invalid_target");
    let back = place.back(&[]).await;
    let tokens = place.redeem(&back["code"], &[]).await.json();
    assert_eq!(place.redeem(&back["code"], &[]).await.error(), "invalid_grant");
    assert_eq!(place.refresh(&tokens).await.error(), "invalid_grant", "somebody else had the code");
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_ends_its_family() {
    let place = Place::start().await;
    let first = place.tokens().await;
    let second = place.refresh(&first).await.json();
    assert_eq!(place.refresh(&first).await.error(), "invalid_grant");
    assert_eq!(place.refresh(&second).await.error(), "invalid_grant", "nobody knows who has which");
    let stolen = place.tokens().await;
    let token = stolen["refresh_token"].as_str().unwrap();
    let as_another = [("grant_type", "refresh_token"), ("client_id", "another"), ("refresh_token", token)];
    assert_eq!(place.post("/oauth/token", &as_another).await.error(), "invalid_grant");
    assert_eq!(sibling(&place, &[as_another[0], as_another[2]]).await, "invalid_grant");
}

#[tokio::test]
async fn what_an_application_may_not_ask_for_is_told_to_it_and_nobody_signs_in() {
    let place = Place::of("", |setup| setup.state.push(lobby())).await;
    let lobby = resource("lobby");
    let other_case = resource("DESK");
    for (changed, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("response_mode", "fragment"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("resource", ""), "invalid_target"),
        (("resource", lobby.as_str()), "invalid_target"),
        (("resource", other_case.as_str()), "invalid_target"),
        (("resource", "https://elsewhere.test/desk/mcp"), "invalid_target"),
        (("request", "eyJ"), "request_not_supported"),
        (("request_uri", "https://evil.test/request"), "request_uri_not_supported"),
        (("prompt", "none"), "consent_required"),
    ] {
        let heard = place.send("GET", &place.authorize(&[changed]), &[], "").await;
        let target = heard.leads_to();
        assert!(target.starts_with(REDIRECT), "{changed:?}: {target}");
        let told = parameters(&target);
        assert_eq!((told["error"].as_str(), told["iss"].as_str()), (error, GATE), "{changed:?}");
    }
    assert!(place.provider.begun().is_empty());
}
