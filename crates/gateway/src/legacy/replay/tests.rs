use std::time::Duration;

use super::*;

fn message(text: &str) -> Message {
    Message::said(Bytes::copy_from_slice(text.as_bytes()))
}

fn stream() -> Arc<Replay> {
    Replay::new(1, None, Vec::new(), Vec::new(), &Budget::default())
}

async fn texts(reader: &mut Reader, count: usize) -> Vec<(u64, String)> {
    let mut read = Vec::new();
    for _ in 0..count {
        let (number, message) = reader.next().await.unwrap();
        read.push((number, String::from_utf8(message.bytes.to_vec()).unwrap()));
    }
    read
}

#[tokio::test]
async fn what_was_pushed_is_read_in_order_and_then_the_stream_ends() {
    let stream = stream();
    let mut reader = stream.read(None).unwrap();
    stream.push(message("a")).await.unwrap();
    stream.push(message("b")).await.unwrap();
    stream.end();
    assert_eq!(texts(&mut reader, 2).await, [(0, "a".to_owned()), (1, "b".to_owned())]);
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn a_connection_that_broke_is_read_on_from_the_last_message_it_had() {
    let stream = stream();
    let mut first = stream.read(None).unwrap();
    for text in ["a", "b", "c"] {
        stream.push(message(text)).await.unwrap();
    }
    assert_eq!(texts(&mut first, 2).await.len(), 2);
    drop(first);
    let mut second = stream.read(Some(1)).unwrap();
    assert_eq!(texts(&mut second, 2).await, [(1, "b".to_owned()), (2, "c".to_owned())]);
    let mut third = stream.read(None).unwrap();
    stream.end();
    assert!(third.next().await.is_none(), "everything was taken");
}

#[tokio::test]
async fn a_new_connection_takes_over() {
    let stream = stream();
    let mut old = stream.read(None).unwrap();
    let waiting = tokio::spawn(async move { old.next().await.is_none() });
    tokio::task::yield_now().await;
    let mut new = stream.read(None).unwrap();
    assert!(waiting.await.unwrap(), "the old one ends");
    assert!(stream.is_read(), "an end of the old one does not detach the new one");
    stream.push(message("a")).await.unwrap();
    assert_eq!(texts(&mut new, 1).await, [(0, "a".to_owned())]);
}

#[tokio::test]
async fn with_nobody_reading_the_kept_bytes_are_bounded() {
    let stream = stream();
    let large = Message::said(vec![b'x'; limits::REPLAY_BYTES_MAX / 2].into());
    stream.push(large.clone()).await.unwrap();
    stream.push(large.clone()).await.unwrap();
    assert!(stream.push(large).await.is_err());
    assert_eq!(stream.bytes(), limits::REPLAY_BYTES_MAX);
}

#[tokio::test]
async fn a_slow_reader_is_waited_for() {
    let stream = stream();
    let mut reader = stream.read(None).unwrap();
    let large = Message::said(vec![b'x'; limits::REPLAY_BYTES_MAX].into());
    stream.push(large.clone()).await.unwrap();
    let (writer, copy) = (Arc::clone(&stream), large.clone());
    let pushed = tokio::spawn(async move { writer.push(copy).await.is_ok() });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!pushed.is_finished());
    assert_eq!(reader.next().await.unwrap().0, 0);
    assert!(pushed.await.unwrap());
    assert_eq!(reader.next().await.unwrap().0, 1);
    drop(reader);
    assert!(stream.read(Some(1)).is_some(), "the second message is still there");
    stream.push(large).await.unwrap();
    assert!(stream.read(Some(1)).is_none(), "and now it is not");
}

#[tokio::test]
async fn offered_messages_push_the_oldest_out() {
    let stream = stream();
    let half = Message::said(vec![b'x'; limits::REPLAY_BYTES_MAX / 2].into());
    for _ in 0..5 {
        stream.offer(half.clone());
    }
    assert_eq!(stream.bytes(), limits::REPLAY_BYTES_MAX);
    let mut reader = stream.read(None).unwrap();
    assert_eq!(reader.next().await.unwrap().0, 3);
    assert_eq!(reader.next().await.unwrap().0, 4);
}

#[tokio::test]
async fn nobody_reads_on_from_a_message_that_never_was() {
    let stream = stream();
    stream.push(message("a")).await.unwrap();
    assert!(stream.read(Some(1)).is_some(), "the next to come");
    assert!(stream.read(Some(2)).is_none());
    assert!(stream.read(Some(u64::MAX)).is_none());
}

#[tokio::test]
async fn all_streams_together_are_bounded_and_give_back_what_they_held() {
    let budget = Budget::default();
    let large = Message::said(vec![b'x'; limits::REPLAY_BYTES_MAX].into());
    let mut streams = Vec::new();
    loop {
        let stream = Replay::new(1, None, Vec::new(), Vec::new(), &budget);
        if stream.push(large.clone()).await.is_err() {
            break;
        }
        streams.push(stream);
    }
    assert_eq!(streams.len(), limits::REPLAYS_BYTES_MAX / limits::REPLAY_BYTES_MAX);
    let late = Replay::new(2, None, Vec::new(), Vec::new(), &budget);
    late.offer(large.clone());
    assert_eq!(late.bytes(), 0, "what may be lost is lost");
    streams.pop();
    late.offer(large.clone());
    assert_eq!(late.bytes(), limits::REPLAY_BYTES_MAX);
    // Whoever reads is not held up by what is kept for others.
    let live = Replay::new(3, None, Vec::new(), Vec::new(), &budget);
    let mut reader = live.read(None).unwrap();
    for number in 0..3 {
        live.push(large.clone()).await.unwrap();
        assert_eq!(reader.next().await.unwrap().0, number);
    }
}
