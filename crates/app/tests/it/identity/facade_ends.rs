//! The end of what was given: by the application, by the provider, by whoever is no more who they were.

use serde_json::json;

use super::person::{Page as _, Place};
use super::provider::CLIENT;

#[tokio::test]
async fn a_token_that_its_client_gives_back_is_over_and_another_cannot_give_it_back() {
    let place = Place::start().await;
    let tokens = place.tokens().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    for (client, token) in [("another", refresh), ("editor", "unknown")] {
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
    place.provider.is_away(true);
    let heard = place.refresh(&kept).await;
    assert_eq!((heard.status.as_u16(), heard.error().as_str()), (503, "temporarily_unavailable"));
    place.provider.is_away(false);
    let kept = place.refresh(&kept).await;
    assert_eq!(kept.status, 200, "what could not be asked ended nothing: {}", kept.text());
    place.provider.says("preferred_username", json!("root"));
    assert_eq!(place.refresh(&renamed).await.error(), "invalid_grant", "another name is another person");
    place.provider.says("preferred_username", json!("ana"));
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
    let forged = [
        place.robot.sign("logout+jwt", token("a", &[]).as_object().unwrap()).unwrap(),
        place.provider.signs("logout+jwt", &token("b", &[("aud", json!("another"))])),
        place.provider.signs("logout+jwt", &token("c", &[("events", json!({}))])),
        place.provider.signs("logout+jwt", &token("d", &[("nonce", json!("n"))])),
        place.provider.signs("oauth-id-jag+jwt", &token("e", &[])),
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
