//! What strangers wrote and people want to know: what is in a message, and what is in a package.

use std::sync::LazyLock;

use dossier::advisories::{Excerpt, Importer, Index};
use dossier::archive::{Limits, unpacked};
use dossier::{Beside, examine};
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

/// An empty archive: all that is looked at is what is said beside it.
const NOTHING: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/// What begins and ends a signature behind a bundle.
const BEGIN: &[u8] = b"MCPB_SIG_V1";
const END: &[u8] = b"MCPB_SIG_END";

/// No attestation that somebody made up is proven, whether it lies beside a package or behind it.
pub(crate) fn attestation(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let beside = Beside { attestations: vec![text], ..Beside::default() };
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let signed = [NOTHING, BEGIN, &length, bytes, END].concat();
    for package in [NOTHING, &signed] {
        let Ok(mut found) = examine("x", package, &beside, &mut |_| {}) else { continue };
        assert!(found.provenance.proven.is_empty(), "{:?}", found.provenance);
        let before = found.provenance.proven.clone();
        found.verify(None);
        assert_eq!(found.provenance.proven, before);
    }
}

/// What can be read of advisories and lock files can be looked up again, and the same index is made of it twice.
pub(crate) fn advisories(bytes: &[u8]) {
    let mut importer = Importer::default();
    let _ = importer.archive(bytes);
    let _ = importer.advisory(&json_of(bytes));
    let index = importer.index(0);
    let advisories = Index::new(&index).expect("what was written can be read");
    assert_eq!(advisories.compared().advisories, importer.advisories());
    let text = String::from_utf8_lossy(bytes).into_owned();
    let names = ["package-lock.json", "yarn.lock", "uv.lock", "requirements.txt", "Pipfile.lock"];
    let locks = names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
    let beside = Beside { locks, advisories: Some(advisories), ..Beside::default() };
    let found = examine("x", NOTHING, &beside, &mut |_| {}).expect("nothing is in it");
    let bill = dossier::cyclone_dx(&found);
    assert_eq!(bill["components"].as_array().map(Vec::len), Some(found.components.len()));
    let excerpt = Excerpt::read(index.as_slice(), &found.components).expect("what was written can be read");
    let whole = Index::new(&index).expect("what was written can be read");
    assert_eq!(excerpt.index().about(&found.components), whole.about(&found.components));
    let known = Index::new(bytes).map(|index| index.about(&found.components));
    let read = Excerpt::read(bytes, &found.components).map(|excerpt| excerpt.index().about(&found.components));
    assert!(read.is_err() || read == known);
}

/// A document of publishers' keys is read as those keys, and what is read of them is one again.
pub(crate) fn publisher(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let keys = dossier::publisher_keys(&text);
    let written: Vec<String> = keys.iter().map(|key| format!("v=MCPv1; k={}; p={}", key.algorithm, key.key)).collect();
    assert_eq!(dossier::publisher_keys(&written.join("\n")), keys);
}
