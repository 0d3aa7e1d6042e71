use super::*;

#[test]
fn an_interval_is_wilsons() {
    let mut report = Report::new();
    for hit in 0..100 {
        report.add("topic", "what", hit < 10);
    }
    let rate = report.topics["topic"]["what"];
    assert_eq!((rate.hits, rate.of), (10, 100));
    assert_eq!((rate.low, rate.high), (0.0552, 0.1744));
    assert!(report.table().contains("10.0 %  [5.5, 17.4]"));
}
