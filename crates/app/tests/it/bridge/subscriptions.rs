//! # Subscriptions, between the eras

use serde_json::json;

use super::{client, session};
use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::sessions::Lobby;
use crate::talker::Talker;
use crate::verdict::passes;

const TICKET: &str = "lobby://tickets/1";

/// | `subscriptions/listen` at a server with sessions | One session for it alone: `resources/subscribe` for each resource, and the session's own stream. The gate acknowledges what the server took, and tags what it hears. | Notifications with its `subscriptionId`. Where the server says nothing unasked, an acknowledgement without resources. |
/// | changed lists | As within one era: a server's word starts a check of its pins, and clients are told once people have approved. | `list_changed` of tools and prompts after approval. |
#[tokio::test]
async fn a_subscription_is_a_session_that_listens() {
    let lobby = Lobby::start().await;
    let wanted = json!({ "toolsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": [TICKET] });
    let mut answer = client(&lobby, ANA).listen(wanted.clone()).await.unwrap();
    let told = answer.next().await.unwrap().unwrap();
    let id = told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].clone();
    assert_eq!(told["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(told["params"]["notifications"]["resourceSubscriptions"], json!([TICKET]));
    let subscribed = lobby.talker.heard("resources/subscribe").remove(0);
    assert_eq!(subscribed.message["params"]["uri"], TICKET);
    let aside = lobby.talker.aside(subscribed.session.as_deref().unwrap()).await;
    aside.logs("not asked for");
    aside.notes("notifications/resources/updated", json!({ "uri": "lobby://tickets/2" }));
    aside.notes("notifications/resources/updated", json!({ "uri": TICKET, "x": 1.50 }));
    aside.notes("notifications/resources/list_changed", json!({}));
    let updated = answer.next().await.unwrap().unwrap();
    assert_eq!((&updated["params"]["uri"], &updated["params"]["x"]), (&json!(TICKET), &json!(1.5)));
    assert_eq!(updated["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
    assert_eq!(answer.next().await.unwrap().unwrap()["method"], "notifications/resources/list_changed");
    // Whoever leaves takes the session along.
    let session = subscribed.session.unwrap();
    drop(answer);
    lobby.hears("that the session is over", |talker: &Talker| talker.session(&session).over).await;
}

/// | `resources/subscribe` at a server of 2026-07-28 | One `subscriptions/listen` of the gate's for the session, opened anew when its resources change, and again when it breaks off. | An empty result, and `notifications/resources/updated` on the stream of its session. |
#[tokio::test]
async fn a_resource_of_a_newer_server_is_listened_to() {
    let gate = Gate::start().await;
    let session = session(&gate).await;
    let mut heard = session.listen().await;
    let uri = json!({ "uri": "desk://tickets/1" });
    let reply = session.send("resources/subscribe", uri.clone()).await;
    passes(&reply);
    assert_eq!(reply.json["result"], json!({}));
    let listens = || {
        let seen = gate.desk.seen().into_iter().filter(|seen| !seen.of_the_gate);
        seen.filter(|seen| seen.method == "subscriptions/listen").collect::<Vec<_>>()
    };
    let asked: serde_json::Value = serde_json::from_slice(&listens()[0].body).unwrap();
    let wanted = json!({ "resourceSubscriptions": ["desk://tickets/1"] });
    assert_eq!(asked["params"]["notifications"], wanted);
    gate.desk.update("desk://tickets/1");
    let told = heard.message().await;
    assert_eq!((&told["method"], &told["params"]["uri"]), (&json!("notifications/resources/updated"), &uri["uri"]));
    assert!(!told.to_string().contains("subscriptionId"), "{told:#}");

    passes(&session.send("resources/subscribe", uri.clone()).await);
    assert_eq!(listens().len(), 1, "what is listened to is not asked for twice");
    passes(&session.send("resources/unsubscribe", uri).await);
    gate.desk.update("desk://tickets/1");
    assert!(heard.is_silent().await);
}

/// | a list of resources that changes, at a server of 2026-07-28 | The gate listens once, for everybody. | `notifications/resources/list_changed` on the stream of its session, whether or not it listens to a resource. |
#[tokio::test]
async fn a_list_of_resources_that_changes_is_told_to_every_session_that_may_hear_of_it() {
    let gate = Gate::start().await;
    let (session, annexed) = (session(&gate).await, session(&gate).await);
    let (mut heard, mut too) = (session.listen().await, annexed.listen().await);
    gate.desk.listened_to().await;
    gate.desk.restock();
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/resources/list_changed" });
    assert_eq!(heard.message().await, told);
    assert_eq!(too.message().await, told);
    assert_eq!(gate.desk.calls(), 0, "no session needs a subscription of its own for that");
    gate.must(&["halt", "server", "desk", "--reason", "a test"]).await;
    gate.desk.restock();
    assert!(heard.is_silent().await);
}
