use super::*;
use crate::archive::File;
use crate::metadata;

fn found(files: &[(&str, &str)]) -> Vec<String> {
    let file = |text: &str| File { bytes: 0, content: Some(text.as_bytes().to_vec()) };
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect();
    let contents = Contents { files, ..Contents::default() };
    let found = components(&contents, &metadata::read(&contents), &[]);
    let shown = |one: &Component| {
        format!("{}{}", one.purl(), one.wanted.iter().map(|text| format!(" {text}")).collect::<String>())
    };
    found.list.iter().map(shown).collect()
}

const MANIFEST: &str =
    r#"{ "name": "@acme/x", "version": "1.0.0", "dependencies": { "a": "^1.0.0", "b": "2.0.1", "left": "*" } }"#;

#[test]
fn a_manifest_fixes_some_versions_and_asks_for_others() {
    let seen = found(&[("package/package.json", MANIFEST)]);
    assert_eq!(seen, ["pkg:npm/%40acme/x@1.0.0", "pkg:npm/a ^1.0.0", "pkg:npm/b@2.0.1", "pkg:npm/left *"]);
    let wheel = "Metadata-Version: 2.1\nName: Acme_X\nVersion: 1.0\nRequires-Dist: httpx (>=0.27)\nRequires-Dist: Foo.Bar==1.2\n\n";
    let seen = found(&[("x-1.0.dist-info/METADATA", wheel)]);
    assert_eq!(seen, ["pkg:pypi/acme-x@1.0", "pkg:pypi/foo-bar@1.2", "pkg:pypi/httpx (>=0.27)"]);
}

#[test]
fn lock_files_of_every_form_are_read() {
    let modern = r#"{ "lockfileVersion": 3, "packages": { "": { "version": "1.0.0" }, "node_modules/a": { "version": "1.4.0" },
        "node_modules/a/node_modules/@s/c": { "version": "3.0.0" }, "node_modules/t": { "version": "1.0.0", "dev": true },
        "node_modules/alias": { "name": "real", "version": "5.0.0" }, "packages/own": { "version": "1.0.0" } } }"#;
    let seen = found(&[("package/package.json", MANIFEST), ("package/npm-shrinkwrap.json", modern)]);
    let all =
        ["pkg:npm/%40acme/x@1.0.0", "pkg:npm/%40s/c@3.0.0", "pkg:npm/a@1.4.0", "pkg:npm/b@2.0.1", "pkg:npm/left *"];
    assert_eq!(seen, [&all[..], &["pkg:npm/real@5.0.0"]].concat());
    let old = r#"{ "dependencies": { "a": { "version": "1.4.0", "dependencies": { "b": { "version": "2.0.0" } } } } }"#;
    assert_eq!(found(&[("package-lock.json", old)]), ["pkg:npm/a@1.4.0", "pkg:npm/b@2.0.0"]);
    let yarn = "# yarn lockfile v1\n\n\"@s/c@^3\", \"@s/c@3\":\n  version \"3.0.0\"\n  resolved \"x\"\n\na@^1:\n  version \"1.4.0\"\n";
    assert_eq!(found(&[("yarn.lock", yarn)]), ["pkg:npm/%40s/c@3.0.0", "pkg:npm/a@1.4.0"]);
    let cargo = "[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n[[package]]\nname = \"libc\"\nversion = \"0.2.1\"\nsource = \"registry+x\"\n";
    assert_eq!(found(&[("Cargo.lock", cargo)]), ["pkg:cargo/libc@0.2.1"]);
    let uv = "[[package]]\nname = \"own\"\nversion = \"1\"\nsource = { editable = \".\" }\n[[package]]\nname = \"httpx\"\nversion = \"0.27.0\"\nsource = { registry = \"x\" }\n";
    assert_eq!(found(&[("uv.lock", uv)]), ["pkg:pypi/httpx@0.27.0"]);
    assert_eq!(found(&[("pylock.dev.toml", "[[packages]]\nname = \"a\"\nversion = \"1\"\n")]), ["pkg:pypi/a@1"]);
    assert_eq!(found(&[("Pipfile.lock", r#"{ "default": { "a": { "version": "==1.5" } } }"#)]), ["pkg:pypi/a@1.5"]);
    let text = "# what\nhttpx[http2]==0.27.0 ; python_version > '3' \\\n    --hash=sha256:x\nrich>=13\n-r other.txt\ngit+https://x\n";
    assert_eq!(found(&[("requirements.txt", text)]), ["pkg:pypi/httpx@0.27.0", "pkg:pypi/rich >=13"]);
}

#[test]
fn what_a_bundle_brings_along_is_found() {
    let seen = found(&[
        ("manifest.json", r#"{ "name": "x", "version": "1.0.0", "server": {} }"#),
        ("server/node_modules/a/package.json", r#"{ "name": "a", "version": "1.0.0" }"#),
        ("server/node_modules/@s/c/package.json", r#"{ "name": "@s/c", "version": "2.0.0" }"#),
        ("server/node_modules/a/dist/esm/package.json", r#"{ "name": "no", "version": "9.0.0" }"#),
        ("server/node_modules/a/yarn.lock", "x@1:\n  version \"1.0.0\"\n"),
        ("lib/httpx-0.27.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: httpx\nVersion: 0.27.0\n\nName: no\n"),
    ]);
    assert_eq!(seen, ["pkg:npm/%40s/c@2.0.0", "pkg:npm/a@1.0.0", "pkg:pypi/httpx@0.27.0"]);
}

#[test]
fn what_is_no_lock_file_says_nothing_and_too_many_are_counted() {
    for (path, text) in
        [("package-lock.json", "{"), ("uv.lock", "["), ("Pipfile.lock", "[]"), ("yarn.lock", "\u{0}@@@\n version")]
    {
        assert_eq!(found(&[(path, text)]), [""; 0], "{path}");
    }
    let many: String = (0..limits::COMPONENTS_MAX + 7).map(|number| format!("p{number}==1.0\n")).collect();
    let contents = Contents {
        files: [("requirements.txt".to_owned(), File { bytes: 0, content: Some(many.into_bytes()) })].into(),
        ..Contents::default()
    };
    let found = components(&contents, &metadata::read(&contents), &[]);
    assert_eq!((found.list.len(), found.unlisted), (limits::COMPONENTS_MAX, 7));
}
