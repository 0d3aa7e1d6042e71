use std::time::Duration;

use model::limits;
use tokio::time::Instant;

use super::Pace;

#[tokio::test(start_paused = true)]
async fn so_much_is_heard_in_a_second_and_then_the_server_waits() {
    let begun = Instant::now();
    let mut pace = Pace::new();
    for _ in 0..limits::HEARD_PER_SECOND_MAX {
        pace.next().await;
        pace.heard();
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
    pace.next().await;
    assert!(begun.elapsed() >= Duration::from_secs(1));
    pace.heard();
    pace.next().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "then it begins anew");
}
