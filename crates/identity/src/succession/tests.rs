use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

const DAY: u64 = 24 * 60 * 60_000;

struct Time(AtomicU64);

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

struct Scene {
    keys: Succession,
    time: Arc<Time>,
    directory: tempfile::TempDir,
}

fn scene() -> Scene {
    let (directory, time) = (tempfile::tempdir().unwrap(), Arc::new(Time(AtomicU64::new(100 * DAY))));
    let keys = Succession::open(&directory.path().join("keys"), Arc::clone(&time) as _).unwrap();
    Scene { keys, time, directory }
}

impl Scene {
    fn later(&self, days: u64) {
        self.time.0.fetch_add(days * DAY, Ordering::Relaxed);
    }

    fn signing(&self) -> String {
        self.keys.signing().unwrap().kid().to_owned()
    }

    fn published(&self) -> Vec<String> {
        let published = self.keys.published();
        published["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn the_next_key_is_published_before_it_signs_and_the_last_one_after_it_did() {
    let scene = scene();
    let first = scene.signing();
    assert_eq!(scene.published(), std::slice::from_ref(&first));
    scene.later(29);
    assert!(!scene.keys.turn().unwrap());
    scene.later(1);
    assert!(scene.keys.turn().unwrap());
    let both = scene.published();
    assert_eq!((both.len(), both[1].as_str(), scene.signing()), (2, first.as_str(), first.clone()));
    scene.later(1);
    assert!(!scene.keys.turn().unwrap(), "what the first one signed is still about");
    assert_eq!((scene.signing(), scene.published()), (both[0].clone(), both.clone()));
    scene.later(1);
    assert!(scene.keys.turn().unwrap());
    assert_eq!(scene.published(), both[..1]);
}

#[test]
fn keys_outlive_a_restart_and_a_gate_that_was_away_for_long_goes_on_with_what_is_known() {
    let scene = scene();
    let first = scene.signing();
    scene.later(200);
    let again = Succession::open(&scene.directory.path().join("keys"), Arc::clone(&scene.time) as _).unwrap();
    assert_eq!(again.signing().unwrap().kid(), first, "nobody knows the next one yet");
    assert_eq!(again.published()["keys"].as_array().unwrap().len(), 2);
    assert!(again.published()["keys"].as_array().unwrap().iter().all(|key| key.get("d").is_none()));
}

#[test]
fn a_file_of_before_is_read_and_one_that_holds_no_keys_is_told() {
    let scene = scene();
    let file = scene.directory.path().join("keys");
    let text = fs::read_to_string(&file).unwrap();
    let (_, kept) = text.trim().split_once(' ').unwrap();
    write_private(&file, kept.as_bytes()).unwrap();
    let again = Succession::open(&file, Arc::clone(&scene.time) as _).unwrap();
    assert_eq!(again.signing().unwrap().kid(), scene.signing());
    let later = format!("{}{}", text, text.replace("864", "999"));
    for wrong in ["", "not-a-key", "x abc", "7 not-a-key", &later] {
        write_private(&file, wrong.as_bytes()).unwrap();
        assert!(
            matches!(Succession::open(&file, Arc::clone(&scene.time) as _), Err(SuccessionError::Kept(_))),
            "{wrong}"
        );
    }
}
