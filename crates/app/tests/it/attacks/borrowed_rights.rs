//! Rights that only one of the two has: a user who may, through an agent that may not, and the reverse. Both must be
//! permitted, and an agent without a user is not an agent with any user.

use serde_json::json;

use crate::gate::files::{
    ANA, ANA_AT_DESKTOP, ANA_WITH_SCOUT, BOB, Caller, NAMESAKE, OUTSIDER, RECONCILER, write_private,
};
use crate::gate::{Gate, does_not_start};
use crate::verdict::{ENDPOINT_NOT_FOUND, HALTED, POLICY_FORBIDS, passes};

async fn refund(gate: &Gate, caller: Caller) -> drill::mcp::Reply {
    gate.client(caller).call("refund", json!({ "order": "A-1", "amount": 10 })).await.unwrap()
}

async fn read(gate: &Gate, caller: Caller) -> drill::mcp::Reply {
    gate.client(caller).call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
}

#[tokio::test]
async fn the_agent_and_the_user_must_both_be_permitted() {
    let gate = Gate::start().await;
    passes(&refund(&gate, ANA).await);
    // The user may, the agent may not; the agent may, the user may not; there is no user to have the right.
    for (caller, missing) in
        [(ANA_WITH_SCOUT, "Agent::\"scout\""), (BOB, "User::\"bob\""), (RECONCILER, "Agent::\"reconciler\"")]
    {
        let event = gate.refuses(&refund(&gate, caller).await, POLICY_FORBIDS).await;
        assert!(event["detail"].as_str().unwrap().contains(missing), "the operator reads who lacks it: {event:#}");
        assert_eq!(event["policies"], serde_json::Value::Null);
        // What both may, they may.
        passes(&read(&gate, caller).await);
    }
    assert_eq!(gate.desk.calls(), 4);
}

#[tokio::test]
async fn an_agent_that_takes_the_name_of_a_user_has_none_of_their_rights() {
    let gate = Gate::start().await;
    let event = gate.refuses(&refund(&gate, NAMESAKE).await, ENDPOINT_NOT_FOUND).await;
    assert_eq!(event["who"], json!({ "agent": "ana", "kind": "autonomous" }));
    gate.refuses(&refund(&gate, OUTSIDER).await, ENDPOINT_NOT_FOUND).await;
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn a_halted_user_does_not_come_in_through_another_agent() {
    let gate = Gate::start().await;
    gate.must(&["halt", "user", "ana", "--reason", "a stolen laptop"]).await;
    for caller in [ANA, ANA_AT_DESKTOP, ANA_WITH_SCOUT] {
        let event = gate.refuses(&read(&gate, caller).await, HALTED).await;
        assert!(event["detail"].as_str().unwrap().contains("a stolen laptop"), "{event:#}");
    }
    assert_eq!(gate.desk.calls(), 0);
    passes(&read(&gate, BOB).await);
    passes(&read(&gate, RECONCILER).await);

    gate.must(&["resume", "user", "ana"]).await;
    gate.must(&["halt", "agent", "helpdesk", "--reason", "it behaves oddly"]).await;
    gate.refuses(&read(&gate, ANA).await, HALTED).await;
    gate.refuses(&read(&gate, BOB).await, HALTED).await;
    passes(&read(&gate, ANA_AT_DESKTOP).await);
}

#[tokio::test]
async fn settings_cannot_make_an_agent_both_delegated_and_alone() {
    let gate = Gate::start().await;
    gate.end().await;
    let file = gate.directory().join("portcullis.toml");
    let right = std::fs::read_to_string(&file).unwrap();
    write_private(&gate.directory().join("tokens/more"), "token-of-one-more-caller-0123456789");
    for (agent, rest) in [
        // Delegated without a user; alone with a user; alone with groups; the same agent as both.
        ("other", "kind = \"delegated\""),
        ("other", "kind = \"autonomous\"\nuser = \"ana\""),
        ("other", "kind = \"autonomous\"\ngroups = [\"support\"]"),
        ("helpdesk", "kind = \"autonomous\""),
    ] {
        let more = format!("\n[[development.token]]\ntoken = \"file:tokens/more\"\nagent = \"{agent}\"\n{rest}\n");
        std::fs::write(&file, format!("{right}{more}")).unwrap();
        let said = does_not_start(gate.directory()).await;
        assert!(said.contains(agent) && said.contains("autonomous"), "{said}");
    }
}
