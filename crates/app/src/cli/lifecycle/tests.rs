use super::*;

#[test]
fn a_period_is_a_number_and_a_unit() {
    assert_eq!(period("90d"), Ok(90 * 24 * 60 * 60_000));
    assert_eq!(period("12h"), Ok(12 * 60 * 60_000));
    assert_eq!(period("30m"), Ok(30 * 60_000));
    for wrong in ["", "d", "0d", "90", "1.5h", "-1d", "90 d", "99999999999999999999d", "18446744073709551615d"] {
        assert!(period(wrong).is_err(), "{wrong}");
    }
}
