use bytes::Bytes;
use model::limits;

use super::split;

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[test]
fn a_batch_is_told_message_by_message_as_it_stands() {
    let batch = text(" [ {\"id\": 1.0,\"x\":[{}]},\n{ } ] ");
    assert_eq!(split(&batch).unwrap(), [r#"{"id": 1.0,"x":[{}]}"#, "{ }"]);
}

#[test]
fn what_is_no_batch_is_left_alone() {
    let many = format!("[{}]", vec!["{}"; limits::BATCH_MESSAGES_MAX + 1].join(","));
    for one in ["{}", "", "[]", "[1]", "[{},[{}]]", "[{}", r#"[{"a":1,"a":2}]"#, &many] {
        assert!(split(&text(one)).is_none(), "{one}");
    }
    let most = format!("[{}]", vec!["{}"; limits::BATCH_MESSAGES_MAX].join(","));
    assert_eq!(split(&text(&most)).unwrap().len(), limits::BATCH_MESSAGES_MAX);
}
