use std::io;

use super::*;

fn caller(name: &str) -> SessionKey {
    SessionKey { agent: name.parse().unwrap(), user: None, thread: None }
}

fn turnstile(places: usize) -> Arc<Turnstile> {
    Turnstile::new("crm".parse().unwrap(), places)
}

fn unreachable() -> Unsent {
    let source = Arc::new(io::Error::from(io::ErrorKind::ConnectionRefused));
    egress::NotSent::Connect { address: "127.0.0.1:1".parse().unwrap(), source }.into()
}

/// Fails as often as it takes for the server to be left alone.
fn fail(turnstile: &Turnstile) {
    for _ in 0..limits::SERVER_FAILURES_MAX {
        turnstile.not_sent(&unreachable());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_until_another_ends_and_knows_that_it_waited() {
    let (turnstile, ana) = (turnstile(1), caller("ana"));
    let first = turnstile.enter(&ana).await.unwrap();
    assert!(!first.waited());
    let waiting = tokio::spawn({
        let turnstile = Arc::clone(&turnstile);
        async move { turnstile.enter(&caller("bob")).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(turnstile.traffic(), Traffic { places: 1, under_way: 1, waiting: 1, left_alone: None });
    drop(first);
    let second = waiting.await.unwrap().unwrap();
    assert!(second.waited());
    assert_eq!(second.server().as_str(), "crm");
    drop(second);
    assert_eq!(turnstile.traffic(), Traffic { places: 1, under_way: 0, waiting: 0, left_alone: None });
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_turn_does_not_come_is_refused_and_leaves_the_line() {
    let turnstile = turnstile(1);
    let held = turnstile.enter(&caller("ana")).await.unwrap();
    let late = turnstile.enter(&caller("bob")).await.unwrap_err();
    assert_eq!(late, TurnError::Late { under_way: 1 });
    assert_eq!(turnstile.traffic().waiting, 0);
    drop(held);
    assert_eq!(turnstile.traffic().under_way, 0, "nobody was given the place who was not there any more");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_leaves_the_line() {
    let turnstile = turnstile(1);
    let held = turnstile.enter(&caller("ana")).await.unwrap();
    let bob = caller("bob");
    let waiting = turnstile.enter(&bob);
    assert!(timeout(Duration::from_secs(1), waiting).await.is_err());
    assert_eq!(turnstile.traffic().waiting, 0);
    drop(held);
    assert!(turnstile.enter(&bob).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn with_the_line_full_a_call_is_refused_at_once() {
    let (turnstile, ana) = (turnstile(1), caller("ana"));
    let _held = turnstile.enter(&ana).await.unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..limits::SERVER_WAITING_PER_CALLER_MAX {
        let (turnstile, ana) = (Arc::clone(&turnstile), ana.clone());
        waiting.spawn(async move { turnstile.enter(&ana).await });
    }
    while turnstile.traffic().waiting < limits::SERVER_WAITING_PER_CALLER_MAX {
        tokio::task::yield_now().await;
    }
    let full = turnstile.enter(&ana).await.unwrap_err();
    assert_eq!(full, TurnError::Full { waiting: limits::SERVER_WAITING_PER_CALLER_MAX, under_way: 1 });
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_not_tried_and_whoever_waits_is_told_at_once() {
    let turnstile = turnstile(1);
    let held = turnstile.enter(&caller("ana")).await.unwrap();
    let waiting = tokio::spawn({
        let turnstile = Arc::clone(&turnstile);
        async move { turnstile.enter(&caller("bob")).await }
    });
    while turnstile.traffic().waiting == 0 {
        tokio::task::yield_now().await;
    }
    fail(&turnstile);
    let told = waiting.await.unwrap().unwrap_err();
    assert!(
        told.to_string().starts_with("the server was not tried: it failed 5 times in a row, and is tried again in 5 s")
    );
    assert!(matches!(turnstile.enter(&caller("eve")).await, Err(TurnError::LeftAlone { failures: 5, .. })));
    drop(held);
    turnstile.answered();
    assert!(turnstile.enter(&caller("eve")).await.is_ok(), "whatever is heard of it opens the turnstile again");
}

#[tokio::test(start_paused = true)]
async fn one_call_finds_out_whether_the_server_is_back() {
    let (turnstile, ana) = (turnstile(8), caller("ana"));
    fail(&turnstile);
    tokio::time::sleep(Duration::from_millis(limits::SERVER_REST_MILLISECONDS)).await;
    let probe = turnstile.enter(&ana).await.unwrap();
    let told = turnstile.enter(&ana).await.unwrap_err();
    assert!(told.to_string().ends_with("another call is finding out whether it is back"));
    drop(probe);
    let probe = turnstile.enter(&ana).await.unwrap();
    turnstile.answered();
    drop(probe);
    assert_eq!(turnstile.traffic().left_alone, None);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_late_for_one_caller_are_that_callers_affair() {
    let (turnstile, ana) = (turnstile(8), caller("ana"));
    let late = || SendError::Unknown { fault: Fault::HeadTimedOut { after: Duration::from_secs(60) } };
    for _ in 0..limits::SERVER_FAILURES_MAX {
        turnstile.enter(&ana).await.unwrap().told(&Err(late()));
    }
    assert!(turnstile.enter(&ana).await.is_err());
    assert!(turnstile.enter(&caller("bob")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_fault_of_the_server_does_not_count() {
    let turnstile = turnstile(8);
    for _ in 0..100 {
        turnstile.not_sent(&Unsent::Busy);
        turnstile.not_sent(&egress::NotSent::TooManyConnections.into());
        let turn = turnstile.enter(&caller("ana")).await.unwrap();
        turn.told(&Err(SendError::SessionOver));
        turn.told(&Err(Fault::TooLarge.into()));
        turn.told(&Err(Fault::CutMidEvent.into()));
    }
    assert!(turnstile.enter(&caller("ana")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_server_has_one_turnstile_for_as_long_as_anybody_has_a_way_there() {
    let all = Turnstiles::default();
    let (crm, erp): (ServerName, ServerName) = ("crm".parse().unwrap(), "erp".parse().unwrap());
    let one = all.of(&crm, None, 2);
    let turn = one.enter(&caller("ana")).await.unwrap();
    assert!(Arc::ptr_eq(&one, &all.of(&crm, None, 4)));
    assert_eq!(all.traffic(&crm).map(|traffic| traffic.places), Some(4));
    drop(one);
    assert_eq!(all.all().len(), 1, "whose turn it is keeps it");
    drop(turn);
    assert_eq!(all.traffic(&crm), None);
    drop(all.of(&erp, None, 1));
    assert!(all.all().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_local_server_has_one_at_each_endpoint_and_they_are_told_together() {
    let all = Turnstiles::default();
    let (crm, desk, annex) = ("crm".parse().unwrap(), "desk".parse().unwrap(), "annex".parse().unwrap());
    let (one, other) = (all.of(&crm, Some(&desk), 1), all.of(&crm, Some(&annex), 1));
    let _turn = one.enter(&caller("ana")).await.unwrap();
    assert!(
        !other.enter(&caller("ana")).await.unwrap().waited(),
        "what one process is busy with is not the other's affair"
    );
    assert_eq!(all.traffic(&crm), Some(Traffic { places: 2, under_way: 1, waiting: 0, left_alone: None }));
    assert_eq!(all.all().len(), 1);
}
