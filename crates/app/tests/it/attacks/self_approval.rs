//! An agent on the gate's own machine that approves its own server: by its own token, by none, by a token of somebody
//! with another role, or by reading the bootstrap token's file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::gate::files::{ANA, CALLERS, ROLES, caller_token, person_token};
use crate::gate::{Gate, Heard, Setup, bearer, does_not_start, value};
use crate::verdict::UNAUTHENTICATED;

/// One row of the API's own document.
struct Operation {
    verb: String,
    path: String,
    /// The roles that may; none for what is public.
    roles: Vec<String>,
}

/// Every operation there is, its parameters filled in with things that exist.
async fn operations(gate: &Gate) -> Vec<Operation> {
    let document = gate.read("/openapi.json").await;
    let receipts = gate.until("/receipts", |page| page["receipts"].as_array().is_some_and(|all| !all.is_empty())).await;
    let receipt = receipts["receipts"][0]["record"]["id"].as_str().unwrap().to_owned();
    let mut operations = Vec::new();
    for (path, verbs) in document["paths"].as_object().unwrap() {
        for (verb, operation) in verbs.as_object().unwrap() {
            let roles = operation["x-roles"].as_array().cloned().unwrap_or_default();
            assert_eq!(operation["security"] == json!([]), roles.is_empty(), "{verb} {path}");
            operations.push(Operation {
                verb: verb.to_uppercase(),
                path: path.replace("{name}", "desk").replace("{id}", &receipt),
                roles: roles.iter().map(|role| role.as_str().unwrap().to_owned()).collect(),
            });
        }
    }
    operations
}

async fn ask(gate: &Gate, operation: &Operation, mut headers: HeaderMap) -> Heard {
    headers.insert(header::CONTENT_TYPE, value("application/json"));
    // An approval of what the server offers, if it were let in.
    let seen = gate.read("/servers/desk").await["observed"]["digest"].clone();
    let body = json!({ "seen": seen }).to_string();
    let body = if operation.verb == "GET" { String::new() } else { body };
    gate.send(gate.admin(), &operation.verb, &operation.path, headers, body).await
}

fn code(heard: &Heard) -> Value {
    heard.json()["error"]["code"].clone()
}

