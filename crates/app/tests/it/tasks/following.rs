//! Tasks whose server tells of them by itself.

use drill::mcp::Answer;
use serde_json::{Value, json};

use super::{begin, begun, client, id, last};
use crate::bridge::asking_desk;
use crate::gate::Gate;
use crate::gate::files::{ANA, ANA_AT_DESKTOP};
use crate::puppet::tasks::{TASK, asking, completed, task};
use crate::sessions::Lobby;

/// Subscribes, and returns the stream with what its acknowledgement says.
async fn follow(client: &drill::mcp::Client, ids: &[&str]) -> (Answer, Value) {
    let wanted = json!({ "taskIds": ids, "resourceSubscriptions": ["desk://tickets/1"] });
    let mut stream = client.listen(wanted).await.unwrap();
    let first = stream.next().await.unwrap().expect("an acknowledgement");
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first:#}");
    (stream, first["params"]["notifications"].clone())
}

async fn next(stream: &mut Answer) -> Value {
    stream.next().await.unwrap().expect("a message")
}

#[tokio::test]
async fn who_follows_a_task_hears_of_it_under_the_id_it_knows() {
    let gate = asking_desk().await;
    let (ana, id) = (client(&gate, ANA), begun(&gate).await);
    let (mut stream, granted) = follow(&ana, &[&id]).await;
    assert_eq!(granted["taskIds"], json!([id]));
    assert_eq!(last(&gate).1["params"]["notifications"]["taskIds"], json!([TASK]), "the server knows its own");

    gate.desk.tell(task(&json!({ "statusMessage": "half of it" })));
    let told = next(&mut stream).await;
    assert_eq!((&told["method"], &told["params"]["taskId"]), (&json!("notifications/tasks"), &json!(id)));
    assert_eq!(told["params"]["statusMessage"], "half of it");
    gate.desk.tell(task(&asking()));
    assert_eq!(next(&mut stream).await["params"]["inputRequests"]["q1"]["method"], "elicitation/create");
    let asked = gate.until("/receipts?kind=asked", |page| !page["receipts"].as_array().unwrap().is_empty()).await;
    assert_eq!(asked["receipts"][0]["record"]["event"]["method"], "elicitation/create");
    gate.desk.tell(task(&completed("all of it")));
    assert_eq!(next(&mut stream).await["params"]["result"]["content"][0]["text"], "all of it");
}

#[tokio::test]
async fn nobody_hears_of_a_task_that_is_not_theirs() {
    let gate = Gate::start().await;
    let id = begun(&gate).await;
    let others = client(&gate, ANA_AT_DESKTOP);
    let (mut stream, granted) = follow(&others, &[&id, TASK, "made up"]).await;
    assert_eq!(granted["taskIds"], json!([]), "an id that is none is left out, and so is one that is another's");
    assert_eq!(last(&gate).1["params"]["notifications"]["taskIds"], json!([]), "nor does the server hear it");
    gate.desk.tell(task(&completed("not for the desktop")));
    // What comes after it is what is heard.
    gate.desk.update("desk://tickets/1");
    assert_eq!(next(&mut stream).await["method"], "notifications/resources/updated");

    // A subscription that asks for no tasks hears of none, whatever the server says.
    let mut stream = client(&gate, ANA).listen(json!({ "resourceSubscriptions": ["desk://tickets/1"] })).await.unwrap();
    next(&mut stream).await;
    gate.desk.tell(task(&completed("unasked")));
    gate.desk.update("desk://tickets/1");
    assert_eq!(next(&mut stream).await["method"], "notifications/resources/updated");
}

#[tokio::test]
async fn a_question_that_may_not_be_put_is_not_told() {
    let gate = Gate::start().await;
    let (ana, id) = (client(&gate, ANA), begun(&gate).await);
    let (mut stream, _) = follow(&ana, &[&id]).await;
    gate.desk.tell(task(&asking()));
    gate.desk.tell(task(&completed("without an answer")));
    assert_eq!(next(&mut stream).await["params"]["status"], "completed");
    let refused = |page: &Value| {
        let receipts = page["receipts"].as_array().unwrap();
        receipts.iter().any(|one| {
            let event = &one["record"]["event"];
            (&event["method"], &event["control"]) == (&json!("notifications/tasks"), &json!("ask"))
        })
    };
    gate.until("/receipts?kind=refused", refused).await;
}

#[tokio::test]
async fn a_halt_of_its_tool_cuts_what_follows_a_task() {
    let gate = Gate::start().await;
    let (ana, id) = (client(&gate, ANA), begun(&gate).await);
    let (mut stream, _) = follow(&ana, &[&id]).await;
    gate.must(&["halt", "tool", "desk/read_ticket", "--reason", "for now"]).await;
    let end = next(&mut stream).await;
    assert_eq!(end["error"]["data"]["dev.portcullis/refusal"]["reason"], "tool-halted", "{end:#}");
    // And whoever asks anew is told of nothing.
    let (_stream, granted) = follow(&ana, &[&id]).await;
    assert_eq!(granted["taskIds"], json!([]));
}

#[tokio::test]
async fn one_subscription_follows_the_tasks_of_one_server() {
    let lobby = Lobby::start().await;
    let gate = &lobby.gate;
    let ana = client(gate, ANA);
    let first = id(&begin(gate, &ana, "read_ticket", json!({ "ticket": "1" })).await);
    let second = id(&begin(gate, &ana, "credit", json!({ "account": "1" })).await);
    assert_ne!(first, second, "two calls, two ids, whatever the server says");
    let (_stream, granted) = follow(&ana, &[&first, &second]).await;
    assert_eq!(granted["taskIds"], json!([first, second]));
}
