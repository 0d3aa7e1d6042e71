//! A server that takes nothing but what came through the gate: it checks the gate's assertion of who calls, by the keys that
//! the gate publishes.

use std::sync::{Arc, Mutex, OnceLock};

use axum::response::IntoResponse as _;
use drill::mcp::Reply;
use http::{HeaderMap, StatusCode, header};
use identity::jwt::{Audience, Claims, Rule, SigningKey, Unverified};
use identity::keys::{Algorithm, KeySet};
use model::Timestamp;
use serde_json::{Value, json};

use super::issuer::now;
use super::own::ticket;
use crate::gate::files::{ANA, Caller, RECONCILER};
use crate::gate::{Gate, Setup, value};
use crate::verdict::passes;

const HEADER: &str = "portcullis-assertion";
const KEYS: &str = "/.well-known/portcullis-assertion-keys";

/// What the server knows of the gate, and whom it saw.
#[derive(Default)]
struct Door {
    /// The gate's name and its keys, once it was told.
    gate: OnceLock<(String, KeySet)>,
    seen: Mutex<Vec<(String, Value)>>,
}

impl Door {
    /// Who calls, if the gate says so for this server, now.
    fn knows(&self, headers: &HeaderMap) -> Option<Claims> {
        let (issuer, keys) = self.gate.get()?;
        let here = format!("http://{}/mcp", headers[header::HOST].to_str().unwrap());
        let rule = Rule {
            algorithms: &[Algorithm::Es256],
            typ: &["portcullis-assertion+jwt"],
            issuer,
            audience: Audience::Only(&here),
            skew: 5,
            now: Timestamp(now() * 1_000),
            required: &["sub", "iat", "jti"],
        };
        let said = headers.get(HEADER)?.to_str().ok()?;
        Unverified::read(said).ok()?.verify(keys, &rule).ok()
    }
}

struct Scene {
    gate: Gate,
    door: Arc<Door>,
}

impl Scene {
    async fn start() -> Self {
        let door = Arc::new(Door::default());
        let at_the_door = Arc::clone(&door);
        let guard: crate::puppet::Guard = Arc::new(move |_, _, headers| match at_the_door.knows(headers) {
            Some(claims) => {
                let method = headers.get("mcp-method").map_or("", |method| method.to_str().unwrap()).to_owned();
                at_the_door.seen.lock().unwrap().push((method, json!(claims.members())));
                None
            }
            None => Some(StatusCode::FORBIDDEN.into_response()),
        });
        let guard = Some((guard, "assertion = true\n".to_owned()));
        let gate = Gate::unapproved(Setup { guard, ..Setup::default() }).await;
        let keys = gate.send(gate.agents(), "GET", KEYS, HeaderMap::new(), "").await;
        assert_eq!(keys.status, 200, "{}", keys.text());
        let keys = KeySet::read(keys.text().as_bytes()).unwrap();
        assert!(door.gate.set((format!("http://{}", gate.agents()), keys)).is_ok());
        gate.must(&["server", "check", "desk"]).await;
        gate.must(&["server", "approve", "desk", "--yes"]).await;
        Self { gate, door }
    }

    async fn read(&self, caller: Caller) -> Reply {
        self.gate.client(caller).call("read_ticket", ticket()).await.unwrap()
    }

    /// What the server was told with the last call.
    fn told(&self) -> Value {
        let seen = self.door.seen.lock().unwrap();
        seen.iter().rfind(|(method, _)| method == "tools/call").expect("a call").1.clone()
    }
}

#[tokio::test]
async fn a_server_that_can_check_it_knows_who_calls_and_for_whom() {
    let scene = Scene::start().await;
    passes(&scene.read(ANA).await);
    let told = scene.told();
    assert_eq!(
        (&told["sub"], &told["sub_kind"], &told["act"]["sub"]),
        (&json!("ana"), &json!("user"), &json!("helpdesk"))
    );
    let lives = told["exp"].as_u64().unwrap() - told["iat"].as_u64().unwrap();
    assert!(lives <= 60, "{lives}");
    passes(&scene.read(RECONCILER).await);
    let other = scene.told();
    assert_eq!((&other["sub"], &other["sub_kind"]), (&json!("reconciler"), &json!("agent")));
    assert_ne!(told["jti"], other["jti"]);
    let looked = scene.door.seen.lock().unwrap().iter().any(|(_, told)| told["sub_kind"] == "gate");
    assert!(looked, "the gate's own looks say that they are the gate's");
    // A restart changes nothing: the server goes on with the keys that it has.
    scene.gate.end().await;
    scene.gate.again().await;
    let issuer = format!("http://{}", scene.gate.agents());
    let keys = scene.gate.send(scene.gate.agents(), "GET", KEYS, HeaderMap::new(), "").await.text();
    let known = &scene.door.gate.get().unwrap();
    assert_eq!(KeySet::read(keys.as_bytes()).unwrap().published(), known.1.published(), "{issuer}");
}

#[tokio::test]
async fn what_did_not_come_through_the_gate_is_refused() {
    let scene = Scene::start().await;
    passes(&scene.read(ANA).await);
    let desk = scene.gate.desk.address();
    let seen = scene.gate.desk.seen().into_iter().rfind(|seen| seen.method == "tools/call").unwrap();
    let real = seen.headers[HEADER].to_str().unwrap().to_owned();
    let forger = SigningKey::generate().unwrap();
    let claims = scene.told().as_object().unwrap().clone();
    let forged = forger.sign("portcullis-assertion+jwt", &claims).unwrap();
    let unsigned = format!("{}.", real.rsplit_once('.').unwrap().0);
    for (said, status) in [(None, 403), (Some(forged), 403), (Some(unsigned), 403)] {
        let mut headers = HeaderMap::new();
        if let Some(said) = said {
            headers.insert(HEADER, value(&said));
        }
        let heard = scene.gate.send(desk, "POST", "/mcp", headers, "{}").await;
        assert_eq!(heard.status, status);
    }
}

#[tokio::test]
async fn nobody_writes_an_assertion_but_the_gate() {
    let scene = Scene::start().await;
    let forger = SigningKey::generate().unwrap();
    let claims = json!({ "sub": "root", "sub_kind": "user" });
    let forged = forger.sign("portcullis-assertion+jwt", claims.as_object().unwrap()).unwrap();
    let client = scene.gate.client(ANA);
    let params = json!({ "name": "read_ticket", "arguments": ticket() });
    let mut headers = client.headers("tools/call", &params);
    headers.insert(HEADER, value(&forged));
    passes(&client.raw(client.body("tools/call", params).to_string(), headers).await.unwrap());
    assert_eq!(scene.told()["sub"], "ana");
    let seen = scene.gate.desk.seen().into_iter().rfind(|seen| seen.method == "tools/call").unwrap();
    assert_eq!(seen.headers.get_all(HEADER).iter().count(), 1);

    // A server that was not to be told is told nothing, by nobody.
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let params = json!({ "name": "read_ticket", "arguments": ticket() });
    let mut headers = client.headers("tools/call", &params);
    headers.insert(HEADER, value(&forged));
    passes(&client.raw(client.body("tools/call", params).to_string(), headers).await.unwrap());
    assert!(gate.desk.seen().iter().all(|seen| !seen.headers.contains_key(HEADER)));
}
