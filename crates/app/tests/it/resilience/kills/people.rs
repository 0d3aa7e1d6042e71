//! The people: they halt and resume, apply files and approve what changed while everybody calls, and keep what they
//! were told. What was acknowledged is in force after any crash; what was not may be, or not.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use drill::mcp::Client;
use http::{HeaderValue, header};
use serde_json::{Value, json};

use crate::gate::files::{ANA_AT_DESKTOP, ANA_WITH_SCOUT, person_token};
use crate::gate::{Gate, bearer};
use crate::resilience::chance::Chance;
use crate::verdict::{HALTED, POLICY_FORBIDS, passes};

/// Users who are halted and resumed; that of the agent `desktop` shows what a halt does.
const HALTED_USERS: usize = 6;
const REST: Duration = Duration::from_millis(60);

/// Something that is changed by one hand only, as that hand knows it.
#[derive(Debug)]
struct Known<T> {
    sure: T,
    /// What it was to become when the gate said nothing more.
    perhaps: Option<T>,
}

impl<T: Copy + PartialEq + Debug> Known<T> {
    fn new(sure: T) -> Self {
        Self { sure, perhaps: None }
    }

    /// Takes in how a change to `wanted` went.
    fn went(&mut self, wanted: T, went: Went) {
        match went {
            Went::Acknowledged => (self.sure, self.perhaps) = (wanted, None),
            Went::Refused => {}
            Went::Unanswered => self.perhaps = Some(wanted),
        }
    }

    /// Compares with what a gate that was started again says.
    fn settle(&mut self, what: &str, found: T) {
        let may_be = found == self.sure || Some(found) == self.perhaps;
        assert!(may_be, "{what} is {found:?} after the crash, and was acknowledged as {self:?}");
        *self = Self::new(found);
    }
}

/// How a change went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    Acknowledged,
    Refused,
    Unanswered,
}

/// What the people know.
pub(super) struct People {
    desktop: Known<bool>,
    users: [Known<bool>; HALTED_USERS],
    zone: Known<usize>,
    policy: Known<usize>,
    pinned: Known<usize>,
    /// How many changes were acknowledged.
    pub(super) acknowledged: usize,
    next: usize,
}

/// The file of the zone that is changed: its purpose has the number.
pub(super) fn zone(number: usize) -> String {
    format!("name = \"moving\"\naddresses = [\"10.0.0.0/8\"]\npurpose = \"{number}\"\n")
}

/// The file of the policy that is changed: its message has the number, and odd ones stop the scout.
pub(super) fn policy(number: usize) -> String {
    let agent = if number % 2 == 1 { "scout" } else { "nobody" };
    format!(
        "@id(\"moving\")\n@message(\"{number}\")\nforbid (principal == Agent::\"{agent}\", action == \
         Action::\"call\", resource == Tool::\"desk/read_ticket\");\n"
    )
}

/// What the tool `credit` says of itself.
fn description(number: usize) -> String {
    format!("The desk's `credit`, {number}.")
}

impl People {
    pub(super) fn new() -> Self {
        Self {
            desktop: Known::new(false),
            users: std::array::from_fn(|_| Known::new(false)),
            zone: Known::new(0),
            policy: Known::new(0),
            pinned: Known::new(0),
            acknowledged: 0,
            next: 1,
        }
    }

    /// Changes one thing after another until the gate is gone.
    pub(super) async fn change_on(&mut self, gate: &Gate, chance: &mut Chance, dying: &AtomicBool) {
        let desk = Desk { gate, dying };
        loop {
            tokio::time::sleep(chance.within(REST)).await;
            if dying.load(Ordering::Acquire) {
                return;
            }
            let number = self.next;
            self.next += 1;
            let went = match chance.below(10) {
                0..2 => desk.halt("agent", "desktop", &mut self.desktop).await,
                2..6 => {
                    let user = chance.below(HALTED_USERS);
                    desk.halt("user", &format!("somebody-{user}"), &mut self.users[user]).await
                }
                6 => desk.apply_zone(number, &mut self.zone).await,
                7 => desk.apply_policy(number, &mut self.policy).await,
                _ => desk.approve(number, &mut self.pinned).await,
            };
            self.acknowledged += usize::from(went == Went::Acknowledged);
        }
    }

