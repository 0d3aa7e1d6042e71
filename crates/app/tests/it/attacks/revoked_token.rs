//! A token that was taken away while it was in use: the next message is a stranger's, an open stream ends, and the answer
//! that was on its way is withheld.

use std::fs;

use drill::mcp::Answer;
use serde_json::json;

use crate::gate::Gate;
use crate::gate::files::{ANA, BOB};
use crate::verdict::{RELEASE_REFUSED, UNAUTHENTICATED, passes, words};

/// Takes Ana's token at the help desk out of the settings.
pub(super) async fn revoke(gate: &Gate) {
    let file = gate.directory().join("portcullis.toml");
    let right = fs::read_to_string(&file).unwrap();
    let (before, ana) = right.split_once("[[development.token]]\ntoken = \"file:tokens/ana\"").unwrap();
    let (_, after) = ana.split_once("[[").unwrap();
    fs::write(&file, format!("{before}[[{after}")).unwrap();
    gate.reload();
    gate.has_said("the settings were reloaded").await;
}

async fn cut(gate: &Gate, mut stream: Answer) {
    let receipt = stream.headers["portcullis-receipt"].to_str().unwrap().to_owned();
    words(&stream.next().await.unwrap().unwrap(), UNAUTHENTICATED);
    assert_eq!(stream.next().await.unwrap(), None);
    assert_eq!(gate.outcome(&receipt).await["end"], json!({ "type": "cut", "why": "unauthenticated" }));
}

#[tokio::test]
async fn whoever_lost_their_token_is_a_stranger_at_once() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let mut call = client.open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
    let mut subscription = client.listen(json!({})).await.unwrap();
    for stream in [&mut call, &mut subscription] {
        assert!(stream.next().await.unwrap().unwrap().get("method").is_some());
    }
    let slow = client.clone();
    let slow = tokio::spawn(async move { slow.call("slow", json!({})).await.unwrap() });
    gate.desk.reached(3).await;

    revoke(&gate).await;
    let read = async |caller| gate.client(caller).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    gate.turns_away(&read(ANA).await, UNAUTHENTICATED).await;
    cut(&gate, call).await;
    cut(&gate, subscription).await;
    gate.desk.tick();
    gate.ends(&slow.await.unwrap(), RELEASE_REFUSED, "result-withheld").await;
    assert_eq!(gate.desk.calls(), 3);
    passes(&read(BOB).await);
}
