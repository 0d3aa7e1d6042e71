use super::Load::{Busy, Full, Light};

#[test]
fn a_load_ends_at_a_higher_number_than_it_begins_at() {
    let follows = |counts: &[usize]| counts.iter().fold(Light, |load, awaited| load.after(*awaited));
    assert_eq!(follows(&[3]), Light);
    assert_eq!(follows(&[4]), Busy);
    assert_eq!(follows(&[64]), Busy, "one step for each flush");
    assert_eq!(follows(&[4, 7]), Light);
    assert_eq!(follows(&[4, 11]), Busy);
    assert_eq!(follows(&[4, 12]), Full);
    assert_eq!(follows(&[4, 12, 23]), Busy);
    assert_eq!(follows(&[4, 12, 24]), Full);
    assert_eq!(follows(&[4, 12, 1]), Light);
    assert!(Busy.pause() < Full.pause() && Light.pause().is_none());
}
