use super::*;

fn noise(place: usize) -> f64 {
    f64::from(u8::try_from(place.wrapping_mul(7919) % 101).unwrap()) - 50.0
}

#[test]
fn noise_is_flat_a_climb_rises_and_what_is_let_go_of_falls() {
    let still = Trend::of((0..3600).map(|second| (second as f64, 1_000.0 + noise(second))));
    assert_eq!(still.course, Course::Flat, "{still:?}");
    assert!((still.mean - 1_000.0).abs() < 1.0 && still.greatest == 1_050.0);
    let climbing = Trend::of((0..3600).map(|second| (second as f64, 1_000.0 + noise(second) + second as f64 / 10.0)));
    assert_eq!(climbing.course, Course::Rises, "{climbing:?}");
    assert!((climbing.per_hour - 360.0).abs() < 10.0, "{climbing:?}");
    let falling = Trend::of((0..3600).map(|second| (second as f64, 1_000.0 + noise(second) - second as f64 / 10.0)));
    assert_eq!(falling.course, Course::Falls, "{falling:?}");
}

#[test]
fn what_never_changes_is_flat_and_what_is_missing_is_left_out() {
    let never = Trend::of((0..100).map(|second| (second as f64, 7.0)));
    assert!(never.course == Course::Flat && never.per_hour == 0.0, "{never:?}");
    let holes = Trend::of((0..100).map(|second| (second as f64, if second % 2 == 0 { 7.0 } else { f64::NAN })));
    assert_eq!((holes.mean, holes.course), (7.0, Course::Flat));
}
