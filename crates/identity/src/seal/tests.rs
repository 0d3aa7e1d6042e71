use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::Entropy;

use super::*;

/// Draws that differ, and that a test can tell.
#[derive(Default)]
struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

fn seal() -> Seal {
    Seal::new(Arc::new(CountingEntropy::default())).unwrap()
}

#[test]
fn a_text_opens_for_its_owner_and_is_no_number() {
    let seal = seal();
    for text in ["", "s", "what the server wants returned"] {
        let sealed = seal.seal_text(text.as_bytes(), b"ada").unwrap();
        assert_eq!(seal.open_text(&sealed, b"ada").as_deref(), Some(text.as_bytes()));
        assert_eq!((seal.open_text(&sealed, b"bob"), seal.open(&sealed, b"ada")), (None, None));
        assert!(!text.is_empty() || sealed.len() < 40);
    }
}

#[test]
fn a_handle_opens_for_its_owner_and_nobody_else() {
    let seal = seal();
    let handle = seal.seal(42, b"ada").unwrap();
    assert!(handle.bytes().all(|b| b.is_ascii_graphic()), "{handle}");
    assert_eq!(seal.open(&handle, b"ada"), Some(42));
    assert_eq!(seal.open(&handle, b"bob"), None);
    assert_eq!(seal.open(&handle, b""), None);
}

#[test]
fn two_handles_of_one_thing_are_not_alike() {
    let seal = seal();
    assert_ne!(seal.seal(42, b"ada"), seal.seal(42, b"ada"));
}

#[test]
fn a_handle_that_was_changed_anywhere_opens_for_nobody() {
    let seal = seal();
    let handle = seal.seal(42, b"ada").unwrap();
    for place in 0..handle.len() {
        for other in ['A', 'B', '-'] {
            let mut changed = handle.clone();
            changed.replace_range(place..=place, &other.to_string());
            if changed != handle {
                assert_eq!(seal.open(&changed, b"ada"), None, "{changed}");
            }
        }
    }
    for text in
        ["", "A", "=", "!!!!", handle.get(..handle.len() - 1).unwrap(), &format!("{handle}AAAA"), &"A".repeat(4096)]
    {
        assert_eq!(seal.open(text, b"ada"), None, "{text}");
    }
}

#[test]
fn a_handle_of_another_run_is_nobodys() {
    let other = CountingEntropy(AtomicU64::new(1_000));
    let other = Seal::new(Arc::new(other)).unwrap();
    assert_eq!(other.open(&seal().seal(42, b"ada").unwrap(), b"ada"), None);
}

#[test]
fn a_kept_key_opens_what_an_earlier_run_sealed() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.key");
    let seal = || Seal::kept(&path, Arc::new(CountingEntropy::default()));
    let sealed = seal().unwrap().seal_text(b"t-1", b"ada").unwrap();
    assert_eq!(seal().unwrap().open_text(&sealed, b"ada").as_deref(), Some(b"t-1".as_slice()));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing lies beside it");
    std::fs::write(&path, b"short").unwrap();
    assert!(seal().is_err(), "a key that is none is not replaced");
}