    /// Compares what a gate that was started again goes by with what was acknowledged.
    pub(super) async fn all_in_force(&mut self, gate: &Gate) {
        let halts = gate.read("/halts").await;
        let halted = |what: &str, name: &str| {
            halts.as_array().unwrap().iter().any(|halt| halt["what"] == what && halt["name"] == name)
        };
        self.desktop.settle("the halt of `desktop`", halted("agent", "desktop"));
        for (number, user) in self.users.iter_mut().enumerate() {
            let name = format!("somebody-{number}");
            user.settle(&format!("the halt of `{name}`"), halted("user", &name));
        }
        let number = |list: &Value, key: &str, name: &str, text: &str| {
            let row = list.as_array().unwrap().iter().find(|row| row[key] == name).expect("it is there");
            row[text].as_str().unwrap().parse::<usize>().unwrap()
        };
        self.zone.settle("the zone", number(&gate.read("/zones").await, "name", "moving", "purpose"));
        self.policy.settle("the policy", number(&gate.read("/policies").await, "id", "moving", "message"));
        let server = gate.read("/servers/desk").await;
        let definitions = server["pinned"]["definitions"].as_array().unwrap();
        let credit = definitions.iter().find(|one| one["name"] == "credit").unwrap();
        let said = credit["definition"]["description"].as_str().unwrap();
        self.pinned.settle("the pin", said.trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap_or(0));
        self.all_is_done(gate).await;
    }

    /// What is said to be in force does what it says.
    async fn all_is_done(&self, gate: &Gate) {
        let read = async |caller| gate.client(caller).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
        let reply = read(ANA_AT_DESKTOP).await;
        match self.desktop.sure {
            true => drop(gate.says(&reply, HALTED)),
            false => passes(&reply),
        }
        let reply = read(ANA_WITH_SCOUT).await;
        match self.policy.sure % 2 == 1 {
            true => drop(gate.says(&reply, POLICY_FORBIDS)),
            false => passes(&reply),
        }
    }
}

/// The admin side of a gate that may be gone at any moment.
struct Desk<'a> {
    gate: &'a Gate,
    dying: &'a AtomicBool,
}

impl Desk<'_> {
    /// Halts what is not halted, and resumes what is.
    async fn halt(&self, what: &str, name: &str, known: &mut Known<bool>) -> Went {
        let path = if known.sure { "/halts/end" } else { "/halts" };
        let (went, _) = self.post(path, json!({ "what": what, "name": name, "reason": "a test" })).await;
        known.went(!known.sure, went);
        went
    }

    async fn apply_zone(&self, number: usize, known: &mut Known<usize>) -> Went {
        let here = self.file("zones/here.toml");
        let moving = json!({ "file": "zones/moving.toml", "text": zone(number) });
        self.apply(json!({ "zones": [here, moving] }), number, known).await
    }

    async fn apply_policy(&self, number: usize, known: &mut Known<usize>) -> Went {
        let (desk, notes) = (self.file("policies/desk.cedar"), self.file("policies/notes.cedar"));
        let moving = json!({ "file": "policies/moving.cedar", "text": policy(number) });
        self.apply(json!({ "policies": [desk, notes, moving] }), number, known).await
    }

    fn file(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.gate.directory().join("state").join(name)).unwrap();
        json!({ "file": name, "text": text })
    }

    async fn apply(&self, manifests: Value, number: usize, known: &mut Known<usize>) -> Went {
        let (went, plan) = self.post("/plan", json!({ "manifests": manifests })).await;
        if went != Went::Acknowledged {
            // Nothing was to change yet.
            return Went::Refused;
        }
        let body = json!({ "manifests": manifests, "expected": plan["revision"] });
        let (went, _) = self.post("/apply", body).await;
        known.went(number, went);
        went
    }

    /// The server says something new of a tool; a person reads it and says yes.
    async fn approve(&self, number: usize, known: &mut Known<usize>) -> Went {
        self.gate.desk.change(|script| script.tool("credit")["description"] = description(number).into());
        let (went, dossier) = self.post("/servers/desk/check", json!({})).await;
        if went != Went::Acknowledged {
            return Went::Refused;
        }
        let seen = &dossier["observed"]["digest"];
        let (went, _) = self.post("/servers/desk/approve", json!({ "seen": seen })).await;
        known.went(number, went);
        went
    }

    async fn post(&self, path: &str, body: Value) -> (Went, Value) {
        let url = format!("http://{}/api/v1{path}", self.gate.admin());
        let mut headers = bearer(&person_token("admin"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        match Client::new(&url, None).unwrap().raw(body.to_string(), headers).await {
            Ok(reply) if reply.status == 200 => (Went::Acknowledged, serde_json::from_slice(&reply.body).unwrap()),
            // Somebody was faster, or the gate itself, which looks at servers.
            Ok(reply) if reply.status == 409 => (Went::Refused, Value::Null),
            Ok(reply) => panic!("{path}: {} {}", reply.status, String::from_utf8_lossy(&reply.body)),
            Err(error) => {
                assert!(self.dying.load(Ordering::Acquire), "{path}: no answer from a gate that lives: {error:?}");
                (Went::Unanswered, Value::Null)
            }
        }
    }
}
