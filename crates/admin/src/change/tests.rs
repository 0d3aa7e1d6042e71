use tokio::sync::watch;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_change_is_in_effect_once_the_data_path_goes_by_it() {
    let (sender, receiver) = watch::channel(Revision(6));
    let waiting = tokio::spawn(reached(receiver, Revision(7)));
    tokio::time::sleep(Duration::from_millis(5)).await;
    sender.send_replace(Revision(8));
    assert!(waiting.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_it_is_bounded_and_ends_when_the_gate_stops() {
    let (sender, receiver) = watch::channel(Revision(6));
    assert!(!reached(receiver.clone(), Revision(7)).await);
    drop(sender);
    assert!(!reached(receiver, Revision(7)).await);
}
