//! A server that cannot be reached is left alone for a while, and then one call finds out whether it is back.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::json;

use super::{gauge, traffic};
use crate::client::eventually;
use crate::gate::files::ANA;
use crate::upstream::{Liar, ask};
use crate::verdict::{SERVER_LEFT_ALONE, SERVER_UNREACHABLE, passes};

#[tokio::test]
async fn after_some_failures_in_a_row_calls_are_refused_without_a_try() {
    let Liar { gate, server } = Liar::on(Ipv4Addr::new(127, 0, 0, 12)).await;
    let address = server.address();
    passes(&ask(&gate).await);
    drop(server);
    eventually("the port is free", || TcpListener::bind(address).is_ok()).await;

    // A check of the pins may count among them.
    let mut tried = 0;
    let refused = loop {
        let reply = ask(&gate).await;
        if reply.error_message().unwrap().contains("was not tried") {
            break reply;
        }
        gate.says(&reply, SERVER_UNREACHABLE);
        tried += 1;
        assert!(tried <= 5, "it goes on being tried");
    };
    let told = refused.error_message().unwrap();
    assert!(told.contains("it failed 5 times in a row, and is tried again in"), "{told}");
    // No intent: nothing was about to leave.
    gate.refuses(&refused, SERVER_LEFT_ALONE).await;
    let now = traffic(&gate, "reports", |traffic| traffic.get("left_alone").is_some()).await;
    assert_eq!(now["left_alone"]["failures"], 5);
    assert_eq!(gauge(&gate, "portcullis_server_left_alone", "reports").await, Some(1));
    assert_eq!(gauge(&gate, "portcullis_server_left_alone", "desk").await, Some(0));
    let shown = gate.must(&["server", "show", "reports"]).await;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("it failed 5 times in a row and is left alone"), "{shown}");
    passes(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());

    // Something listens again, and the first call that is let through finds that out for all.
    let back = crate::puppet::Puppet::start_at(address).await;
    let mut reply = ask(&gate).await;
    while reply.error_message().is_some_and(|told| told.contains("was not tried")) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        reply = ask(&gate).await;
    }
    passes(&reply);
    assert_eq!(back.calls(), 1, "nothing that was refused is made up for");
    traffic(&gate, "reports", |traffic| traffic.get("left_alone").is_none()).await;
    assert_eq!(gauge(&gate, "portcullis_server_left_alone", "reports").await, Some(0));
}
