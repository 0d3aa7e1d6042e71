use super::Level::{Busy, Full, Light};
use super::Load;

/// The loads after each of some flushes for which so many waited, over and over.
fn under(mut load: Load, awaited: &[usize], flushes: usize) -> Vec<Load> {
    let mut next = |awaited: &usize| {
        load = load.after(*awaited);
        load
    };
    awaited.iter().cycle().take(flushes).map(&mut next).collect()
}

/// The first load of another level.
fn changed(from: Load, awaited: &[usize]) -> Option<Load> {
    under(from, awaited, 1_000).into_iter().find(|load| load.level != from.level)
}

#[test]
fn a_burst_is_no_load() {
    assert_eq!(Load::default().after(40).level, Light);
    assert_eq!(changed(Load::default(), &[6, 0, 1, 1]), None, "half of what the gate can do comes like this");
}

#[test]
fn a_load_that_stays_is_one_and_each_level_is_kept_by_more_than_it_is_entered_with() {
    let busy = changed(Load::default(), &[4]).expect("four wait for each");
    assert_eq!(busy.level, Busy);
    assert_eq!(changed(busy, &[8]), None);
    assert_eq!(changed(busy, &[5]).expect("a pause gathered too few").level, Light);
    let full = changed(busy, &[12]).expect("twelve wait for each");
    assert_eq!(full.level, Full);
    assert_eq!(changed(full, &[30]), None);
    assert_eq!(changed(full, &[18]).expect("a long pause gathered too few").level, Busy);
}

#[test]
fn who_comes_after_a_crowd_waits_for_a_few_pauses_only() {
    let full = under(Load::default(), &[64], 1_000).pop().expect("a load");
    assert_eq!(full.level, Full);
    assert_eq!(under(full, &[1], 40).pop().expect("a load").level, Light);
}

#[test]
fn a_pause_is_as_long_as_the_load_is_high() {
    let pause = |level| Load { level, crowd: 0 }.pause();
    assert!(pause(Light).is_none() && pause(Light) < pause(Busy) && pause(Busy) < pause(Full));
}
