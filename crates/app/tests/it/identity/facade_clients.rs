//! Which applications may ask: those that people registered, those that describe themselves at a host that settings name, and
//! nobody else.

use serde_json::json;

use super::person::{GATE, JWT_BEARER, Page as _, Place, claims, resource};
use super::provider::seconds;
use crate::gate::files::endpoint;

/// An endpoint that is there, and not for any of the applications.
pub(super) fn lobby() -> (String, String) {
    ("endpoints/lobby.toml".to_owned(), endpoint("lobby", "desk"))
}

#[tokio::test]
async fn nobody_registers_by_themselves_unless_settings_say_so() {
    let body = json!({ "redirect_uris": ["http://127.0.0.1/cb"], "client_name": "Order Editor" }).to_string();
    let headers = [("content-type", "application/json")];
    let closed = Place::start().await;
    let heard = closed.send("POST", "/oauth/register", &headers, &body).await;
    assert!(heard.status.is_client_error(), "{}", heard.status);

    let open = Place::with("registration = \"editor\"\n").await;
    let heard = open.send("POST", "/oauth/register", &headers, &body).await;
    assert_eq!(heard.status, 201, "{}", heard.text());
    let registered = heard.json();
    let id = registered["client_id"].as_str().unwrap();
    assert!(registered.get("client_secret").is_none());
    let page = open.send("GET", &open.authorize(&[("client_id", id)]), &[], "").await;
    assert!(page.text().contains("Order Editor") && page.text().contains("nobody can tell"), "{}", page.text());
    for redirect in ["http://evil.test/cb", "javascript:alert(1)", "https://a.test/cb#x"] {
        let body = json!({ "redirect_uris": [redirect], "client_name": "Evil" }).to_string();
        let heard = open.send("POST", "/oauth/register", &headers, &body).await;
        assert_eq!(heard.status, 400, "{redirect}");
    }
}

/// Whoever writes a document could have the gate look at places that only the gate can see.
#[tokio::test]
async fn no_document_is_fetched_from_a_host_that_nobody_named_or_from_inside() {
    let documents = |host: &str| format!("documents = [{{ host = \"{host}\", client = \"editor\" }}]\n");
    // The name of this machine: settings allow the host, and the gate's reach does not.
    let place = Place::with(&documents("localhost")).await;
    for client in [
        "https://localhost/client.json",
        "https://clients.example/client.json",
        "https://localhost.evil.test/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/client.json",
        "https://[::1]/client.json",
        "https://10.0.0.1/client.json",
        "https://2130706433/client.json",
        "https://localhost:8443/client.json",
        "https://user@localhost/client.json",
        "https://localhost/",
        "https://localhost/client.json?x=1",
        "https://localhost/a/../client.json",
        "http://localhost/client.json",
        "file:///etc/passwd",
    ] {
        let heard = place.send("GET", &place.authorize(&[("client_id", client)]), &[], "").await;
        assert_eq!((heard.status.as_u16(), heard.headers.get("location")), (400, None), "{client}");
    }
    assert!(place.provider.begun().is_empty());
    place.gate.has_said("could not be fetched").await;
    // None was asked for but the one that settings allow.
    let said = place.gate.output();
    for other in
        ["clients.example", "evil.test", "169.254", "10.0.0.1", "localhost:8443", "client.json?", "user@", "file:"]
    {
        assert!(!said.contains(other), "`{other}` was asked for a document:\n{said}");
    }
}

#[tokio::test]
async fn an_agent_that_works_for_nobody_proves_that_it_is_the_one() {
    let place = Place::start().await;
    let desk = resource("desk");
    let asks = [("grant_type", "client_credentials"), ("resource", desk.as_str())];
    let good = place.assertion("robot", "first", &[]);
    let heard = place.by_assertion(&good, &asks).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    let tokens = heard.json();
    assert!(tokens.get("refresh_token").is_none());
    let said = claims(&tokens["access_token"]);
    assert_eq!((said["client_id"].as_str(), said.get("user")), (Some("robot"), None));

    let bad = [
        ("the same assertion again", good),
        ("for another gate", place.assertion("robot", "a", &[("aud", json!("https://other.test"))])),
        ("expired", place.assertion("robot", "b", &[("exp", json!(seconds() - 60))])),
        ("good for a day", place.assertion("robot", "c", &[("exp", json!(seconds() + 86_400))])),
        ("for another subject", place.assertion("robot", "d", &[("sub", json!("editor"))])),
        ("of the future", place.assertion("robot", "h", &[("nbf", json!(seconds() + 600))])),
        ("of another kind", {
            let claims = json!({ "iss": "robot", "sub": "robot", "aud": GATE, "jti": "i", "exp": seconds() + 60 });
            place.robot.sign("at+jwt", claims.as_object().unwrap()).unwrap()
        }),
        ("that cannot be told from another", {
            let claims = json!({ "iss": "robot", "sub": "robot", "aud": GATE, "exp": seconds() + 60 });
            place.robot.sign("JWT", claims.as_object().unwrap()).unwrap()
        }),
        ("of a client that is public", place.assertion("editor", "e", &[])),
        ("of nobody", place.assertion("nobody", "f", &[])),
        (
            "of another's key",
            place.provider.signs("JWT", &json!({ "iss": "robot", "sub": "robot", "aud": GATE, "jti": "g" })),
        ),
    ];
    for (what, assertion) in bad {
        let heard = place.by_assertion(&assertion, &asks).await;
        assert_eq!((heard.status.as_u16(), heard.error().as_str()), (401, "invalid_client"), "{what}");
    }
    let nothing = [("grant_type", "client_credentials"), ("client_id", "robot"), ("resource", desk.as_str())];
    assert_eq!(place.post("/oauth/token", &nothing).await.error(), "invalid_client");
    let secret = [&nothing[..], &[("client_secret", "x")]].concat();
    assert_eq!(place.post("/oauth/token", &secret).await.error(), "invalid_client");
    let beside = [("client_secret", "x"), ("client_id", "editor")];
    for (id, one) in [("j", beside[0]), ("k", beside[1])] {
        let proof = place.assertion("robot", id, &[]);
        let heard = place.by_assertion(&proof, &[&asks[..], &[one]].concat()).await;
        assert_eq!(heard.error(), "invalid_client", "{one:?}");
    }
    // What works for people does not shed its person by asking for itself.
    for client in ["signing-editor", "editor"] {
        let assertion = place.assertion(client, client, &[]);
        let heard = place.by_assertion(&assertion, &asks).await;
        assert!(heard.status.is_client_error(), "{client}: {}", heard.text());
    }
    place.leaks_nothing().await;
}

