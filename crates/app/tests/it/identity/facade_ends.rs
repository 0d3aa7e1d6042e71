//! The end of what was given: by the application, by the provider, by whoever is no more who they were.

use serde_json::json;

use super::person::{Browser, Page as _, Place, resource};
use super::provider::{CLIENT, seconds};

#[tokio::test]
async fn a_token_that_its_client_gives_back_is_over_and_another_cannot_give_it_back() {
    let place = Place::start().await;
    let tokens = place.tokens().await;
    let (refresh, access) = (tokens["refresh_token"].as_str().unwrap(), tokens["access_token"].as_str().unwrap());
    for (client, token) in [("another", refresh), ("another", access), ("editor", "unknown")] {
        let heard = place.post("/oauth/revoke", &[("client_id", client), ("token", token)]).await;
        assert_eq!(heard.status, 200, "it tells nothing");
    }
    let next = place.refresh(&tokens).await;
    assert_eq!(next.status, 200, "{}", next.text());
    let next = next.json();
    let access = next["access_token"].as_str().unwrap();
    assert_eq!(place.post("/oauth/revoke", &[("client_id", "editor"), ("token", access)]).await.status, 200);
    assert_eq!(place.refresh(&next).await.error(), "invalid_grant", "the family ends with any of its tokens");
}

#[tokio::test]
async fn who_is_no_more_who_they_were_at_the_provider_gets_no_further_token() {
    let place = Place::start().await;
    let (gone, renamed, kept) = (place.tokens().await, place.tokens().await, place.tokens().await);
    let swapped = place.tokens().await;
    place.provider.is_away(true);
    let heard = place.refresh(&kept).await;
    assert_eq!((heard.status.as_u16(), heard.error().as_str()), (503, "temporarily_unavailable"));
    place.provider.is_away(false);
    let kept = place.refresh(&kept).await;
    assert_eq!(kept.status, 200, "what could not be asked ended nothing: {}", kept.text());
    place.provider.says("preferred_username", json!("root"));
    assert_eq!(place.refresh(&renamed).await.error(), "invalid_grant", "another name is another person");
    place.provider.says("preferred_username", json!("ana"));
    place.provider.says("sub", json!("s-other"));
    assert_eq!(place.refresh(&swapped).await.error(), "invalid_grant", "somebody else of the same name");
    place.provider.says("sub", json!("s-ana"));
    place.provider.forgets_everybody();
    assert_eq!(place.refresh(&gone).await.error(), "invalid_grant");
    assert_eq!(place.refresh(&kept.json()).await.error(), "invalid_grant");
    place.leaks_nothing().await;
}

#[tokio::test]
async fn the_provider_says_that_somebody_left_and_only_it_can() {
    let place = Place::start().await;
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let events = event.clone();
    let token = |id: &str, changed: &[(&str, serde_json::Value)]| {
        let mut said = json!({ "aud": CLIENT, "jti": id, "sid": "session-1", "sub": "s-ana", "events": events });
        for (name, value) in changed {
            said[*name] = value.clone();
        }
        said
    };
    let tokens = place.tokens().await;
    let whole = [("iss", json!(place.provider.issuer())), ("iat", json!(seconds())), ("exp", json!(seconds() + 60))];
    let forged = [
        // All of it is right but who signed it.
        place.robot.sign("logout+jwt", token("a", &whole).as_object().unwrap()).unwrap(),
        place.provider.signs("logout+jwt", &token("b", &[("aud", json!("another"))])),
        place.provider.signs("logout+jwt", &token("c", &[("events", json!({}))])),
        place.provider.signs("logout+jwt", &token("d", &[("nonce", json!("n"))])),
        place.provider.signs("oauth-id-jag+jwt", &token("e", &[])),
        place.provider.signs("logout+jwt", &token("g", &[("iss", json!("https://id.evil.test"))])),
        place.provider.signs("logout+jwt", &token("h", &[("exp", json!(seconds() - 600))])),
        place.provider.signs("logout+jwt", &token("i", &[("iat", json!(seconds() + 600))])),
        "nothing".to_owned(),
    ];
    for token in &forged {
        let heard = place.post("/oauth/backchannel-logout", &[("logout_token", token)]).await;
        assert_eq!(heard.status, 400, "{}", heard.text());
    }
    let tokens = place.refresh(&tokens).await;
    assert_eq!(tokens.status, 200, "nobody left: {}", tokens.text());
    let good = place.provider.signs("logout+jwt", &token("f", &[]));
    let left = [("logout_token", good.as_str())];
    assert_eq!(place.post("/oauth/backchannel-logout", &left).await.status, 200);
    assert_eq!(place.refresh(&tokens.json()).await.error(), "invalid_grant");
    assert_eq!(place.post("/oauth/backchannel-logout", &left).await.status, 400, "it is heard once");
}

#[tokio::test]
async fn an_application_that_people_take_an_endpoint_from_gets_nothing_more_there() {
    let place = Place::start().await;
    let tokens = place.tokens().await;
    let code = place.back(&[]).await["code"].clone();
    let browser = Browser::default();
    let asked = [("client_id", "editor"), ("resource", &resource("desk"))];
    let begun = place.post("/oauth/device_authorization", &asked).await.json();
    let page = browser.post(&place, "/oauth/device", &[("user_code", begun["user_code"].as_str().unwrap())]).await;
    let onward = browser.post(&place, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
    let callback = browser.at_the_provider(&place, &onward.link()).await;
    assert_eq!(browser.get(&place, &callback).await.status, 200);
    let page = browser.get(&place, &place.authorize(&[])).await;

    let file = place.gate.directory().join("state/agents/helpdesk.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("endpoints = [\"desk\"]", "endpoints = []")).unwrap();
    place.gate.apply().await;
    place.gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;

    let form = [("request", page.sealed()), ("answer", "allow".to_owned())];
    let form: Vec<_> = form.iter().map(|(name, said)| (*name, said.as_str())).collect();
    assert_eq!(browser.post(&place, "/oauth/consent", &form).await.status, 403, "the page was shown before");
    assert_eq!(place.redeem(&code, &[]).await.error(), "invalid_grant");
    assert_eq!(place.refresh(&tokens).await.error(), "invalid_grant");
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let device = begun["device_code"].as_str().unwrap();
    let poll = [("grant_type", grant), ("client_id", "editor"), ("device_code", device)];
    assert_eq!(place.post("/oauth/token", &poll).await.error(), "invalid_grant");
}
