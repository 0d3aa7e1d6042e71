use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use model::{Agent, AgentKind, Assurance, Caller, Reason, limits};

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::{Large, Turn, locked, weight};

fn one_place() -> Arc<Large> {
    Arc::new(Large::with(1, limits::LARGE_PER_CALLER_MAX))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn others_go_on_while_a_large_message_is_worked_on() {
    let (large, (told, heard)) = (one_place(), mpsc::channel::<()>());
    // It ends only once another task of the same, single worker has run.
    let working = tokio::spawn(async move { large.beside(limits::LARGE_MESSAGE_BYTES, move || heard.recv()).await });
    let other = tokio::spawn(async move { told.send(()) });
    other.await.expect("the other ran").expect("somebody listens");
    working.await.expect("it ended").expect("it heard");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_are_worked_on_at_once_than_there_are_places() {
    let (large, now, most) = (one_place(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let all: Vec<_> = (0..8)
        .map(|_| {
            let (large, now, most) = (Arc::clone(&large), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                large
                    .beside(limits::LARGE_MESSAGE_BYTES, || {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                    })
                    .await;
            })
        })
        .collect();
    for one in all {
        one.await.expect("it was worked on");
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_small_message_waits_for_no_place() {
    let large = one_place();
    let _taken = large.places.acquire().await.expect("it is never closed");
    assert_eq!(large.beside(limits::LARGE_MESSAGE_BYTES - 1, || 7).await, 7);
}

#[test]
fn what_nobody_looks_into_is_large_later() {
    let counts = |bytes, is_looked_into| weight(bytes, is_looked_into) >= limits::LARGE_MESSAGE_BYTES;
    assert!(counts(limits::LARGE_MESSAGE_BYTES, true) && !counts(limits::LARGE_MESSAGE_BYTES, false));
    assert!(counts(limits::LARGE_MESSAGE_BYTES * limits::READ_BYTES_PER_BYTE_SEEN, false));
}

#[tokio::test]
async fn where_there_is_one_thread_it_is_done_there() {
    assert_eq!(one_place().beside(limits::LARGE_MESSAGE_BYTES, || 7).await, 7);
}

fn caller(user: &str) -> Caller {
    let agent = Agent { id: "helpdesk".parse().unwrap(), kind: AgentKind::Delegated };
    Caller::new(agent, Some(user.parse().unwrap()), Vec::new(), Assurance::Development).unwrap()
}

async fn all_places(large: &Large, user: &str) -> Vec<Turn> {
    let mut turns = Vec::new();
    for _ in 0..limits::LARGE_PER_CALLER_MAX {
        turns.push(large.turn(&caller(user)).await.unwrap());
    }
    turns
}

#[tokio::test(start_paused = true)]
async fn whoever_has_too_many_waits_for_its_own_and_others_do_not() {
    let large = one_place();
    let mut turns = all_places(&large, "ana").await;
    drop(all_places(&large, "bob").await);
    let waits = tokio::spawn({
        let large = Arc::clone(&large);
        async move { large.turn(&caller("ana")).await.map(drop) }
    });
    tokio::task::yield_now().await;
    assert!(!waits.is_finished());
    turns.pop();
    waits.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_too_long_is_told_why() {
    let large = one_place();
    let _turns = all_places(&large, "ana").await;
    let refusal = large.turn(&caller("ana")).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::Overloaded);
    assert!(refusal.detail.contains("other large messages"), "{}", refusal.detail);
}

#[tokio::test(start_paused = true)]
async fn of_those_who_have_none_under_way_nothing_is_kept() {
    let large = one_place();
    let turns = all_places(&large, "ana").await;
    // One that gives up is not the last in the line, and then one is.
    let gives_up = tokio::time::timeout(std::time::Duration::from_millis(1), large.turn(&caller("ana"))).await;
    assert!(gives_up.is_err());
    assert_eq!(locked(&large.lines).len(), 1);
    drop(turns);
    assert_eq!(locked(&large.lines).len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_in_the_middle_of_it_has_neither_place_nor_turn() {
    let large = Arc::new(Large::with(1, 1));
    let turn = large.turn(&caller("ana")).await.unwrap();
    let (waits, (go_on, told)) = (Arc::new(Notify::new()), oneshot::channel::<()>());
    let waiting = tokio::spawn({
        let (large, waits) = (Arc::clone(&large), Arc::clone(&waits));
        async move {
            let wait = async {
                waits.notify_one();
                told.await
            };
            let work = || Handle::current().block_on(large.without_place(wait));
            large.until_done(Some(turn), limits::LARGE_MESSAGE_BYTES, work).await
        }
    });
    waits.notified().await;
    // Another of the same caller is read and decided on, and only then does the first go on.
    let other = large.turn(&caller("ana")).await.unwrap();
    go_on.send(()).unwrap();
    large.until_done(None, limits::LARGE_MESSAGE_BYTES, || assert!(!waiting.is_finished())).await;
    drop(other);
    waiting.await.unwrap().unwrap();
    assert_eq!(large.places.available_permits(), 1);
    assert_eq!(locked(&large.lines).len(), 0);
}
