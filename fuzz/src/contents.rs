//! What strangers wrote and people want to know: what is in a message, and what is in a package.

use std::sync::LazyLock;

use dossier::advisories::{Excerpt, Importer, Index};
use dossier::archive::{Limits, unpacked};
use dossier::{Beside, Examination, examine};
use inspect::{Inspector, Origin, redact};
use model::Digest;
use serde_json::{Value, json};

use crate::{json_of, line_and_rest};

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

/// A tar of files, as their names and contents are given.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (path, content) in files {
        let mut header = [0; 512];
        let fields = [(0, path.to_string()), (100, "0000644".to_owned()), (124, format!("{:011o}", content.len()))];
        for (at, text) in fields.iter().chain(&[(156, "0".to_owned()), (257, "ustar\x0000".to_owned())]) {
            header[*at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        // Its own place counts as blanks.
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A container image is read or refused, whatever its layers, its lists of packages and its configuration say, and all that is
/// found in it can be written down and read again. The first line is the path of a file in a layer, and the rest what that
/// says; the same bytes are a layer above, a configuration, and an archive.
pub(crate) fn image(bytes: &[u8]) {
    let _ = examine("x", bytes, &Beside::default(), &mut |_| {});
    let (path, rest) = line_and_rest(bytes);
    let path = std::str::from_utf8(path).ok().filter(|path| !path.is_empty() && path.len() < 100).unwrap_or("x");
    let below = tar(&[("etc/os-release", b"ID=debian\nVERSION_ID=12\n"), ("var/lib/dpkg/status", bytes), (path, rest)]);
    let digest = |bytes: &[u8]| Digest::of(bytes).to_string();
    let layers: Vec<&[u8]> = if dossier::archive::is_tar(bytes) { vec![&below, bytes] } else { vec![&below] };
    let ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
    let run = serde_json::from_slice::<Value>(rest).unwrap_or_default();
    let config = json!({ "rootfs": { "diff_ids": ids }, "config": run }).to_string().into_bytes();
    let name = format!("{}.json", digest(&config).trim_start_matches("sha256:"));
    let names: Vec<_> = (0..layers.len()).map(|number| format!("{number}.tar")).collect();
    let saved = json!([{ "Config": name, "RepoTags": [path], "Layers": names }]).to_string().into_bytes();
    let mut files: Vec<(&str, &[u8])> = vec![(&name, &config), ("manifest.json", &saved)];
    files.extend(names.iter().map(String::as_str).zip(layers));
    let Ok(found) = examine("x", &tar(&files), &Beside::default(), &mut |_| {}) else { return };
    let bill = dossier::cyclone_dx(&found);
    assert_eq!(bill["components"].as_array().map(Vec::len), Some(found.components.len()));
    let written = serde_json::to_value(&found).expect("what was found can be written");
    assert_eq!(serde_json::from_value::<Examination>(written).expect("and read"), found);
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