#[tokio::test]
async fn what_the_provider_vouches_for_is_taken_once_for_the_client_and_the_endpoint_it_names() {
    let place = Place::of("", |setup| setup.state.push(lobby())).await;
    let id_jag = |id: &str, changed: &[(&str, serde_json::Value)]| {
        let mut said = json!({
            "sub": "s-ana", "preferred_username": "ana", "groups": ["support"], "aud": GATE, "jti": id,
            "client_id": "signing-editor", "resource": resource("desk"),
        });
        for (name, value) in changed {
            said[*name] = value.clone();
        }
        said
    };
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let typ = "oauth-id-jag+jwt";
    let ask = async |proof: &str, assertion: String| {
        let proof = place.assertion("signing-editor", proof, &[]);
        place.by_assertion(&proof, &[("grant_type", grant), ("assertion", &assertion)]).await
    };
    let good = place.provider.signs(typ, &id_jag("jag", &[]));
    let heard = ask("0", good.clone()).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(claims(&heard.json()["access_token"])["user"], "ana");
    let bad = [
        ("again", good.clone()),
        ("an ID token", place.provider.signs("JWT", &id_jag("a", &[]))),
        ("for another gate", place.provider.signs(typ, &id_jag("b", &[("aud", json!("https://other.test"))]))),
        ("for several", place.provider.signs(typ, &id_jag("c", &[("aud", json!([GATE, "https://other.test"]))]))),
        ("for another client", place.provider.signs(typ, &id_jag("d", &[("client_id", json!("editor"))]))),
        ("for another endpoint", place.provider.signs(typ, &id_jag("e", &[("resource", json!(resource("lobby")))]))),
        ("for none", place.provider.signs(typ, &id_jag("f", &[("resource", json!(null))]))),
        ("expired", place.provider.signs(typ, &id_jag("g", &[("exp", json!(seconds() - 120))]))),
        ("of nobody", place.provider.signs(typ, &id_jag("h", &[("sub", json!(""))]))),
        ("of the future", place.provider.signs(typ, &id_jag("j", &[("nbf", json!(seconds() + 600))]))),
        ("another provider's", place.provider.signs(typ, &id_jag("k", &[("iss", json!("https://id.evil.test"))]))),
        ("good for a day", place.provider.signs(typ, &id_jag("l", &[("exp", json!(seconds() + 86_400))]))),
        ("of the client itself", {
            let iss = ("iss", json!(place.provider.issuer()));
            let whole = id_jag("i", &[iss, ("iat", json!(seconds())), ("exp", json!(seconds() + 60))]);
            place.robot.sign(typ, whole.as_object().unwrap()).unwrap()
        }),
    ];
    for (number, (what, assertion)) in bad.into_iter().enumerate() {
        let heard = ask(&format!("{}", number + 1), assertion).await;
        assert_eq!((heard.status.as_u16(), heard.error().as_str()), (400, "invalid_grant"), "{what}: {}", heard.text());
    }
    let fresh = place.provider.signs(typ, &id_jag("m", &[]));
    let lobby = resource("lobby");
    let proof = place.assertion("signing-editor", "m", &[]);
    let form = [("grant_type", grant), ("assertion", &fresh), ("resource", &lobby)];
    assert_eq!(place.by_assertion(&proof, &form).await.error(), "invalid_target");
    // What works for nobody is lent nobody.
    let lent = place.provider.signs(typ, &id_jag("n", &[("client_id", json!("robot"))]));
    let proof = place.assertion("robot", "n", &[]);
    let heard = place.by_assertion(&proof, &[("grant_type", grant), ("assertion", &lent)]).await;
    assert_eq!(heard.error(), "unauthorized_client");
    let public = [("grant_type", grant), ("client_id", "editor"), ("assertion", good.as_str())];
    assert_eq!(place.post("/oauth/token", &public).await.error(), "unauthorized_client");
    let unsigned = [("grant_type", grant), ("client_id", "signing-editor"), ("client_assertion_type", JWT_BEARER)];
    assert_eq!(place.post("/oauth/token", &unsigned).await.error(), "invalid_client");
}

/// Anybody knows its id.
#[tokio::test]
async fn an_agent_that_can_prove_nothing_acts_for_nobody() {
    let open = format!(
        "name = \"open\"\nkind = \"autonomous\"\nowner = \"the desk\"\npurpose = \"Works alone\"\nendpoints = [\"desk\"]\n\n\
         [[clients]]\nissuer = \"{GATE}\"\nid = \"open\"\n"
    );
    let place = Place::of("", |setup| setup.state.push(("agents/open.toml".to_owned(), open))).await;
    let desk = resource("desk");
    let form = [("grant_type", "client_credentials"), ("client_id", "open"), ("resource", desk.as_str())];
    assert_eq!(place.post("/oauth/token", &form).await.error(), "unauthorized_client");
}
