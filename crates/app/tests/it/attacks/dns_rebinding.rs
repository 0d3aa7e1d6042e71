//! A page in a browser on the gate's own machine that calls the gate: by a name of its own that resolves to loopback
//! (DNS rebinding), or from its own origin. Neither listener answers it.

use std::net::SocketAddr;

use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::gate::files::{ANA, caller_token, person_token};
use crate::gate::{Gate, Heard, bearer, value};
use crate::identity::office::Office;
use crate::identity::person::Place;
use crate::verdict::{HOST_UNKNOWN, ORIGIN_REFUSED, PATH_UNKNOWN, passes};

fn foreign_hosts(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    vec![
        "attacker.example".to_owned(),
        format!("attacker.example:{port}"),
        format!("localhost.attacker.example:{port}"),
        format!("127.0.0.1.attacker.example:{port}"),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        format!("127.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}, attacker.example"),
    ]
}

fn foreign_origins(address: SocketAddr) -> Vec<String> {
    vec![
        "http://attacker.example".to_owned(),
        "null".to_owned(),
        String::new(),
        "file://".to_owned(),
        "http://127.0.0.1:1".to_owned(),
        format!("http://{address}.attacker.example"),
        format!("http://attacker.example http://{address}"),
        format!("chrome-extension://{address}"),
    ]
}

