//! Halts: in force when the answer comes.

use model::Scope;
use serde_json::{Value, json};

use crate::bench::{Bench, refund};

#[tokio::test]
async fn a_halt_is_in_force_when_it_is_answered_and_durable() {
    let bench = Bench::open().await;
    let order = json!({ "what": "user", "name": "ana", "reason": "her laptop was stolen" });
    let row = bench.done("POST", "/halts", &order).await;
    assert_eq!((&row["halted"]["by"], &row["note"]), (&json!("admin"), &Value::Null));
    let current = bench.admin.halts.current();
    assert_eq!(current.all()[0].scope, Scope::User("ana".parse().unwrap()));
    let stored = bench.admin.halts_port.halts().await.unwrap();
    assert_eq!(stored[0].reason.as_deref(), Some("her laptop was stolen"));
    assert_eq!(bench.done("GET", "/halts", &Value::Null).await[0]["name"], "ana");
}

#[tokio::test]
async fn a_halt_ends_once() {
    let bench = Bench::open().await;
    let order = json!({ "what": "everything", "reason": "drill" });
    bench.done("POST", "/halts", &order).await;
    assert_eq!(bench.done("POST", "/halts/end", &order).await, json!({ "was_halted": true }));
    assert_eq!(bench.done("POST", "/halts/end", &order).await, json!({ "was_halted": false }));
    assert!(bench.admin.halts.current().all().is_empty());
}

#[tokio::test]
async fn a_tool_is_named_with_its_server_even_with_a_slash_in_its_name() {
    let bench = Bench::open().await;
    bench.done("POST", "/halts", &json!({ "what": "tool", "name": "erp/orders/refund" })).await;
    let scope = Scope::Tool { server: "erp".parse().unwrap(), tool: "orders/refund".parse().unwrap() };
    assert_eq!(bench.admin.halts.current().all()[0].scope, scope);
}

#[tokio::test]
async fn a_misspelt_halt_is_in_force_and_says_so() {
    let bench = Bench::open().await;
    bench.servers.offer("erp", vec![refund("number")]);
    bench.submit("erp").await;
    let note = async |what: &str, name: &str| {
        bench.done("POST", "/halts", &json!({ "what": what, "name": name })).await["note"].clone()
    };
    assert_eq!(note("tool", "erp/refund").await, Value::Null);
    assert!(note("tool", "erp/refunds").await.as_str().unwrap().contains("there is no tool erp/refunds"));
    assert!(note("server", "epr").await.as_str().unwrap().contains("there is no server epr"));
    assert_eq!(bench.admin.halts.current().all().len(), 3);
}

#[tokio::test]
async fn a_halt_that_names_nothing_or_everything_twice_is_refused() {
    let bench = Bench::open().await;
    for order in [
        json!({ "what": "user" }),
        json!({ "what": "everything", "name": "x" }),
        json!({ "what": "tool", "name": "refund" }),
        json!({ "what": "server", "name": "Not A Name" }),
        json!({ "what": "user", "name": "ana", "reason": "x".repeat(3_000) }),
    ] {
        assert_eq!(bench.refused("POST", "/halts", &order).await.0, "request-invalid", "{order}");
    }
    assert!(bench.admin.halts.current().all().is_empty());
}
