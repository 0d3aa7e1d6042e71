//! A local server for the tests: honest, or broken in the way that a tool's name says. It is also its own supervisor.
//!
//! `puppet stateless` speaks 2026-07-28 only, `puppet sessions` 2025-11-25 only, `puppet sessions@REVISION` that one, and `puppet strict` ends when it hears
//! anything before a handshake. `puppet dead` ends at once, `puppet mute` never says anything, `puppet deaf` never reads.

use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let manner = arguments.first().map(String::as_str).unwrap_or_default();
    match manner {
        "supervise" => return sandbox::supervise(),
        "dead" => {
            eprint("no configuration found\n");
            return ExitCode::from(7);
        }
        "deaf" => sleep_forever(),
        _ => {}
    }
    let (manner, revision) = manner.split_once('@').unwrap_or((manner, "2025-11-25"));
    let mut puppet = Puppet { manner: manner.to_owned(), revision: revision.to_owned(), ..Puppet::default() };
    for line in io::stdin().lock().lines() {
        let Some(message) = line.ok().and_then(|line| serde_json::from_str::<Value>(&line).ok()) else {
            return ExitCode::FAILURE;
        };
        if let Some(status) = puppet.hear(&message) {
            return ExitCode::from(status);
        }
    }
    ExitCode::SUCCESS
}

#[derive(Default)]
struct Puppet {
    manner: String,
    revision: String,
    greeted: bool,
    /// Methods that were heard, with what they cancel.
    heard: Vec<Value>,
    subscriptions: Vec<Value>,
    /// A call that waits for answers to questions, and those.
    asking: Option<(Value, Vec<Value>)>,
}

impl Puppet {
    /// Hears one message; ends with a status if it should.
    fn hear(&mut self, message: &Value) -> Option<u8> {
        let method = message["method"].as_str().unwrap_or_default();
        self.heard.push(json!([method, at(message, "/params/requestId")]));
        let id = &message["id"];
        match (self.manner.as_str(), method) {
            ("mute", _) => return None,
            ("strict", method) if !self.greeted && method != "initialize" => return Some(4),
            ("sessions" | "strict", "initialize") => self.greet(id),
            ("sessions" | "strict", "server/discover") => fail(id, -32601, "method not found"),
            ("sessions" | "strict", _) if !self.greeted && !id.is_null() => fail(id, -32600, "not initialized"),
            ("stateless", "initialize") => {
                let error = json!({ "code": -32022, "message": "no", "data": { "supported": ["2026-07-28"] } });
                say(&json!({ "jsonrpc": "2.0", "id": id, "error": error }));
            }
            ("stateless", "server/discover") => answer(
                id,
                &json!({
                    "resultType": "complete",
                    "supportedVersions": ["2026-07-28"],
                    "capabilities": { "tools": { "listChanged": true } },
                    "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "puppet", "version": "1" } },
                }),
            ),
            (_, "tools/list") => {
                answer(id, &json!({ "tools": [{ "name": "echo", "inputSchema": { "type": "object" } }] }));
            }
            (_, "subscriptions/listen") => {
                self.subscriptions.push(id.clone());
                notify("notifications/subscriptions/acknowledged", &json!({ "_meta": { SUBSCRIPTION: id } }));
            }
            (_, "tools/call") => return self.call(message),
            (_, "") => self.answered(message),
            _ => {}
        }
        None
    }

    fn greet(&mut self, id: &Value) {
        self.greeted = true;
        answer(
            id,
            &json!({
                "protocolVersion": self.revision,
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "puppet", "version": "1" },
                "instructions": "Pull gently.",
            }),
        );
    }

    fn call(&mut self, message: &Value) -> Option<u8> {
        let (id, params) = (&message["id"], &message["params"]);
        let token = at(params, "/_meta/progressToken");
        match params["name"].as_str().unwrap_or_default() {
            "echo" => answer(id, params),
            "heard" => answer(id, &json!({ "heard": self.heard })),
            "progress" => {
                for step in 1..=at(params, "/arguments/steps").as_u64().unwrap_or(2) {
                    notify("notifications/progress", &json!({ "progressToken": token, "progress": step }));
                }
                answer(id, &json!({}));
            }
            "begin" => notify("notifications/progress", &json!({ "progressToken": token, "progress": 1 })),
            "never" => {}
            "twice" => {
                answer(id, &json!({ "time": 1 }));
                answer(id, &json!({ "time": 2 }));
            }
            "strange" => {
                answer(&json!(999), &json!({}));
                answer(&json!("1"), &json!({}));
                say(&json!({ "jsonrpc": "2.0", "error": { "code": -1, "message": "whose?" } }));
                notify("notifications/message", &json!({ "level": "info", "data": "for everybody" }));
                notify("notifications/progress", &json!({ "progressToken": 999, "progress": 1 }));
                notify("notifications/progress", &json!({ "progressToken": id, "progress": 1 }));
                notify("notifications/tools/list_changed", &json!({}));
                answer(id, &json!({}));
            }
            "batch" => {
                let progress = json!({ "progressToken": token, "progress": 1 });
                let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": progress });
                say(&json!([progress, { "jsonrpc": "2.0", "id": id, "result": {} }]));
            }
            "rave" => loop {
                notify("notifications/progress", &json!({ "progressToken": token, "progress": 1 }));
            },
            "broken" => answer(id, &json!({ "resultType": "input_required" })),
            "noise" => {
                (0..at(params, "/arguments/lines").as_u64().unwrap_or(1))
                    .for_each(|_| print("listening on stdio...\n"));
                answer(id, &json!({}));
            }
            "long" => print(&"x".repeat(5 * 1024 * 1024)),
            "close" => return Some(0),
            "farewell" => {
                thread::sleep(Duration::from_millis(100));
                answer(id, &json!({}));
                return Some(0);
            }
            "exit" => {
                eprint("cannot open the ledger\n");
                return Some(3);
            }
            "stderr" => {
                (0..20_000).for_each(|_| eprint("the same line again and again, as servers do that are in trouble\n"));
                answer(id, &json!({}));
            }
            "deaf" => sleep_forever(),
            "ask" => {
                self.asking = Some((id.clone(), Vec::new()));
                say(&json!({ "jsonrpc": "2.0", "id": "are-you-there", "method": "ping" }));
                say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "roots/list" }));
            }
            "change" => {
                for subscription in &self.subscriptions {
                    notify("notifications/tools/list_changed", &json!({ "_meta": { SUBSCRIPTION: subscription } }));
                }
                answer(id, &json!({}));
            }
            "end" => {
                self.subscriptions.drain(..).for_each(|subscription| answer(&subscription, &json!({})));
                answer(id, &json!({}));
            }
            _ => fail(id, -32602, "no such tool"),
        }
        None
    }

    fn answered(&mut self, message: &Value) {
        let Some((id, answers)) = &mut self.asking else { return };
        answers.push(message.clone());
        if answers.len() == 2 {
            answer(id, &json!({ "answers": answers }));
        }
    }
}

/// What stands at a JSON pointer; null if nothing does.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn answer(id: &Value, result: &Value) {
    say(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
}

fn fail(id: &Value, code: i32, message: &str) {
    say(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }));
}

fn notify(method: &str, params: &Value) {
    say(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
}

fn say(message: &Value) {
    print(&format!("{message}\n"));
}

/// What cannot be written is for nobody any more.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
}

fn eprint(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

fn sleep_forever() -> ! {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
