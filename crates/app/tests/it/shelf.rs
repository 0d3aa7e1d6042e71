//! The private registry, as editors ask it: what they find is what is approved, under the gate's own URLs, and nothing more.

use http::header::{CONTENT_TYPE, ORIGIN};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::gate::files::{endpoint, write_private};
use crate::gate::{Gate, Heard, Setup, bearer, does_not_start, name, value};

const TOKEN: &str = "token-of-the-registry-0123456789abcdef";

/// A gate whose desk is at an endpoint that is listed, and at one that is not.
async fn gate(catalogue: &str) -> Gate {
    let setup = Setup {
        settings: format!("\n[catalogue]\n{catalogue}\n"),
        secrets: vec![("registry", TOKEN.to_owned())],
        state: vec![
            ("endpoints/desk.toml".to_owned(), format!("catalogue = true\n{}", endpoint("desk", "desk"))),
            ("endpoints/help-desk.toml".to_owned(), format!("catalogue = true\n{}", endpoint("help-desk", "desk"))),
            ("endpoints/inside.toml".to_owned(), endpoint("inside", "desk")),
        ],
        ..Setup::default()
    };
    Gate::with(setup).await
}

async fn get(gate: &Gate, path: &str, headers: HeaderMap) -> Heard {
    gate.send(gate.agents(), "GET", path, headers, "").await
}

/// What an editor's window sends along.
fn editor() -> HeaderMap {
    let origin = (ORIGIN, HeaderValue::from_static("vscode-file://vscode-app"));
    let agent = (name("user-agent"), value("Code/1.120.0"));
    HeaderMap::from_iter([origin, agent])
}

/// An answer, which is one of the API's, says that any page may read it, and tells nothing of what is behind the gate.
async fn answered(gate: &Gate, path: &str) -> Value {
    let heard = get(gate, path, editor()).await;
    assert_eq!(heard.status, 200, "{path}: {}", heard.text());
    assert_eq!(heard.headers["access-control-allow-origin"], "*");
    assert_eq!(heard.headers[CONTENT_TYPE], "application/json");
    let schema = include_str!("../../../registry/src/shelf/answers.schema.json");
    let schema = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    assert!(validator.is_valid(&heard.json()), "{:#}", heard.json());
    for inside in [gate.desk.address().to_string(), "inside".to_owned(), "read_ticket".to_owned()] {
        assert!(!heard.text().contains(&inside), "{path} tells `{inside}`: {}", heard.text());
    }
    heard.json()
}

