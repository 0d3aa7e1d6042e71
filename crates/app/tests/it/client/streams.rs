//! As many streams as one caller may have open, and one more.

use drill::mcp::Answer;
use model::limits;
use serde_json::json;

use super::{newest_intent, streams_open};
use crate::gate::Gate;
use crate::gate::files::{ANA, CROWD};
use crate::verdict::{HALTED, OVERLOADED, RELEASE_REFUSED, passes, words};

async fn watch(gate: &Gate) -> Answer {
    gate.client(CROWD).open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap()
}

async fn listen(gate: &Gate) -> Answer {
    gate.client(CROWD).listen(json!({ "toolsListChanged": true })).await.unwrap()
}

#[tokio::test]
async fn one_caller_opens_so_many_streams_and_no_more() {
    let gate = Gate::start().await;
    let mut open = Vec::new();
    for number in 0..limits::STREAMS_PER_SESSION_MAX {
        let mut stream = if number % 2 == 0 { watch(&gate).await } else { listen(&gate).await };
        assert_eq!(stream.status, 200);
        assert!(stream.next().await.unwrap().is_some());
        open.push(stream);
    }
    streams_open(&gate, limits::STREAMS_PER_SESSION_MAX).await;

    // A subscription more never reaches the server.
    let calls = gate.desk.calls();
    let reply = gate.client(CROWD).post("subscriptions/listen", json!({ "notifications": {} })).await.unwrap();
    gate.refuses(&reply, OVERLOADED).await;
    assert_eq!(gate.desk.calls(), calls);
    // Whether a call is answered by a stream is known only once it was made; nobody may be told to make it again.
    let reply = watch(&gate).await.whole().await.unwrap();
    let outcome = gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
    assert!(outcome["detail"].as_str().unwrap().contains("64 streams"), "{outcome:#}");
    assert_eq!(gate.desk.calls(), calls + 1);

    // Calls with a plain answer, and other callers, go on.
    passes(&gate.client(CROWD).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    let mut other = gate.client(ANA).listen(json!({})).await.unwrap();
    assert!(other.next().await.unwrap().is_some());

    // A place that is given up can be taken.
    drop(open.pop());
    streams_open(&gate, limits::STREAMS_PER_SESSION_MAX).await;
    let mut again = listen(&gate).await;
    assert!(again.next().await.unwrap().is_some());
    drop((open, again, other));
    streams_open(&gate, 0).await;
}

#[tokio::test]
async fn a_stream_that_is_cut_gives_its_place_back() {
    let gate = Gate::start().await;
    for _ in 0..3 {
        let mut stream = watch(&gate).await;
        assert!(stream.next().await.unwrap().is_some());
        gate.must(&["halt", "agent", "crowd", "--reason", "a test"]).await;
        let last = stream.next().await.unwrap().expect("it is told why");
        words(&last, HALTED);
        assert!(stream.next().await.unwrap().is_none());
        let outcome = gate.outcome(&newest_intent(&gate).await).await;
        assert_eq!(outcome["end"], json!({ "type": "cut", "why": "halted" }));
        gate.must(&["resume", "agent", "crowd"]).await;
    }
    streams_open(&gate, 0).await;
}
