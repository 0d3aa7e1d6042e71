//! Clients that nobody registered one by one: those that describe themselves, and those that register.

use http::Method;
use serde_json::{Value, json};

use super::world::{Browser, REDIRECT, World, resource};

const DOCUMENT: &str = "https://clients.example/editor.json";

fn document() -> Value {
    json!({
        "client_id": DOCUMENT,
        "client_name": "Some <Editor>",
        "redirect_uris": ["http://127.0.0.1/cb", "http://localhost/cb"],
        "token_endpoint_auth_method": "none",
    })
}

#[tokio::test]
async fn a_client_that_describes_itself_at_a_known_host_signs_in() {
    let world = World::new().await;
    world.provider.publish(DOCUMENT, document());
    let page = Browser::default().get(&world, &world.authorize(&[("client_id", DOCUMENT)])).await;
    for told in ["Some &lt;Editor&gt;", "https://clients.example", "nobody can tell which program"] {
        assert!(page.body.contains(told), "the page does not tell `{told}`:\n{}", page.body);
    }
    let code = world.code(&[("client_id", DOCUMENT)]).await;
    let tokens = world.redeem_with(&code["code"], &[("client_id", DOCUMENT)]).await.json();
    let claims = world.claims(&tokens["access_token"], "sales");
    assert_eq!((claims.text("client_id"), claims.text("registration")), (Some(DOCUMENT), Some("editor")));
}

#[tokio::test]
async fn nobody_is_asked_for_a_document_but_the_hosts_that_settings_name() {
    let world = World::new().await;
    for id in [
        "https://evil.example/editor.json",
        "https://clients.example.evil.example/editor.json",
        "http://clients.example/editor.json",
        "https://clients.example:8443/editor.json",
        "https://clients.example",
        "https://clients.example/",
        "https://clients.example/editor.json?x=1",
        "https://clients.example/editor.json#x",
        "https://user@clients.example/editor.json",
        "https://CLIENTS.example/editor.json",
        "https://clients.example/a/../editor.json",
        "https://127.0.0.1/editor.json",
        "https://169.254.169.254/latest",
        "https://[::1]/editor.json",
        "file:///etc/passwd",
    ] {
        let heard = Browser::default().get(&world, &world.authorize(&[("client_id", id)])).await;
        assert_eq!((heard.status.as_u16(), heard.location()), (400, None), "{id}");
    }
    assert_eq!(world.provider.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_document_that_cannot_be_believed_makes_no_client() {
    let world = World::new().await;
    let wrong: [(&str, Value); 12] = [
        ("client_id", json!("https://clients.example/another.json")),
        ("client_id", Value::Null),
        ("client_name", Value::Null),
        ("client_name", json!("")),
        ("redirect_uris", json!([])),
        ("redirect_uris", json!(["http://evil.example/cb"])),
        ("redirect_uris", json!(["javascript:alert(1)"])),
        ("redirect_uris", json!("http://127.0.0.1/cb")),
        ("client_secret", json!("known to everybody")),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("jwks_uri", json!("https://evil.example/keys")),
    ];
    for (number, (name, value)) in wrong.into_iter().enumerate() {
        let at = format!("https://clients.example/{number}.json");
        let mut told = document();
        told["client_id"] = at.clone().into();
        if name == "jwks_uri" {
            told["token_endpoint_auth_method"] = "private_key_jwt".into();
        }
        told[name] = value;
        world.provider.publish(&at, told.clone());
        let heard = Browser::default().get(&world, &world.authorize(&[("client_id", &at)])).await;
        assert_eq!((heard.status.as_u16(), heard.location()), (400, None), "{told}");
    }
    let heard = Browser::default().get(&world, &world.authorize(&[("client_id", DOCUMENT)])).await;
    assert_eq!(heard.status, 400, "it is not there");
}

#[tokio::test]
async fn clients_do_not_register_by_themselves_unless_settings_say_so() {
    let world = World::new().await;
    let asked = json!({ "redirect_uris": [REDIRECT] }).to_string();
    let heard = world.ask(Method::POST, "/oauth/register", &asked, &[]).await;
    assert_eq!((heard.status.as_u16(), heard.error().as_str()), (403, "access_denied"));
}

#[tokio::test]
async fn a_client_that_registers_by_itself_is_the_agent_that_settings_name() {
    let world = World::with(|terms| terms.registration = Some("editor".to_owned())).await;
    let register = |asked: Value| {
        let world = &world;
        async move { world.ask(Method::POST, "/oauth/register", &asked.to_string(), &[]).await }
    };
    for wrong in [
        json!({}),
        json!({ "redirect_uris": [] }),
        json!({ "redirect_uris": ["http://evil.example/cb"] }),
        json!({ "redirect_uris": ["javascript:alert(1)"] }),
        json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "client_secret_basic" }),
    ] {
        assert_eq!(register(wrong.clone()).await.status, 400, "{wrong}");
    }
    let heard = register(json!({ "redirect_uris": [REDIRECT], "client_name": "Mine" })).await;
    assert_eq!(heard.status, 201, "{}", heard.body);
    let registered = heard.json();
    assert!(registered.get("client_secret").is_none());
    let id = registered["client_id"].as_str().unwrap();
    let code = world.code(&[("client_id", id), ("resource", &resource("desk"))]).await;
    let tokens = world.redeem_with(&code["code"], &[("client_id", id)]).await.json();
    let claims = world.claims(&tokens["access_token"], "desk");
    assert_eq!((claims.text("client_id"), claims.text("registration")), (Some(id), Some("editor")));
}
