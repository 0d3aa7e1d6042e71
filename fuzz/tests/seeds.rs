//! The kept seeds, and simple changes of each: the same every time, in seconds.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that falls over has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use fuzz::TARGETS;

/// Changes tried of each seed.
const CHANGES: u64 = 24;

fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_target_has_seeds_and_keeps_its_promise_on_them_and_on_changes_of_them() {
    for target in TARGETS {
        let files = seeds(target.name);
        assert!(!files.is_empty(), "`{}` has no seeds", target.name);
        for file in files {
            // Seen when it fails, and only then.
            println!("{}", file.display());
            let seed = fs::read(&file).unwrap();
            (target.run)(&seed);
            (1..=CHANGES).for_each(|number| (target.run)(&changed(&seed, number)));
        }
    }
}

#[test]
fn seeds_are_of_targets_that_there_are_and_small() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut bytes = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|target| target.name == name), "`{name}` is no target");
        bytes += seeds(&name).iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
    }
    assert!(bytes < 512 * 1024, "{bytes} bytes of seeds");
}

#[test]
fn nothing_and_the_lowest_and_highest_bytes_are_input_too() {
    for target in TARGETS {
        for input in [&b""[..], b"\0", b"\n", b"\n\n\n", b"~", &[0xff; 64], &[0; 64], &[b'~'; 64]] {
            (target.run)(input);
        }
    }
}

#[test]
fn the_planted_bug_is_no_chance_find() {
    for number in 0..1_000 {
        (fuzz::PLANTED.run)(&changed(&0xfeed_c0de_u64.to_le_bytes(), number));
    }
}

/// The seed with one thing different, chosen by the number.
fn changed(seed: &[u8], number: u64) -> Vec<u8> {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let place = usize::try_from(mixed).unwrap() % seed.len().max(1);
    let byte = mixed.to_be_bytes()[3];
    let (before, after) = seed.split_at(place.min(seed.len()));
    let rest = after.get(1..).unwrap_or_default();
    match number % 4 {
        0 => before.to_vec(),
        1 => [before, &[byte], rest].concat(),
        2 => [before, rest].concat(),
        _ => [before, after, after].concat(),
    }
}
