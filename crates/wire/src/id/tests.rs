use super::*;
use crate::json::{Bounds, check};

fn read(text: &str) -> Option<Id> {
    Id::from_json(check(text.as_bytes(), &Bounds::MESSAGE).unwrap().top())
}

#[test]
fn an_id_prints_as_it_came() {
    for text in ["0", "-7", "9223372036854775807", "\"a\"", r#""\u0061\/é""#, "\"\"", "\"1\""] {
        assert_eq!(read(text).unwrap().to_string(), text);
    }
}

#[test]
fn ids_compare_by_what_they_mean() {
    assert_eq!(read(r#""\u0061""#), read(r#""a""#));
    assert_eq!(read("\"a\""), Some(Id::text("a")));
    assert_eq!(read("7"), Some(Id::number(7)));
    assert_ne!(read("7"), read("\"7\""));
    assert_eq!(Id::text("a\"b").to_string(), r#""a\"b""#);
    assert_eq!((Id::text("a").as_text(), Id::text("a").as_number()), (Some("a"), None));
    assert_eq!((Id::number(1).as_text(), Id::number(1).as_number()), (None, Some(1)));
}

#[test]
fn what_is_neither_a_whole_number_nor_a_short_string_is_no_id() {
    for text in ["null", "true", "1.0", "1e0", "[1]", "{}"] {
        assert_eq!(read(text), None, "{text}");
    }
    let long = "x".repeat(limits::REQUEST_ID_BYTES_MAX);
    assert!(read(&format!("\"{long}\"")).is_some());
    assert!(read(&format!("\"{long}x\"")).is_none());
}
