use super::*;

#[tokio::test]
async fn calls_at_a_rate_are_due_at_even_distances_and_in_turn() {
    let (pacer, mut paces) = Pace::start(Some(1000.0), 2);
    let window = Window::default();
    let first = paces[0].next(&window).await.unwrap();
    let second = paces[1].next(&window).await.unwrap();
    let third = paces[0].next(&window).await.unwrap();
    drop(pacer);
    assert_eq!(second - first, Duration::from_millis(1));
    assert_eq!(third - second, Duration::from_millis(1));
}

#[tokio::test]
async fn a_closed_window_ends_every_pace() {
    let (pacer, mut paces) = Pace::start(Some(1000.0), 1);
    let window = Window::default();
    window.close();
    assert!(paces[0].next(&window).await.is_none());
    assert!(Pace::Free.next(&window).await.is_none());
    drop(pacer);
}
