//! The callers: many at once, with everything there is to ask, each keeping what it was told and under which receipt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use drill::mcp::{Answer, Client, ClientError, Reply};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::gate::Gate;
use crate::gate::files::{ANA, ANA_AT_DESKTOP, ANA_WITH_SCOUT, BOB, CROWD, Caller, RECONCILER};
use crate::resilience::chance::Chance;
use crate::verdict::receipt_id;

const CALLERS: usize = 24;
/// Ana most often: the others may do less.
const WHO: [Caller; 8] = [ANA, CROWD, ANA, BOB, RECONCILER, CROWD, ANA_WITH_SCOUT, ANA_AT_DESKTOP];
/// The longest a caller rests between two messages.
const REST: Duration = Duration::from_millis(20);
/// The longest a caller stays with a stream that says nothing.
const STAY: Duration = Duration::from_millis(80);
/// What every id begins with by which a call is known at the server.
pub(super) const ID: &str = "kills-";

/// What an answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A server's answer, whole.
    Answered,
    /// The beginning of a server's answer, message by message.
    Streamed,
    /// The gate's own listing.
    Listed,
    /// The gate's no, before anything left.
    Refused,
    /// The gate's no, after the call had left.
    Withheld,
}

/// What a caller was told, and when.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) what: What,
    pub(super) receipt: String,
    pub(super) at: Instant,
}

/// Callers that go on until the gate is gone.
pub(super) struct Crowd(JoinSet<Vec<Told>>);

impl Crowd {
    /// They call until `dying` is set and the gate answers no more.
    pub(super) fn start(gate: &Gate, round: usize, chance: &mut Chance, dying: &Arc<AtomicBool>) -> Self {
        let mut tasks = JoinSet::new();
        for number in 0..CALLERS {
            let who = WHO[number % WHO.len()];
            let stranger = Client::new(&format!("http://{}/desk/mcp", gate.agents()), Some("nobody")).unwrap();
            let caller = OneOfThem {
                client: gate.client(who),
                notes: gate.client_at("notes", who),
                stranger,
                chance: chance.fork(),
                told: Vec::new(),
                name: format!("{ID}{round}-{number}"),
            };
            tasks.spawn(caller.call_on(Arc::clone(dying)));
        }
        Self(tasks)
    }

    /// Everything they were told. The gate is gone.
    pub(super) async fn gone(mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(caller) = self.0.join_next().await {
            told.extend(caller.unwrap());
        }
        told
    }
}

struct OneOfThem {
    client: Client,
    notes: Client,
    stranger: Client,
    chance: Chance,
    told: Vec<Told>,
    name: String,
}

impl OneOfThem {
    async fn call_on(mut self, dying: Arc<AtomicBool>) -> Vec<Told> {
        for count in 0.. {
            tokio::time::sleep(self.chance.within(REST)).await;
            if dying.load(Ordering::Acquire) {
                break;
            }
            if let Err(error) = self.ask(count).await {
                assert!(dying.load(Ordering::Acquire), "no answer from a gate that nobody had killed: {error:?}");
                break;
            }
        }
        self.told
    }

    async fn ask(&mut self, count: usize) -> Result<(), ClientError> {
        let tool = |name: &str, arguments: Value| ("tools/call", json!({ "name": name, "arguments": arguments }));
        let (method, params) = match self.chance.below(100) {
            0..36 => tool("read_ticket", json!({ "ticket": "1" })),
            36..40 => {
                let reply = self.notes.call("list_notes", json!({})).await?;
                self.keep("tools/call", &reply);
                return Ok(());
            }
            40..48 => tool("refund", json!({ "order": "A-1", "amount": 900 })),
            48..52 => tool("purge", json!({ "days": 1 })),
            52..56 => tool("read_ticket", json!({ "ticket": 1 })),
            56..60 => tool("credit", json!({ "account": "B-2" })),
            60..65 => tool("slow", json!({})),
            65..73 => ("tools/list", json!({})),
            73..76 => ("prompts/list", json!({})),
            76..79 => ("resources/list", json!({})),
            79..82 => ("server/discover", json!({})),
            82..86 => ("resources/read", json!({ "uri": "desk://tickets/1" })),
            86..89 => ("prompts/get", json!({ "name": "summary" })),
            89..96 => return self.stay(tool("watch", json!({}))).await,
            96..98 => return self.stay(("subscriptions/listen", json!({ "notifications": {} }))).await,
            _ => {
                let reply = self.stranger.list("tools/list").await?;
                assert_eq!(reply.status, 401);
                return Ok(());
            }
        };
        let headers = self.client.headers(method, &params);
        let mut body = self.client.body(method, params);
        body["id"] = format!("{}-{count}", self.name).into();
        let reply = self.client.raw(body.to_string(), headers).await?;
        self.keep(method, &reply);
        Ok(())
    }

    /// Opens a stream, reads what comes, and leaves it.
    async fn stay(&mut self, (method, params): (&str, Value)) -> Result<(), ClientError> {
        let mut answer = self.client.open(method, params).await?;
        if answer.headers["content-type"] != "text/event-stream" {
            let reply = answer.whole().await?;
            self.keep(method, &reply);
            return Ok(());
        }
        let receipt = receipt_of(&answer);
        self.told.push(Told { what: What::Streamed, receipt, at: Instant::now() });
        for _ in 0..self.chance.below(4) {
            match tokio::time::timeout(STAY, answer.next()).await {
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) | Err(_) => break,
                Ok(Err(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn keep(&mut self, method: &str, reply: &Reply) {
        let what = what(method, reply);
        self.told.push(Told { what, receipt: receipt_id(reply).to_owned(), at: Instant::now() });
    }
}

fn receipt_of(answer: &Answer) -> String {
    answer.headers["portcullis-receipt"].to_str().unwrap().to_owned()
}

fn what(method: &str, reply: &Reply) -> What {
    let message = &reply.json;
    let places = ["/error/data/dev.portcullis~1refusal", "/result/_meta/dev.portcullis~1refusal"];
    let refusal = places.iter().find_map(|place| message.pointer(place));
    match refusal.and_then(|refusal| refusal["reason"].as_str()) {
        Some("outcome-unknown" | "answer-refused" | "release-refused") => What::Withheld,
        Some(_) => What::Refused,
        None => {
            let shown = String::from_utf8_lossy(&reply.body);
            assert!(reply.status == 200 && reply.result().is_some(), "{method}: {} {shown}", reply.status);
            match method {
                "tools/list" | "prompts/list" | "server/discover" => What::Listed,
                _ => What::Answered,
            }
        }
    }
}
