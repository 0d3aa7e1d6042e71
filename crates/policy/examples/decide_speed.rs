//! How long a decision takes, both principals, in microseconds: remembered, with ten policies that read arguments,
//! and with ten thousand more that cannot apply.
//!
//! `cargo run --release -p policy --example decide_speed`

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measurement tells its result and stops on a mistake")]

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use model::{Agent, AgentKind, Assurance, Caller, EndpointName, Object, ServerName, Timestamp};
use policy::{Action, Policies, Question, ServerVocabulary, Source, Target, ToolVocabulary, Vocabulary};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

const ROUNDS: usize = 20;
const MEASURED: Duration = Duration::from_millis(150);

fn main() {
    let cached = compile(0, 0);
    let ten = compile(10, 0);
    let caller = caller(3);
    let cases = [
        ("remembered, nothing reads arguments", per_call(&cached, &caller, "refund")),
        ("ten policies read arguments", per_call(&ten, &caller, "refund")),
    ];
    let (crowded, took) = timed(|| compile(0, 10_000));
    let crowded_ten = compile(10, 10_000);
    let more = [
        ("remembered, 10,000 more that cannot apply", per_call(&crowded, &caller, "refund")),
        ("ten read arguments, 10,000 more that cannot apply", per_call(&crowded_ten, &caller, "refund")),
    ];
    for (what, microseconds) in cases.into_iter().chain(more) {
        println!("{what:<52} {microseconds:>8.2} µs");
    }
    println!("{:<52} {:>8.2} µs", "first question of a caller (median of 2,000)", first(&cached, "refund"));
    println!("{:<52} {:>8.2} µs", "first question, 10,000 more that cannot apply", first(&crowded, "refund"));
    println!("{:<52} {:>8.2} µs", "first question about a tool nobody has", first(&crowded, "unheard"));
    println!("{:<52} {:>8.1} ms", "compiling one policy", timed(|| compile(0, 0)).1.as_secs_f64() * 1e3);
    println!(
        "{:<52} {:>8.1} ms",
        "compiling eleven, ten of which read arguments",
        timed(|| compile(10, 0)).1.as_secs_f64() * 1e3
    );
    println!("{:<52} {:>8.1} ms", "compiling 10,000 policies", took.as_secs_f64() * 1e3);
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

/// The time per decision in the fastest round: what else the machine does can only add to it.
fn per_call(policies: &Policies, caller: &Caller, tool: &str) -> f64 {
    let (endpoint, object, arguments) = (endpoint(), object(tool), arguments());
    let rounds = (0..ROUNDS).map(|_| {
        let begun = Instant::now();
        let mut calls = 0_u32;
        while begun.elapsed() < MEASURED {
            for _ in 0..100 {
                assert!(black_box(decide(policies, caller, &endpoint, &object, &arguments)));
            }
            calls += 100;
        }
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
    });
    rounds.fold(f64::INFINITY, f64::min)
}

/// The median time of a question that nothing is remembered of.
fn first(policies: &Policies, tool: &str) -> f64 {
    let (endpoint, object, arguments) = (endpoint(), object(tool), arguments());
    let mut each: Vec<f64> = (0..2_000)
        .map(|number| {
            let caller = caller(number);
            let (_, took) = timed(|| black_box(decide(policies, &caller, &endpoint, &object, &arguments)));
            took.as_secs_f64() * 1e6
        })
        .collect();
    median(&mut each)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn decide(policies: &Policies, caller: &Caller, endpoint: &EndpointName, object: &Object, arguments: &Value) -> bool {
    let (action, target, now) = (Action::Call, Target::Object(object), Timestamp(1_795_000_000_000));
    policies
        .decide(&Question { action, caller, endpoint, target, arguments: Some(arguments), findings: None, now })
        .is_ok()
}

/// A permit for all, `reading` forbids that look at the amount, and `elsewhere` policies about other tools.
fn compile(reading: usize, elsewhere: usize) -> Policies {
    let mut text = "permit(principal, action, resource);\n".to_owned();
    for number in 0..reading {
        writeln!(
            text,
            "forbid(principal, action == Action::\"call\", resource == Tool::\"erp/refund\") when {{ \
             context.arguments.amount > {} && context.arguments.order like \"x{number}*\" }};",
            500 + number
        )
        .expect("a text");
    }
    for number in 0..elsewhere {
        writeln!(
            text,
            "permit(principal in Group::\"g{number}\", action in Action::\"use\", resource == Tool::\"erp/t{number}\") \
             when {{ context.agent.kind == \"delegated\" }};"
        )
        .expect("a text");
    }
    let schema = json!({"type": "object", "required": ["order", "amount"], "properties": {
        "order": {"type": "string"}, "amount": {"type": "integer"}, "note": {"type": "string"},
    }});
    let definition = to_raw_value(&json!({"name": "refund", "inputSchema": schema})).expect("a definition");
    let tool = ToolVocabulary::new("refund".parse().expect("tool"), definition.into(), Vec::new());
    let server = ServerVocabulary { name: erp(), tools: vec![tool] };
    let vocabulary = Vocabulary { endpoints: vec![endpoint()], servers: vec![server.into()] };
    Policies::compile(&[Source { file: "speed.cedar".to_owned(), text }], &vocabulary).expect("it compiles")
}

fn caller(number: usize) -> Caller {
    let agent = Agent { id: "assistant".parse().expect("id"), kind: AgentKind::Delegated };
    let user = format!("user-{number}@example.com").parse().expect("id");
    let groups = (0..5).map(|group| format!("group-{group}").parse().expect("group")).collect();
    Caller::new(agent, Some(user), groups, Assurance::Development).expect("caller")
}

fn endpoint() -> EndpointName {
    "finance".parse().expect("endpoint")
}

fn erp() -> ServerName {
    "erp".parse().expect("server")
}

fn object(tool: &str) -> Object {
    Object::Tool { server: erp(), name: tool.parse().expect("tool") }
}

/// About one kilobyte, as a call has it.
fn arguments() -> Value {
    json!({"order": "A-2026-000123", "amount": 120, "note": "n".repeat(900)})
}
