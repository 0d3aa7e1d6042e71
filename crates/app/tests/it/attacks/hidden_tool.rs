//! Things the caller may not know of, probed by every way of asking wrongly: what is hidden answers as what does not
//! exist, byte for byte, but for the receipt's id.

use std::time::{Duration, Instant};

use drill::mcp::{Client, Reply};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::gate::files::{ANA, OUTSIDER};
use crate::gate::{Gate, name, value};
use crate::verdict::{ENDPOINT_NOT_FOUND, OBJECT_NOT_FOUND};

/// One way of asking: a method, and its parameters with `NAME` where the thing is named.
struct Probe {
    method: &'static str,
    params: Value,
    headers: &'static [(&'static str, &'static str)],
}

fn probe(method: &'static str, params: Value) -> Probe {
    Probe { method, params, headers: &[] }
}

/// Asks for the thing of this name. Every question has the same id.
async fn ask(client: &Client, probe: &Probe, thing: &str) -> Reply {
    let params: Value = serde_json::from_str(&probe.params.to_string().replace("NAME", thing)).unwrap();
    let mut headers: HeaderMap = client.headers(probe.method, &params);
    for (header, said) in probe.headers {
        headers.append(name(header), value(said));
    }
    let mut body = client.body(probe.method, params);
    body["id"] = 7.into();
    client.raw(body.to_string(), headers).await.unwrap()
}

/// Everything a caller can see of a reply, but what is different in every reply.
fn visible(reply: &Reply) -> String {
    let receipt = reply.headers["portcullis-receipt"].to_str().unwrap();
    let mut shown = format!("{}\n", reply.status);
    let mut lines: Vec<_> = reply.headers.iter().filter(|(name, _)| *name != "date").collect();
    lines.sort_by_key(|(name, _)| name.as_str());
    lines.iter().for_each(|(name, value)| shown.push_str(&format!("{name}: {value:?}\n")));
    shown.push_str(&String::from_utf8_lossy(&reply.body));
    shown.replace(receipt, "RECEIPT")
}

async fn same(gate: &Gate, probe: &Probe, hidden: &str, missing: &str) {
    let client = gate.client(ANA);
    let (one, other) = (ask(&client, probe, hidden).await, ask(&client, probe, missing).await);
    gate.refuses(&one, OBJECT_NOT_FOUND).await;
    gate.refuses(&other, OBJECT_NOT_FOUND).await;
    assert_eq!(visible(&one), visible(&other), "{} tells `{hidden}` from `{missing}`", probe.method);
}

/// Calls of a tool, right and wrong.
fn calls() -> Vec<Probe> {
    let call = |arguments: Value| probe("tools/call", json!({ "name": "NAME", "arguments": arguments }));
    let mut probes: Vec<Probe> = [
        json!({ "days": 1 }),
        json!({}),
        json!({ "days": "one" }),
        json!({ "days": 1, "more": true }),
        json!({ "region": "north" }),
    ]
    .map(call)
    .into();
    probes.push(probe("tools/call", json!({ "name": "NAME" })));
    let with =
        |headers: &'static [(&'static str, &'static str)]| Probe { headers, ..call(json!({ "region": "north" })) };
    probes.push(with(&[("mcp-param-region", "north")]));
    probes.push(with(&[("mcp-param-region", "south")]));
    probes.push(with(&[("mcp-param-region", "=?base64?%%?="), ("mcp-param-region", "north")]));
    probes
}

/// Names that do not exist: one as long as the hidden one, one like nothing there is, one that no tool can have.
const MISSING: [&str; 3] = ["purgf", "no/such thing", "purge "];

