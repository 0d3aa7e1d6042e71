//! A server of HTTP+SSE that says it wants to be posted to at an address of somebody else: the gate would carry a credential
//! and a caller's data there, or reach into a network for the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::gate::files::ANA;
use crate::sessions::Lobby;
use crate::verdict::{SERVER_UNREACHABLE, passes};

/// A place that counts who comes.
async fn bait() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let comers = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&comers);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (place, comers)
}

#[tokio::test]
async fn nothing_is_posted_to_another_server_than_the_one_that_was_approved() {
    let lobby = Lobby::of_events("2024-11-05").await;
    passes(&lobby.begin(ANA).await.read_ticket().await);
    let (place, comers) = bait().await;
    let calls = lobby.talker.calls();
    for elsewhere in [
        format!("{place}/messages"),
        format!("//{}/messages", place.trim_start_matches("http://")),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "https://lobby.example/messages".to_owned(),
    ] {
        lobby.talker.wants_posts_at(&elsewhere);
        let reply = lobby.begin(ANA).await.read_ticket().await;
        let outcome = lobby.gate.ends(&reply, SERVER_UNREACHABLE.in_body(), "not-sent").await;
        assert!(!outcome.to_string().contains("169.254"), "what it said is not repeated: {outcome}");
        let checked = lobby.gate.cli(&["server", "check", "lobby"]).await;
        let said = format!("{}{}", checked.out, checked.err);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!checked.ok && said.contains("it wants to be posted to at another server"), "{said}");
    }
    assert_eq!((comers.load(Ordering::Relaxed), lobby.talker.calls()), (0, calls));
}
