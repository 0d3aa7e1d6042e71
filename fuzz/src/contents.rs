//! What strangers wrote and people want to know: what is in a message, and what is in a package.

use std::sync::LazyLock;

use dossier::archive::{Limits, unpacked};
use inspect::{Inspector, Origin, redact};
use serde_json::Value;

use crate::json_of;

static INSPECTOR: LazyLock<Inspector> = LazyLock::new(|| Inspector::standard().expect("the rules that ship compile"));

/// A package of which nothing large is unpacked.
const LIMITS: Limits = Limits { archive: 1 << 20, unpacked: 1 << 20, file: 1 << 16, kept: 1 << 18, entries: 64 };

/// Every finding lies in its text, the same text has the same findings, and what is left when all of them are taken out is
/// JSON.
pub(crate) fn inspection(bytes: &[u8]) {
    let json = json_of(bytes);
    let Ok(text) = std::str::from_utf8(&json) else { return };
    let seen = INSPECTOR.scan_json(text, Origin::Answer);
    assert_eq!(seen, INSPECTOR.scan_json(text, Origin::Answer));
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    for finding in &seen.list {
        assert!(value.pointer(&finding.place.pointer).is_some(), "{finding:?}");
        assert!(finding.place.range.start <= finding.place.range.end, "{finding:?}");
    }
    if let Some(left) = redact(text, &seen.list, |_| true) {
        serde_json::from_str::<Value>(&left).expect("what is left is JSON");
    }
}

/// An archive is unpacked within its limits, and nothing in it has a path that leads out, or is refused.
pub(crate) fn archive(bytes: &[u8]) {
    let Ok(contents) = unpacked(bytes, LIMITS) else { return };
    assert!(contents.bytes <= LIMITS.unpacked && contents.files.len() <= LIMITS.entries);
    for (path, file) in &contents.files {
        assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path}");
        assert!(file.content.as_ref().is_none_or(|content| content.len() as u64 <= LIMITS.file));
    }
}
