use super::super::replay::Budget;
use super::*;

#[test]
fn an_events_id_is_its_stream_and_the_message_after_it() {
    let stream = Replay::new(7, None, Vec::new(), Vec::new(), &Budget::default());
    assert_eq!(event_id(&stream, 3), "7-3");
    assert_eq!(place("7-3"), Some((7, 3)));
    assert_eq!(place("0-0"), Some((0, 0)));
    for text in ["", "-", "7", "7-", "-3", "7-3-1", "+7-3", "7- 3", "7-3 ", "a-b", "99999999999999999999-0", "٧-٣"] {
        assert_eq!(place(text), None, "{text}");
    }
}
