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

/// An hour in which each second is like the one before: what is lost of a deviation is a half in `half_life` seconds.
fn wandering(seed: u64, half_life: f64) -> impl Iterator<Item = (f64, f64)> {
    let kept = 0.5_f64.powf(1.0 / half_life);
    let (mut state, mut away) = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, 0.0);
    (0..3600).map(move |second| {
        // Xorshift, and a sum of a few for a bell.
        let mut push = 0.0;
        for _ in 0..4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            push += f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX) - 0.5;
        }
        away = away * kept + push;
        (f64::from(second), 1_000.0 + away)
    })
}

#[test]
fn a_wandering_is_flat_and_a_wandering_that_climbs_rises() {
    for half_life in [5.0, 60.0, 150.0] {
        let not_flat = (0..500).filter(|seed| Trend::of(wandering(*seed, half_life)).course != Course::Flat).count();
        // Without regard to likeness, one in seven of those of a minute is called a slope.
        assert!(not_flat <= 15, "{not_flat} of 500 with a half-life of {half_life} s");
        let climbs = |seed| wandering(seed, half_life).map(|(second, value)| (second, value + second / 20.0));
        let found = (0..100).filter(|seed| Trend::of(climbs(*seed)).course == Course::Rises).count();
        assert!(found >= 95, "{found} of 100 with a half-life of {half_life} s");
    }
}