async fn still_unapproved(gate: &Gate) {
    let dossier = gate.read("/servers/desk").await;
    assert_eq!((&dossier["standing"], &dossier["in_service"]), (&json!("vetted"), &json!(false)), "{dossier:#}");
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn no_route_of_the_api_is_open_to_an_agent() {
    let gate = Gate::unapproved(Setup::default()).await;
    let mut ways = vec![HeaderMap::new(), bearer(""), bearer("guess"), bearer("null")];
    ways.extend(CALLERS.iter().map(|caller| bearer(&caller_token(caller.name))));
    let basic = format!("Basic {}", person_token("admin"));
    ways.push(HeaderMap::from_iter([(header::AUTHORIZATION, value(&basic))]));
    ways.push(HeaderMap::from_iter([(header::COOKIE, value(&format!("token={}", person_token("admin"))))]));
    let mut twice = bearer(&person_token("admin"));
    twice.append(header::AUTHORIZATION, value(&format!("Bearer {}", person_token("admin"))));
    ways.push(twice);

    let operations = operations(&gate).await;
    assert!(operations.len() > 20, "the document names the routes");
    let public: Vec<_> = operations.iter().filter(|one| one.roles.is_empty()).map(|one| one.path.as_str()).collect();
    assert_eq!(public, ["/healthz", "/readyz"]);
    for operation in operations.iter().filter(|one| !one.roles.is_empty()) {
        for headers in &ways {
            let heard = ask(&gate, operation, headers.clone()).await;
            let place = format!("{} {} with {headers:?}", operation.verb, operation.path);
            assert_eq!((heard.status.as_u16(), code(&heard)), (401, "unauthenticated".into()), "{place}");
            gate.holds_no_secret(&heard.text(), "an answer");
        }
    }
    still_unapproved(&gate).await;
}

#[tokio::test]
async fn no_route_is_open_to_another_role() {
    let gate = Gate::unapproved(Setup::default()).await;
    let operations = operations(&gate).await;
    let mut refused = 0;
    for operation in operations.iter().filter(|one| !one.roles.is_empty()) {
        for role in ROLES {
            // An admin may do everything.
            if role == "admin" || operation.roles.iter().any(|one| one == role) {
                continue;
            }
            let heard = ask(&gate, operation, bearer(&person_token(role))).await;
            let place = format!("{role}: {} {}", operation.verb, operation.path);
            assert_eq!(
                (heard.status.as_u16(), code(&heard)),
                (403, "role-missing".into()),
                "{place}: {}",
                heard.text()
            );
            refused += 1;
        }
    }
    assert!(refused > 40, "only {refused} combinations were tried");
    still_unapproved(&gate).await;
}

#[tokio::test]
async fn roles_can_do_what_they_are_for() {
    let gate = Gate::unapproved(Setup::default()).await;
    for role in ROLES {
        let heard = gate.send(gate.admin(), "GET", "/api/v1/whoami", bearer(&person_token(role)), "").await;
        assert_eq!(heard.json(), json!({ "name": role, "roles": [role], "known_by": "token" }));
    }
    let operations = operations(&gate).await;
    let approve = operations.iter().find(|one| one.path.ends_with("/desk/approve")).unwrap();
    let heard = ask(&gate, approve, bearer(&person_token("approver"))).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    let changed =
        gate.until("/receipts?kind=changed&text=server.approve", |page| page["receipts"][0].is_object()).await;
    let actor = &changed["receipts"][0]["record"]["event"]["actor"];
    assert!(actor.to_string().contains("\"approver\""), "the receipt says who: {actor}");
}

#[tokio::test]
async fn a_persons_token_is_no_agents() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    for token in ROLES.map(person_token) {
        let mut headers = client.headers("tools/call", &params);
        headers.insert(header::AUTHORIZATION, value(&format!("Bearer {token}")));
        let reply = client.raw(client.body("tools/call", params.clone()).to_string(), headers).await.unwrap();
        gate.turns_away(&reply, UNAUTHENTICATED).await;
        assert!(reply.headers.contains_key(header::WWW_AUTHENTICATE));
    }
    assert_eq!(gate.desk.calls(), 0);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn the_bootstrap_token_is_its_owners_alone() {
    let gate = Gate::start().await;
    let data = gate.directory().join("data");
    assert_eq!((mode(&data), mode(&data.join("admin.token"))), (0o700, 0o600));
    let token = fs::read_to_string(data.join("admin.token")).unwrap();
    assert!(token.len() >= 64, "it cannot be guessed");
    assert!(!gate.output().contains(&token), "it is not in the log");

    // The CLI does not use a token that others can read.
    let exposed = gate.directory().join("tokens/exposed");
    fs::write(&exposed, &token).unwrap();
    set_mode(&exposed, 0o644);
    let said = gate.cli_with("tokens/exposed", &["status"]).await;
    assert!(!said.ok && said.err.contains("chmod 600"), "{said:?}");
}

#[tokio::test]
async fn a_gate_whose_tokens_others_can_read_does_not_start() {
    let gate = Gate::start().await;
    gate.end().await;
    for (place, open, right) in [
        ("data/admin.token", 0o644, 0o600),
        ("data/admin.token", 0o640, 0o600),
        ("tokens/approver", 0o604, 0o600),
        ("tokens/ana", 0o660, 0o600),
        ("data", 0o755, 0o700),
    ] {
        let path = gate.directory().join(place);
        set_mode(&path, open);
        let said = does_not_start(gate.directory()).await;
        let mend = format!("chmod {right:o}");
        assert!(said.contains(&mend), "{place} at {open:o}: {said}");
        gate.holds_no_secret(&said, "the error");
        set_mode(&path, right);
    }
    gate.again().await;
    assert_eq!(gate.read("/whoami").await["name"], "admin");
}

/// A receipt must say who it was.
#[tokio::test]
async fn a_token_that_two_people_hold_is_nobodys() {
    let twin = "\n[[admin.token]]\nname = \"twin\"\nroles = [\"admin\"]\ntoken = \"file:tokens/approver\"\n";
    let gate = Gate::unapproved(Setup { settings: twin.to_owned(), ..Setup::default() }).await;
    let heard = gate.send(gate.admin(), "GET", "/api/v1/whoami", bearer(&person_token("approver")), "").await;
    assert_eq!((heard.status.as_u16(), code(&heard)), (401, "unauthenticated".into()), "{}", heard.text());
    let said = gate.cli_with("tokens/approver", &["server", "approve", "desk", "--yes"]).await;
    assert!(!said.ok, "{said:?}");
    still_unapproved(&gate).await;
}