#[tokio::test]
async fn a_hidden_tool_answers_as_a_missing_one_however_it_is_asked() {
    let gate = Gate::start().await;
    for probe in calls() {
        for hidden in ["purge", "sweep"] {
            for missing in MISSING {
                same(&gate, &probe, hidden, missing).await;
            }
        }
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn halted_and_changed_it_still_answers_as_a_missing_one() {
    let gate = Gate::start().await;
    gate.must(&["halt", "tool", "desk/purge", "--reason", "nobody needs it"]).await;
    gate.desk.change(|script| script.tool("sweep")["description"] = "changed".into());
    gate.drift_seen().await;
    for probe in calls() {
        same(&gate, &probe, "purge", "purgf").await;
        same(&gate, &probe, "sweep", "sweeq").await;
    }
    gate.must(&["halt", "server", "desk", "--reason", "all of it"]).await;
    same(&gate, &calls()[0], "purge", "purgf").await;
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn hidden_prompts_resources_and_templates_answer_as_missing_ones() {
    let gate = Gate::start().await;
    let prompt = json!({ "name": "NAME", "arguments": { "x": "y" } });
    same(&gate, &probe("prompts/get", prompt), "minutes", "minutez").await;
    let resource = || json!({ "uri": "NAME" });
    same(&gate, &probe("resources/read", resource()), "desk://vault/1", "desk://vault/2").await;
    same(&gate, &probe("resources/read", resource()), "desk://vault/1", "nothing://at/all").await;
    let complete = |reference: Value| {
        probe("completion/complete", json!({ "ref": reference, "argument": { "name": "id", "value": "1" } }))
    };
    let prompt = json!({ "type": "ref/prompt", "name": "NAME" });
    same(&gate, &complete(prompt), "minutes", "minutez").await;
    let template = json!({ "type": "ref/resource", "uri": "NAME" });
    same(&gate, &complete(template), "desk://vault/{id}", "desk://vault/{ix}").await;
    for others in [json!([]), json!(["desk://tickets/1"])] {
        let mut uris = others;
        uris.as_array_mut().unwrap().push("NAME".into());
        let filter = json!({ "notifications": { "resourceSubscriptions": uris } });
        same(&gate, &probe("subscriptions/listen", filter), "desk://vault/1", "desk://vault/2").await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn listings_do_not_mention_what_is_hidden() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    for (method, shown) in [
        ("tools/list", "read_ticket"),
        ("prompts/list", "summary"),
        ("resources/templates/list", "desk://tickets/{id}"),
        ("resources/list", "desk://tickets/1"),
    ] {
        let text = client.list(method).await.unwrap().json.to_string();
        assert!(text.contains(shown), "{method}: {text}");
        for hidden in ["purge", "sweep", "minutes", "vault"] {
            assert!(!text.contains(hidden), "{method} mentions `{hidden}`: {text}");
        }
    }
}

#[tokio::test]
async fn a_forbidden_endpoint_answers_as_a_missing_one() {
    let gate = Gate::start().await;
    let ways = [
        probe("server/discover", json!({})),
        probe("tools/list", json!({})),
        probe("tools/call", json!({ "name": "read_ticket", "arguments": { "ticket": "1" } })),
        probe("tools/call", json!({ "name": "nothing", "arguments": {} })),
        probe("subscriptions/listen", json!({ "notifications": {} })),
    ];
    let compare = async || {
        for way in &ways {
            let one = ask(&gate.client(OUTSIDER), way, "").await;
            let other = ask(&gate.client_at("desj", OUTSIDER), way, "").await;
            gate.refuses(&one, ENDPOINT_NOT_FOUND).await;
            gate.refuses(&other, ENDPOINT_NOT_FOUND).await;
            assert_eq!(visible(&one), visible(&other), "{}", way.method);
        }
    };
    compare().await;
    // Halts of the endpoint and of the agent tell nothing either.
    gate.must(&["halt", "endpoint", "desk", "--reason", "closed"]).await;
    gate.must(&["halt", "agent", "visitor", "--reason", "closed"]).await;
    compare().await;
    assert_eq!(gate.desk.calls(), 0);
}

/// A class check, not a benchmark: a database looked at, a schema compiled or a server asked would be seen.
#[tokio::test]
async fn hidden_and_missing_take_the_same_class_of_time() {
    const ROUNDS: usize = 60;
    const RATIO: u32 = 3;
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let way = probe("tools/call", json!({ "name": "NAME", "arguments": { "days": 1 } }));
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..ROUNDS + 5 {
        // Taking turns, so that whatever else the machine does is shared by both.
        for (thing, times) in ["purge", "purgf"].into_iter().zip(&mut times) {
            let began = Instant::now();
            ask(&client, &way, thing).await;
            // The first rounds open connections and fill caches.
            if round >= 5 {
                times.push(began.elapsed());
            }
        }
    }
    let [hidden, missing] = times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    println!("hidden {hidden:?}, missing {missing:?}");
    assert!(hidden < missing * RATIO && missing < hidden * RATIO, "hidden {hidden:?}, missing {missing:?}");
}
