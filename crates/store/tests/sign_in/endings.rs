//! The end of what was given out: by the provider, by the client, by the person.

use identity::port::Facade as _;
use model::limits;
use serde_json::{Value, json};

use super::provider::ISSUER;
use super::world::{World, is_revoked};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn logout(world: &World, jti: &str, changed: &[(&str, Value)]) -> String {
    let now = world.clock_seconds();
    let mut claims = json!({
        "iss": ISSUER, "aud": "portcullis", "iat": now, "exp": now + 120, "jti": jti, "sub": "s-ada", "events": { EVENT: {} },
    });
    for (name, value) in changed {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(*name);
        } else {
            claims[*name] = value.clone();
        }
    }
    world.provider.sign("logout+jwt", &claims)
}

async fn family(world: &World) -> (String, String) {
    let tokens = world.tokens().await;
    let claims = world.claims(&tokens["access_token"], "sales");
    (claims.text("family").unwrap().to_owned(), tokens["refresh_token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn who_leaves_at_the_provider_leaves_here() {
    let world = World::new().await;
    for changed in [vec![], vec![("sub", Value::Null), ("sid", json!("session-1"))]] {
        let (family, refresh) = family(&world).await;
        let token = logout(&world, &format!("jti of {family}"), &changed);
        assert_eq!(world.post("/oauth/backchannel-logout", &[("logout_token", &token)]).await.status, 200);
        assert!(is_revoked(&world, &family));
        assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant");
        let again = world.post("/oauth/backchannel-logout", &[("logout_token", &token)]).await;
        assert_eq!(again.status, 400, "a logout token is good once");
    }
}

#[tokio::test]
async fn a_logout_that_is_none_ends_nothing() {
    let world = World::new().await;
    let (family, refresh) = family(&world).await;
    let wrong = [
        vec![("nonce", json!("n"))],
        vec![("events", json!({}))],
        vec![("events", Value::Null)],
        vec![("aud", json!("another"))],
        vec![("iss", json!("https://evil.example"))],
        vec![("jti", Value::Null)],
        vec![("sub", Value::Null)],
        vec![("exp", json!(1))],
    ];
    for changed in wrong {
        let token = logout(&world, "jti", &changed);
        let heard = world.post("/oauth/backchannel-logout", &[("logout_token", &token)]).await;
        assert_eq!(heard.status, 400, "{changed:?}");
    }
    let by_another = world.robot.sign("logout+jwt", json!({ "iss": ISSUER, "aud": "portcullis" }).as_object().unwrap());
    assert_eq!(world.post("/oauth/backchannel-logout", &[("logout_token", &by_another.unwrap())]).await.status, 400);
    assert!(!is_revoked(&world, &family));
    assert_eq!(world.refresh(&refresh).await.status, 200);
}

#[tokio::test]
async fn a_client_gives_back_either_token_and_only_its_own() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let family = world.claims(&tokens["access_token"], "sales").text("family").unwrap().to_owned();
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    for token in [access, refresh, "made up"] {
        let heard = world.post("/oauth/revoke", &[("client_id", "another"), ("token", token)]).await;
        assert_eq!(heard.status, 200, "whose it is, is told to nobody");
    }
    assert!(!is_revoked(&world, &family));
    assert_eq!(
        world.post("/oauth/revoke", &[("client_id", "nobody"), ("token", access)]).await.error(),
        "invalid_client"
    );
    assert_eq!(world.post("/oauth/revoke", &[("client_id", "editor"), ("token", access)]).await.status, 200);
    assert!(is_revoked(&world, &family));
    assert_eq!(world.refresh(refresh).await.error(), "invalid_grant");

    let tokens = world.tokens().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(world.post("/oauth/revoke", &[("client_id", "editor"), ("token", refresh)]).await.status, 200);
    assert_eq!(world.refresh(refresh).await.error(), "invalid_grant");
}

#[tokio::test]
async fn who_the_provider_knows_no_more_is_known_here_no_more() {
    let world = World::new().await;
    let (family, refresh) = family(&world).await;
    world.provider.forget_everybody();
    assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant");
    assert!(is_revoked(&world, &family));
}

#[tokio::test]
async fn who_is_called_otherwise_now_is_somebody_else() {
    let world = World::new().await;
    let (family, refresh) = family(&world).await;
    world.provider.says("sub", json!("s-eve"));
    assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant");
    assert!(is_revoked(&world, &family));
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_ends_nothing_and_gives_nothing() {
    let world = World::new().await;
    let (family, refresh) = family(&world).await;
    world.provider.reachable(false);
    let heard = world.refresh(&refresh).await;
    assert_eq!((heard.status.as_u16(), heard.error().as_str()), (503, "temporarily_unavailable"));
    world.provider.reachable(true);
    assert!(!is_revoked(&world, &family));
    assert_eq!(world.refresh(&refresh).await.status, 200, "the same token is good when it can be asked again");
}

#[tokio::test]
async fn a_consent_that_is_withdrawn_ends_its_tokens() {
    let world = World::new().await;
    let (_, refresh) = family(&world).await;
    let consents = world.store.consents().await.unwrap();
    assert_eq!((consents[0].user.as_str(), consents[0].client.as_str()), ("s-ada", "editor"));
    assert!(world.store.withdraw(&consents[0].user, "editor", world.change()).await.unwrap());
    assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_family_has_an_end() {
    let world = World::new().await;
    let (_, refresh) = family(&world).await;
    world.clock.go_on(limits::FAMILY_MILLISECONDS_MAX);
    assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant");
}
