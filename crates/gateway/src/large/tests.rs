use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use model::limits;
use tokio::sync::Semaphore;

use super::Large;

fn one_place() -> Arc<Large> {
    Arc::new(Large { places: Semaphore::new(1) })
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

#[tokio::test]
async fn where_there_is_one_thread_it_is_done_there() {
    assert_eq!(one_place().beside(limits::LARGE_MESSAGE_BYTES, || 7).await, 7);
}
