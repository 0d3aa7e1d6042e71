use super::*;

#[test]
fn arrivals_are_counted_by_source_and_reason_and_told_in_order() {
    let mut tally = Tally::default();
    tally.count("192.0.2.1", Reason::Unauthenticated);
    tally.count("192.0.2.2", Reason::NotJson);
    tally.count("192.0.2.1", Reason::Unauthenticated);
    tally.count("192.0.2.1", Reason::NotJson);
    let told: Vec<_> = tally.drain(2).into_iter().map(|told| (told.source, told.reason, told.count)).collect();
    assert_eq!(
        told,
        [("192.0.2.1".to_owned(), Reason::Unauthenticated, 2), ("192.0.2.2".to_owned(), Reason::NotJson, 1)]
    );
    assert_eq!(tally.drain(10).len(), 1);
    assert!(tally.is_empty());
}

#[test]
fn too_many_sources_are_counted_together() {
    let mut tally = Tally::default();
    for n in 0..limits::STRANGERS_MAX + 50 {
        tally.count(&format!("source {n}"), Reason::Unauthenticated);
    }
    let told = tally.drain(usize::MAX);
    assert_eq!(told.len(), limits::STRANGERS_MAX + 1);
    assert_eq!(told.iter().map(|told| told.count).sum::<u64>(), u64::try_from(limits::STRANGERS_MAX).unwrap() + 50);
    assert_eq!(told.last().map(|told| (told.source.as_str(), told.count)), Some(("elsewhere", 50)));
}

#[test]
fn a_long_source_is_cut() {
    let mut tally = Tally::default();
    tally.count(&"x".repeat(10_000), Reason::HostUnknown);
    assert_eq!(tally.drain(1)[0].source.len(), SOURCE_CHARS_MAX);
}
