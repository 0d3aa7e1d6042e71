//! A person signs in for an application, and the application gets tokens that are good at one endpoint.

use super::person::{Browser, GATE, Page as _, Place, REDIRECT, claims, parameters, resource};

#[tokio::test]
async fn an_application_finds_out_by_itself_how_people_sign_in() {
    let place = Place::start().await;
    let heard = place.send("GET", "/.well-known/oauth-authorization-server", &[], "").await;
    assert_eq!(heard.status, 200);
    let told = heard.json();
    assert_eq!(told["issuer"], GATE);
    assert_eq!(told["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(told["authorization_response_iss_parameter_supported"], true);
    assert!(told.get("registration_endpoint").is_none(), "nobody registers by themselves unless settings say so");
    let keys = place.send("GET", "/oauth/jwks", &[], "").await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert!(keys["keys"][0].get("d").is_none(), "only what everybody may know is published");
}

#[tokio::test]
async fn a_person_signs_in_and_the_application_has_a_token_for_one_endpoint() {
    let place = Place::start().await;
    let back = place.back(&[]).await;
    assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("the application's own", GATE));
    let heard = place.redeem(&back["code"], &[]).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(heard.headers["cache-control"], "no-store");
    let tokens = heard.json();
    let said = claims(&tokens["access_token"]);
    assert_eq!(said["iss"], GATE);
    assert_eq!(said["aud"], resource("desk"));
    assert_eq!((said["client_id"].as_str(), said["registration"].as_str()), (Some("editor"), Some("editor")));
    assert_eq!((said["user"].as_str(), said["sub"].as_str()), (Some("ana"), Some("s-ana")));
    assert_eq!(said["groups"], serde_json::json!(["support"]));
    let lives = said["exp"].as_u64().unwrap() - said["iat"].as_u64().unwrap();
    assert!(lives <= 600, "{lives}");
    place.leaks_nothing().await;
}

#[tokio::test]
async fn a_refresh_token_changes_with_each_use_and_tokens_outlive_a_restart() {
    let place = Place::start().await;
    let first = place.tokens().await;
    let second = place.refresh(&first).await.json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let keys = place.send("GET", "/oauth/jwks", &[], "").await.json();
    place.gate.end().await;
    place.gate.again().await;
    assert_eq!(place.send("GET", "/oauth/jwks", &[], "").await.json(), keys, "what was signed is still believed");
    let third = place.refresh(&second).await;
    assert_eq!(third.status, 200, "{}", third.text());
    place.leaks_nothing().await;
}

#[tokio::test]
async fn a_device_without_a_browser_waits_until_its_person_signed_in() {
    let place = Place::start().await;
    let form = [("client_id", "editor"), ("resource", &resource("desk"))];
    let begun = place.post("/oauth/device_authorization", &form).await.json();
    assert_eq!(begun["verification_uri"], format!("{GATE}/oauth/device"));
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let code = begun["device_code"].as_str().unwrap().to_owned();
    let poll = [("grant_type", grant), ("client_id", "editor"), ("device_code", &code)];
    assert_eq!(place.post("/oauth/token", &poll).await.error(), "authorization_pending");
    assert_eq!(place.post("/oauth/token", &poll).await.error(), "slow_down");

    let browser = Browser::default();
    let typed = begun["user_code"].as_str().unwrap().to_lowercase();
    assert_eq!(browser.get(&place, "/oauth/device").await.status, 200);
    let page = browser.post(&place, "/oauth/device", &[("user_code", &typed)]).await;
    assert!(page.text().contains("helpdesk") && page.text().contains("device"), "{}", page.text());
    let onward = browser.post(&place, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
    let callback = browser.at_the_provider(&place, &onward.link()).await;
    assert_eq!(browser.get(&place, &callback).await.status, 200);

    let tokens = loop {
        let heard = place.post("/oauth/token", &poll).await;
        match heard.error().as_str() {
            "slow_down" | "authorization_pending" => tokio::time::sleep(std::time::Duration::from_secs(1)).await,
            _ => break heard,
        }
    };
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    assert_eq!(claims(&tokens.json()["access_token"])["user"], "ana");
    assert_eq!(place.post("/oauth/token", &poll).await.error(), "expired_token", "it is good once");
    place.leaks_nothing().await;
}

#[tokio::test]
async fn a_person_who_says_no_leaves_nothing_and_goes_nowhere_else() {
    let place = Place::start().await;
    let browser = Browser::default();
    let page = browser.get(&place, &place.authorize(&[])).await;
    let onward = browser.post(&place, "/oauth/consent", &[("request", &page.sealed()), ("answer", "deny")]).await;
    let link = onward.link();
    assert!(link.starts_with(REDIRECT), "{link}");
    let told = parameters(&link);
    assert_eq!((told["error"].as_str(), told["iss"].as_str()), ("access_denied", GATE));
    assert!(place.provider.begun().is_empty());
}
