use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::json;

use super::*;

fn component(ecosystem: Ecosystem, name: &str, version: &str) -> Component {
    let (name, version) = (name.to_owned(), version.to_owned());
    Component { ecosystem, name, version, wanted: None, from: String::new(), source: None }
}

fn advisory(id: &str, ecosystem: &str, name: &str, more: &serde_json::Value) -> Vec<u8> {
    let mut affected = json!({ "package": { "ecosystem": ecosystem, "name": name } });
    affected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let whole =
        json!({ "id": id, "modified": "2026-01-01T00:00:00Z", "summary": "what is\n wrong", "affected": [affected] });
    whole.to_string().into_bytes()
}

fn range(kind: &str, events: &serde_json::Value) -> serde_json::Value {
    json!({ "ranges": [{ "type": kind, "events": events }] })
}

fn index(advisories: &[Vec<u8>]) -> Vec<u8> {
    let mut importer = Importer::default();
    advisories.iter().for_each(|one| importer.advisory(one).unwrap());
    importer.index(1_700_000_000)
}

fn ids(index: &[u8], component: &Component) -> Vec<String> {
    let index = Index::new(index).unwrap();
    index.about(std::slice::from_ref(component)).into_iter().map(|one| one.id).collect()
}

#[test]
fn ranges_and_lists_say_which_versions_are_affected() {
    let two =
        json!([{ "introduced": "0" }, { "fixed": "1.2.3" }, { "introduced": "2.0.0-rc.1" }, { "fixed": "2.1.0" }]);
    let shuffled =
        json!([{ "fixed": "2.1.0" }, { "introduced": "2.0.0-rc.1" }, { "introduced": "0" }, { "fixed": "1.2.3" }]);
    for events in [two, shuffled] {
        let index = index(&[advisory("GHSA-1", "npm", "@acme/x", &range("SEMVER", &events))]);
        let affected = |version: &str| !ids(&index, &component(Ecosystem::Npm, "@acme/x", version)).is_empty();
        for version in ["0.0.1", "1.2.2", "1.2.3-beta.1", "2.0.0-rc.1", "2.0.0", "2.0.10", "2.1.0-alpha"] {
            assert!(affected(version), "{version}");
        }
        for version in ["1.2.3", "1.10.0", "2.0.0-beta.2", "2.1.0", "3.0.0", "no version", ""] {
            assert!(!affected(version), "{version}");
        }
    }
    let mut python = range("ECOSYSTEM", &json!([{ "introduced": "1.0rc1" }, { "last_affected": "1.5.post1" }]));
    python["versions"] = json!(["1.0", "1.4", "0.1.dev0"]);
    let index = index(&[advisory("PYSEC-1", "PyPI", "Foo.Bar", &python)]);
    let affected = |version: &str| !ids(&index, &component(Ecosystem::Python, "foo_bar", version)).is_empty();
    for version in ["1.0rc1", "1.0", "1.5", "1.5.post1", "0.1.dev0"] {
        assert!(affected(version), "{version}");
    }
    for version in ["1.0b9", "1.0.dev1", "1.5.post2", "1.6", "0.1"] {
        assert!(!affected(version), "{version}");
    }
    let text = String::from_utf8(index).unwrap();
    assert!(text.contains("0.1.dev0") && !text.contains("\"1.4\""), "what the range holds is not listed again: {text}");
}

#[test]
fn malice_is_of_any_version_and_critical() {
    let all = range("SEMVER", &json!([{ "introduced": "0" }]));
    let index = index(&[advisory("MAL-2026-1", "npm", "evil", &all)]);
    let index = Index::new(&index).unwrap();
    let wanted = Component { wanted: Some("^1".to_owned()), ..component(Ecosystem::Npm, "evil", "") };
    let found =
        index.about(&[wanted, component(Ecosystem::Npm, "evil", "9.9.9"), component(Ecosystem::Npm, "evil2", "1.0.0")]);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|one| one.severity == Severity::Critical && one.is_malice()), "{found:?}");
    assert_eq!(found[0].summary, "what is wrong");
}