/// The head and body of a right call, with these lines instead of its Host.
fn call(gate: &Gate, target: &str, lines: &[String]) -> String {
    let client = gate.client(ANA);
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let (headers, body) = (client.headers("tools/call", &params), client.body("tools/call", params).to_string());
    let mut request = format!("POST {target} HTTP/1.1\r\n");
    for (name, value) in &headers {
        request.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    lines.iter().for_each(|line| request.push_str(&format!("{line}\r\n")));
    format!("{request}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

async fn agents(gate: &Gate, lines: &[String]) -> Heard {
    gate.raw(gate.agents(), &call(gate, "/desk/mcp", lines)).await
}

#[tokio::test]
async fn the_agents_listener_answers_to_its_own_names_only() {
    let gate = Gate::start().await;
    let port = gate.agents().port();
    for own in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("LocalHost:{port}")] {
        passes(&agents(&gate, &[format!("host: {own}")]).await.into());
    }
    let mut bent: Vec<Vec<String>> =
        foreign_hosts(gate.agents()).into_iter().map(|host| vec![format!("host: {host}")]).collect();
    let own = format!("host: {}", gate.agents());
    bent.extend([vec![own.clone(), own.clone()], vec![own.clone(), "host: attacker.example".to_owned()]]);
    for lines in bent {
        println!("{lines:?}");
        gate.turns_away(&agents(&gate, &lines).await.into(), HOST_UNKNOWN).await;
    }
    // Without any; and with another in the request line than in the header.
    assert_eq!(agents(&gate, &[]).await.status.as_u16() / 100, 4);
    let line = call(&gate, "http://attacker.example/desk/mcp", std::slice::from_ref(&own));
    gate.turns_away(&gate.raw(gate.agents(), &line).await.into(), HOST_UNKNOWN).await;
    assert_eq!(gate.desk.calls(), 3);
    assert_eq!(gate.refusals().await, 0, "strangers are counted: one receipt each would fill the disk");
}

#[tokio::test]
async fn the_agents_listener_takes_no_foreign_pages() {
    let gate = Gate::start().await;
    let host = format!("host: {}", gate.agents());
    passes(&agents(&gate, &[host.clone(), format!("origin: http://{}", gate.agents())]).await.into());
    for origin in foreign_origins(gate.agents()) {
        println!("{origin}");
        let heard = agents(&gate, &[host.clone(), format!("origin: {origin}")]).await;
        assert!(!heard.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        gate.turns_away(&heard.into(), ORIGIN_REFUSED).await;
    }
    let own = format!("origin: http://{}", gate.agents());
    let heard = agents(&gate, &[host, own.clone(), own]).await;
    gate.turns_away(&heard.into(), ORIGIN_REFUSED).await;
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn the_endpoint_has_one_spelling() {
    let gate = Gate::start().await;
    let host = vec![format!("host: {}", gate.agents())];
    let token = caller_token(ANA.name);
    for target in [
        "/",
        "/mcp",
        "/desk",
        "/desk/mcp/",
        "//desk/mcp",
        "/desk//mcp",
        "/desk/./mcp",
        "/x/../desk/mcp",
        "/DESK/mcp",
        "/desk/MCP",
        "/%64esk/mcp",
        "/desk%2fmcp",
        "/desk;a=b/mcp",
        "/desk/mcp?x",
        &format!("/desk/mcp?token={token}"),
    ] {
        println!("{target}");
        let heard = gate.raw(gate.agents(), &call(&gate, target, &host)).await;
        gate.turns_away(&heard.into(), PATH_UNKNOWN).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn the_admin_listener_answers_neither() {
    let gate = Gate::start().await;
    let token = person_token("admin");
    let ask = async |more: &[(header::HeaderName, String)]| {
        let mut headers: HeaderMap = bearer(&token);
        more.iter().for_each(|(name, said)| _ = headers.insert(name, value(said)));
        headers.insert(header::CONTENT_TYPE, value("application/json"));
        let halt = json!({ "what": "everything", "reason": "from a page" }).to_string();
        gate.send(gate.admin(), "POST", "/api/v1/halts", headers, halt).await
    };
    let code = |heard: &Heard| -> Value { heard.json()["error"]["code"].clone() };
    for host in foreign_hosts(gate.admin()) {
        let heard = ask(&[(header::HOST, host.clone())]).await;
        assert_eq!((heard.status.as_u16(), code(&heard)), (403, "host-unknown".into()), "{host}: {}", heard.text());
    }
    for origin in foreign_origins(gate.admin()) {
        let heard = ask(&[(header::ORIGIN, origin.clone())]).await;
        assert_eq!((heard.status.as_u16(), code(&heard)), (403, "origin-refused".into()), "{origin}: {}", heard.text());
        assert!(!heard.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    }
    // What a page may send without asking first.
    let mut simple = bearer(&token);
    simple.insert(header::CONTENT_TYPE, value("text/plain"));
    let halt = json!({ "what": "everything", "reason": "from a page" }).to_string();
    let heard = gate.send(gate.admin(), "POST", "/api/v1/halts", simple, halt).await;
    assert_eq!((heard.status.as_u16(), code(&heard)), (415, "media-type-refused".into()), "{}", heard.text());
    for path in ["/healthz", "/readyz", "/api/v1/openapi.json"] {
        let headers = HeaderMap::from_iter([(header::HOST, value("attacker.example"))]);
        assert_eq!(gate.send(gate.admin(), "GET", path, headers, "").await.status, 403, "{path}");
    }
    assert_eq!(gate.read("/halts").await, json!([]), "nothing was done");
}

#[tokio::test]
async fn nor_is_a_page_or_a_document_at_another_name() {
    let place = Place::start().await;
    for path in [
        "/.well-known/oauth-authorization-server",
        "/oauth/jwks",
        &place.authorize(&[]),
        "/oauth/device",
        "/oauth/callback?state=x&code=y",
        "/connect/callback?state=x&code=y",
        "/connect/desk",
    ] {
        let headers = HeaderMap::from_iter([(header::HOST, value("attacker.example"))]);
        let heard = place.gate.send(place.gate.agents(), "GET", path, headers, "").await;
        place.gate.turns_away(&heard.into(), HOST_UNKNOWN).await;
    }
    let office = Office::start().await;
    for path in ["/sign-in", "/sign-in/callback?state=x&code=y", "/sign-in/command-line", "/sign-in/style.css"] {
        for (name, said) in [(header::HOST, "attacker.example"), (header::ORIGIN, "http://attacker.example")] {
            let headers = HeaderMap::from_iter([(name, value(said))]);
            let heard = office.gate.send(office.gate.admin(), "GET", path, headers, "").await;
            let code = heard.json()["error"]["code"].clone();
            assert!(heard.status == 403 && (code == "host-unknown" || code == "origin-refused"), "{path}: {code}");
        }
    }
    assert!(place.provider.begun().is_empty() && office.provider.begun().is_empty());
}