fn names(list: &Value) -> Vec<&str> {
    list["servers"].as_array().unwrap().iter().map(|one| one["server"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_editor_finds_what_is_approved_as_it_asks() {
    let gate = gate("open = true").await;
    // It looks whether there is a registry, lists the latest versions, searches, goes on, and reads what is to be installed.
    answered(&gate, "/v0.1/servers?limit=1").await;
    let list = answered(&gate, "/v0.1/servers?limit=50&version=latest").await;
    assert_eq!(names(&list), ["127.0.0.1/desk", "127.0.0.1/help-desk"]);
    assert!(list["metadata"].get("nextCursor").is_none());
    let found = answered(&gate, "/v0.1/servers?limit=50&version=latest&search=help").await;
    assert_eq!(names(&found), ["127.0.0.1/help-desk"]);
    let page = answered(&gate, "/v0.1/servers?limit=1&version=latest&search=desk").await;
    let cursor = page["metadata"]["nextCursor"].as_str().unwrap();
    let next = answered(&gate, &format!("/v0.1/servers?limit=1&version=latest&cursor={cursor}")).await;
    assert_eq!((names(&page), names(&next)), (vec!["127.0.0.1/desk"], vec!["127.0.0.1/help-desk"]));
    let latest = answered(&gate, "/v0.1/servers/127.0.0.1%2Fdesk/versions/latest").await;
    assert_eq!(latest, list["servers"][0]);
    let url = latest["server"]["remotes"][0]["url"].as_str().unwrap();
    assert_eq!(url, format!("http://{}/desk/mcp", gate.agents()));
    let version = latest["server"]["version"].as_str().unwrap();
    answered(&gate, &format!("/v0.1/servers/127.0.0.1%2Fdesk/versions/{version}")).await;
    assert_eq!(answered(&gate, "/v0.1/servers/127.0.0.1%2Fdesk/versions").await["metadata"]["count"], 1);
    for path in ["/v0.1/servers/127.0.0.1%2Finside/versions/latest", "/v0.1/servers/nobody%2Fthing/versions"] {
        let heard = get(&gate, path, editor()).await;
        assert_eq!((heard.status.as_u16(), heard.json()), (404, json!({ "error": "Server not found" })), "{path}");
        assert_eq!(heard.headers["access-control-allow-origin"], "*");
    }
    // What is no longer approved is no longer there.
    gate.must(&["server", "suspend", "desk"]).await;
    assert!(names(&answered(&gate, "/v0.1/servers?limit=50&version=latest").await).is_empty());
}

#[tokio::test]
async fn a_registry_that_is_not_open_is_read_with_its_token() {
    let gate = gate("token = \"file:secrets/registry\"").await;
    for headers in [editor(), bearer("guess"), bearer(&crate::gate::files::caller_token("ana"))] {
        let heard = get(&gate, "/v0.1/servers", headers).await;
        assert_eq!((heard.status.as_u16(), &heard.headers["www-authenticate"]), (401, &value("Bearer")));
        assert!(!heard.text().contains("desk"), "{}", heard.text());
    }
    let heard = get(&gate, "/v0.1/servers", bearer(TOKEN)).await;
    assert_eq!(names(&heard.json()).len(), 2, "{}", heard.text());
    // A page asks first, without a token.
    let asked = gate.send(gate.agents(), "OPTIONS", "/v0.1/servers", editor(), "").await;
    assert_eq!(asked.status, 204);
    assert_eq!(asked.headers["access-control-allow-methods"], "GET, OPTIONS");
    assert_eq!(asked.headers["access-control-allow-headers"], "Authorization, Content-Type");
}

#[tokio::test]
async fn a_registry_is_read_and_not_written_and_a_wrong_question_is_told() {
    let gate = gate("open = true\nnamespace = \"com.example\"").await;
    assert_eq!(names(&answered(&gate, "/v0.1/servers").await), ["com.example/desk", "com.example/help-desk"]);
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let heard =
            gate.send(gate.agents(), method, "/v0.1/servers/com.example%2Fdesk/versions/1.0.0", editor(), "").await;
        assert_eq!(heard.status, 405, "{method}");
    }
    for query in ["limit=0", "limit=two", "cursor=e30", "updated_since=yesterday", "limit=1&limit=2"] {
        let heard = get(&gate, &format!("/v0.1/servers?{query}"), editor()).await;
        assert_eq!(heard.status, 400, "{query}: {}", heard.text());
        assert!(heard.json()["error"].is_string());
    }
    let long = "a".repeat(model::limits::SHELF_SEARCH_BYTES_MAX + 1);
    assert_eq!(get(&gate, &format!("/v0.1/servers?search={long}"), editor()).await.status, 400);
    let other = "/v0.1/servers/com.example%2Fdesk/versions/9.9.9";
    assert_eq!(get(&gate, other, editor()).await.status, 404, "a version that nobody approved");
    let evil = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("evil.example"))]);
    assert_eq!(get(&gate, "/v0.1/servers", evil).await.status, 403, "a name that is not the listener's");
}

#[tokio::test]
async fn there_is_no_registry_unless_somebody_asks_for_one_and_says_who_reads_it() {
    let gate = Gate::start().await;
    assert_eq!(get(&gate, "/v0.1/servers", HeaderMap::new()).await.status, 404);
    let file = gate.directory().join("portcullis.toml");
    gate.end().await;
    let settings = std::fs::read_to_string(&file).unwrap();
    write_private(&gate.directory().join("secrets/registry"), TOKEN);
    for (wrong, told) in [
        ("", "say who reads the registry"),
        ("open = true\ntoken = \"file:secrets/registry\"", "say who reads the registry"),
        ("open = true\nnamespace = \"com/example\"", "a namespace has letters"),
        ("token = \"file:secrets/none\"", "secrets/none"),
    ] {
        std::fs::write(&file, format!("{settings}\n[catalogue]\n{wrong}\n")).unwrap();
        let said = does_not_start(gate.directory()).await.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(told) && said.contains("portcullis.toml:"), "{wrong}: {said}");
    }
}