#[test]
fn a_name_is_found_among_many_and_no_other() {
    let names = ["a", "aa", "ab", "abc", "b", "lodash", "lodash-es", "lodash.merge", "z"];
    let all = || range("SEMVER", &json!([{ "introduced": "0" }, { "fixed": "2.0.0" }]));
    let mut advisories: Vec<_> =
        names.iter().map(|name| advisory(&format!("GHSA-{name}"), "npm", name, &all())).collect();
    advisories.push(advisory("GHSA-second", "npm", "lodash", &all()));
    advisories.push(advisory("RUSTSEC-1", "crates.io", "lodash", &all()));
    let index = index(&advisories);
    for name in names.iter().filter(|name| **name != "lodash") {
        assert_eq!(ids(&index, &component(Ecosystem::Npm, name, "1.0.0")), [format!("GHSA-{name}")]);
    }
    assert_eq!(ids(&index, &component(Ecosystem::Npm, "lodash", "1.0.0")), ["GHSA-lodash", "GHSA-second"]);
    for name in ["", "0", "ac", "lodas", "lodash.", "zz"] {
        assert_eq!(ids(&index, &component(Ecosystem::Npm, name, "1.0.0")), [""; 0], "{name}");
    }
    let known = Index::new(&index).unwrap();
    assert_eq!(known.compared(), &Compared { imported_at: 1_700_000_000, advisories: 11 });
    assert_eq!(known.about(&[component(Ecosystem::Npm, "a", "1.0.0")])[0].mended.as_deref(), Some("2.0.0"));
    for bytes in [b"".as_slice(), b"x", b"\n", b"portcullis-advisories 1 {}\n"] {
        assert!(Index::new(bytes).is_err());
    }
}

#[test]
fn what_was_withdrawn_is_none_and_what_has_two_names_is_one() {
    let all = || range("SEMVER", &json!([{ "introduced": "0" }, { "fixed": "2.0.0" }]));
    let mut withdrawn: serde_json::Value = serde_json::from_slice(&advisory("GHSA-w", "npm", "a", &all())).unwrap();
    withdrawn["withdrawn"] = json!("2026-02-01T00:00:00Z");
    let mut named: serde_json::Value = serde_json::from_slice(&advisory("GHSA-n", "npm", "a", &all())).unwrap();
    named["aliases"] = json!(["CVE-2026-1", "OTHER-1"]);
    named["database_specific"] = json!({ "severity": "HIGH" });
    let index = index(&[
        withdrawn.to_string().into_bytes(),
        named.to_string().into_bytes(),
        advisory("OTHER-1", "npm", "a", &all()),
        advisory("GO-1", "Go", "a", &all()),
    ]);
    let found = Index::new(&index).unwrap().about(&[component(Ecosystem::Npm, "a", "1.0.0")]);
    assert_eq!((found.len(), found[0].id.as_str(), found[0].severity), (1, "GHSA-n", Severity::High));
}

/// A zip as databases of advisories have it, with the directory of zip64 if it is asked for.
fn zip(files: &[(&str, &[u8])], is_large: bool) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let at = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        let data = encoder.finish().unwrap();
        let sizes = [data.len(), content.len()].map(|size| u32::try_from(size).unwrap().to_le_bytes()).concat();
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let middle = [&[0, 0, 8, 0][..], &[0; 8], &sizes, &length].concat();
        bytes.extend([b"PK\x03\x04\x14\x00", middle.as_slice(), &[0; 2], name.as_bytes(), &data].concat());
        directory.extend([b"PK\x01\x02\x14\x03\x14\x00", middle.as_slice(), &[0; 12], &at, name.as_bytes()].concat());
    }
    let (start, size) = (bytes.len(), directory.len());
    bytes.extend(directory);
    let large = u64::try_from(bytes.len()).unwrap();
    if is_large {
        let wide = |number: usize| u64::try_from(number).unwrap().to_le_bytes();
        let ends = [wide(files.len()), wide(files.len()), wide(size), wide(start)].concat();
        bytes.extend([b"PK\x06\x06".as_slice(), &[0; 20], &ends].concat());
        bytes.extend([b"PK\x06\x07".as_slice(), &[0; 4], &large.to_le_bytes(), &[1, 0, 0, 0]].concat());
    }
    let short = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let (number, at) = if is_large { ([0xff; 2], [0xff; 4]) } else { (short(files.len()), word(start)) };
    bytes.extend([b"PK\x05\x06".as_slice(), &[0; 4], &number, &number, &word(size), &at, &[0; 2]].concat());
    bytes
}

