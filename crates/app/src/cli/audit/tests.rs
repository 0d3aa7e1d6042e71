use super::*;

#[test]
fn a_time_back_is_counted_from_now() {
    const HOURS: u64 = 2 * 3_600_000;
    let now = || u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    let (before, back, after) = (now(), since("2h").unwrap(), now());
    assert!((before - HOURS..=after - HOURS).contains(&back), "{before} {back} {after}");
    assert_eq!(since("1970-01-01T00:00:01Z"), Ok(1_000));
    for text in ["", "h", "2y", "-", "yesterday", "9223372036854775807d"] {
        assert!(since(text).is_err(), "{text}");
    }
}
