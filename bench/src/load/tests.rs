use super::*;

#[test]
fn percentiles_are_values_that_were_measured() {
    let sorted: Vec<Duration> = (1..=100).map(Duration::from_micros).collect();
    assert!((percentile(&sorted, 50) - 50.0).abs() < 1e-6);
    assert!((percentile(&sorted, 99) - 99.0).abs() < 1e-6);
    assert!(percentile(&[], 50).is_nan());
}

#[test]
fn a_message_smaller_than_its_envelope_is_refused() {
    assert!(message_bytes("100").is_err());
    assert!(message_bytes("1024").is_ok());
}