#[test]
fn a_database_is_imported_from_its_zip_whatever_else_is_in_it() {
    let all = range("SEMVER", &json!([{ "introduced": "0" }]));
    let one = advisory("MAL-1", "npm", "a", &all);
    let huge = vec![b' '; usize::try_from(limits::ADVISORY_BYTES_MAX).unwrap() + 1];
    for is_large in [false, true] {
        let mut importer = Importer::default();
        let files = [("MAL-1.json", one.as_slice()), ("x.json", b"{"), ("y.txt", b"z"), ("huge.json", &huge)];
        let bytes = zip(&files, is_large);
        importer.archive(&bytes).unwrap();
        assert_eq!((importer.advisories(), importer.passed_over()), (1, 1));
        for length in 0..bytes.len().min(600) {
            let cut = Importer::default().archive(&bytes[..length]);
            assert!(cut.is_err(), "{length}");
        }
    }
}

#[test]
fn an_excerpt_says_the_same_as_the_whole_of_the_packages_it_is_about() {
    let all = json!([{ "introduced": "0" }, { "fixed": "9.0.0" }]);
    let many: Vec<_> = (0..50)
        .map(|number| advisory(&format!("GHSA-{number}"), "npm", &format!("p{}", number % 10), &range("SEMVER", &all)))
        .collect();
    let whole = index(&many);
    let some = [component(Ecosystem::Npm, "p3", "1.0.0"), component(Ecosystem::Python, "p4", "1.0.0")];
    let excerpt = Excerpt::read(whole.as_slice(), &some).unwrap();
    assert_eq!(excerpt.index().about(&some), Index::new(&whole).unwrap().about(&some));
    assert_eq!((excerpt.index().about(&some).len(), excerpt.compared().advisories), (5, 50));
    let other = component(Ecosystem::Npm, "p5", "1.0.0");
    assert!(excerpt.index().about(std::slice::from_ref(&other)).is_empty(), "nothing else was kept");
}

#[test]
fn an_index_that_is_not_what_was_imported_is_none() {
    let all = json!([{ "introduced": "0" }]);
    let whole = index(&[advisory("GHSA-1", "npm", "x", &range("SEMVER", &all))]);
    let text = String::from_utf8(whole.clone()).unwrap();
    let at = |bytes: &[u8]| (Index::new(bytes).err(), Excerpt::read(bytes, []).err());
    assert_eq!(at(&whole), (None, None));
    let end = whole.len();
    let damaged = [
        whole[..end - 1].to_vec(),
        whole[..=text.find('\n').unwrap()].to_vec(),
        text.replace("GHSA-1", "GHSA-2").into_bytes(),
        [whole.as_slice(), b"npm\tx\t{}\n"].concat(),
        text.replacen("\"bytes\"", "\"bites\"", 1).into_bytes(),
    ];
    for bytes in damaged {
        let why = Some(NoIndex::Damaged);
        assert_eq!(at(&bytes), (why.clone(), why), "{}", String::from_utf8_lossy(&bytes));
    }
    let earlier = b"portcullis-advisories 1 {\"imported_at\":1,\"advisories\":0}\n";
    assert_eq!(at(earlier), (Some(NoIndex::Earlier), Some(NoIndex::Earlier)));
    for other in [b"".as_slice(), b"\n", b"\xff\n", &[b'x'; 10_000]] {
        assert_eq!(at(other).1, Some(NoIndex::Other));
    }
}
