use std::cell::RefCell;
use std::io::Write as _;

use ::tar::{Builder, EntryType, Header};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::*;
use crate::archive::zstd;
use crate::components::Component;
use crate::{Beside, Examination, examine};

/// Small, so that a test of a limit is quick.
const SMALL: Limits = Limits { bytes: 1 << 20, entries: 200, files: 60, file: 1 << 14, list: 1 << 15, kept: 1 << 17 };

fn put(builder: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, link: &str, content: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(u64::try_from(content.len()).unwrap());
    header.set_mode(0o644);
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    files.iter().for_each(|(path, content)| put(&mut builder, path, EntryType::Regular, "", content));
    builder.into_inner().unwrap()
}

fn layer(files: &[(&str, &str)]) -> Vec<u8> {
    tar(&files.iter().map(|(path, text)| (*path, text.as_bytes())).collect::<Vec<_>>())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    model::Digest::of(bytes).to_string()
}

fn digits(bytes: &[u8]) -> String {
    digest(bytes).trim_start_matches("sha256:").to_owned()
}

/// An image in the making, of which a test changes what it is about.
struct Made {
    files: RefCell<Vec<(String, Vec<u8>)>>,
    index: Value,
    config: Value,
    layers: Vec<Vec<u8>>,
}

impl Made {
    fn of(layers: &[Vec<u8>]) -> Self {
        let ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
        let config = json!({ "os": "linux", "architecture": "amd64", "rootfs": { "type": "layers", "diff_ids": ids },
            "config": { "Entrypoint": ["node"], "Cmd": ["/app/index.js"], "User": "node",
                "Labels": { "org.opencontainers.image.source": "https://github.com/acme/tickets" } } });
        let files = vec![("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())];
        Self { files: RefCell::new(files), index: Value::Null, config, layers: layers.to_vec() }
    }

    /// Puts a file among the blobs, and gives what describes it.
    fn blob(&self, bytes: &[u8]) -> Value {
        self.files.borrow_mut().push((format!("blobs/sha256/{}", digits(bytes)), bytes.to_vec()));
        json!({ "mediaType": "x", "digest": digest(bytes), "size": bytes.len() })
    }

    fn manifest(&self) -> Value {
        let config = self.blob(self.config.to_string().as_bytes());
        let layers: Vec<_> = self.layers.iter().map(|layer| self.blob(&gzip(layer))).collect();
        let mut described =
            self.blob(json!({ "schemaVersion": 2, "config": config, "layers": layers }).to_string().as_bytes());
        described["annotations"] = json!({ "io.containerd.image.name": "registry.example/acme/tickets:1.2.0" });
        described
    }

    /// The same with its only layer packed in another way.
    fn with_layer_as(mut self, packed: &[u8]) -> Vec<u8> {
        let config = self.blob(self.config.to_string().as_bytes());
        let manifest = json!({ "config": config, "layers": [self.blob(packed)] });
        self.index = json!({ "manifests": [self.blob(manifest.to_string().as_bytes())] });
        self.oci()
    }

    /// As tools for OCI layouts write it.
    fn oci(mut self) -> Vec<u8> {
        if self.index.is_null() {
            self.index = json!({ "schemaVersion": 2, "manifests": [self.manifest()] });
        }
        let mut files = self.files.into_inner();
        files.push(("index.json".to_owned(), self.index.to_string().into_bytes()));
        files.sort();
        files.dedup();
        tar(&files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect::<Vec<_>>())
    }

    /// As old versions of Docker save it.
    fn docker(&self, tag: &str) -> Vec<u8> {
        let config = self.config.to_string().into_bytes();
        let name = format!("{}.json", digits(&config));
        let paths: Vec<_> = (0..self.layers.len()).map(|number| format!("{number}/layer.tar")).collect();
        let saved = json!([{ "Config": name, "RepoTags": [tag], "Layers": paths }]).to_string().into_bytes();
        let mut files: Vec<(&str, &[u8])> = vec![(&name, &config)];
        files.extend(paths.iter().zip(&self.layers).map(|(path, layer)| (path.as_str(), layer.as_slice())));
        files.push(("manifest.json", &saved));
        tar(&files)
    }
}

const DEBIAN: (&str, &str) =
    ("etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n");
const STATUS: &str = "Package: libssl3\nStatus: install ok installed\nSource: openssl (3.0.11-1~deb12u2)\nVersion: 3.0.11-1~deb12u2\nDescription: x\n Package: no\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1.0\n\nPackage: zlib1g\nStatus: install ok installed\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n";

fn purls(found: &Examination) -> Vec<String> {
    found.components.iter().map(Component::purl).collect()
}

fn examined(bytes: &[u8]) -> Examination {
    examine("image.tar", bytes, &Beside::default(), &mut |_| {}).unwrap()
}

fn refused(bytes: &[u8]) -> String {
    open(bytes, SMALL).err().expect("it is refused").to_string()
}

fn rules(found: &Examination) -> Vec<&str> {
    found.findings.iter().map(|one| one.rule.as_str()).collect()
}

#[test]
fn an_image_is_what_its_layers_leave_of_one_another() {
    let below = layer(&[
        DEBIAN,
        ("var/lib/dpkg/status", "Package: old\nStatus: install ok installed\nVersion: 1\n"),
        ("app/node_modules/left/package.json", r#"{ "name": "left", "version": "1.0.0" }"#),
        ("app/node_modules/stays/package.json", r#"{ "name": "stays", "version": "1.0.0" }"#),
        ("opt/a/site-packages/x-1.dist-info/METADATA", "Name: x\nVersion: 1\n"),
        ("app/index.js", "import { exec } from 'child_process';\nexec(`a ${x}`);\n"),
    ]);
    let above = layer(&[
        ("./var/lib/dpkg/status", STATUS),
        ("app/node_modules/.wh.left", ""),
        ("opt/.wh..wh..opq", ""),
        ("/opt/b/site-packages/y-2.dist-info/METADATA", "Name: y\nVersion: 2\n"),
    ]);
    let made = Made::of(&[below, above]);
    for bytes in
        [made.docker("registry.example:5000/acme/tickets:1.2.0"), gzip(&made.docker("a:1")), Made { ..made }.oci()]
    {
        let found = examined(&bytes);
        assert_eq!(
            purls(&found),
            [
                "pkg:npm/stays@1.0.0",
                "pkg:pypi/y@2",
                "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?distro=debian-12",
                "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?distro=debian-12",
            ]
        );
        let image = found.image.as_ref().unwrap();
        assert_eq!((image.layers, image.user.as_str(), image.command.len(), found.files), (2, "node", 2, 10));
        assert_eq!(image.system.as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(found.metadata.repository.as_deref(), Some("https://github.com/acme/tickets"));
        assert!(rules(&found).contains(&"javascript-shell"), "its own source is read: {:?}", found.findings);
        assert_eq!(found.sha256.as_deref(), Some(digits(&bytes).as_str()));
        let bill = crate::cyclone_dx(&found);
        assert_eq!(bill["metadata"]["component"]["type"], "container");
        assert_eq!(bill["components"][2]["properties"][0]["value"], "openssl 3.0.11-1~deb12u2");
    }
}

#[test]
fn an_image_is_named_and_pinned_by_its_manifest() {
    let found = examined(&Made::of(&[layer(&[DEBIAN])]).oci());
    let image = found.image.clone().unwrap();
    assert_eq!(found.metadata.name.as_deref(), Some("registry.example/acme/tickets"));
    assert_eq!(found.metadata.version.as_deref(), Some("1.2.0"));
    let manifest = image.manifest.unwrap();
    let purl = crate::cyclone_dx(&found)["metadata"]["component"]["purl"].clone();
    assert_eq!(purl, format!("pkg:oci/tickets@{manifest}"));
}

/// An index of advisories: the id of each, what it is about, and the version in which that is mended.
fn index(advisories: &[(&str, &str, &str, &str)]) -> Vec<u8> {
    let mut importer = crate::advisories::Importer::default();
    for (id, ecosystem, name, fixed) in advisories {
        let events = json!([{ "introduced": "0" }, { "fixed": fixed }]);
        let affected = json!([{ "package": { "ecosystem": ecosystem, "name": name }, "ranges": [{ "type": "ECOSYSTEM", "events": events }] }]);
        importer.advisory(json!({ "id": id, "affected": affected }).to_string().as_bytes()).unwrap();
    }
    importer.index(0)
}

#[test]
fn packages_of_systems_are_compared_under_the_name_of_their_source() {
    let alpine = [
        ("etc/os-release", "ID=alpine\nVERSION_ID=3.19.1\nPRETTY_NAME='Alpine'\n"),
        (
            "lib/apk/db/installed",
            "C:Q1\nP:libcrypto3\nV:3.1.4-r2\no:openssl\nF:usr/lib/python3.11/site-packages/z-1.dist-info\nR:METADATA\n\nP:musl\nV:1.2.4-r2\no:musl\n",
        ),
        ("usr/lib/python3.11/site-packages/z-1.dist-info/METADATA", "Name: z\nVersion: 1\n"),
    ];
    let index = index(&[
        ("ALPINE-1", "Alpine:v3.19", "openssl", "3.1.4-r10"),
        ("ALPINE-2", "Alpine:v3.18", "openssl", "9-r0"),
        ("ALPINE-3", "Alpine:v3.19", "musl", "1.2.4-r2"),
        ("DSA-1", "Debian:12", "openssl", "3.0.11-1~deb12u3"),
        ("DSA-2", "Debian:11", "openssl", "9"),
        ("UBU-1", "Ubuntu:22.04:LTS", "openssl", "9"),
    ]);
    let told = |files: &[(&str, &str)]| {
        let advisories = Some(crate::advisories::Index::new(&index).unwrap());
        let beside = Beside { advisories, ..Beside::default() };
        examine("x.tar", &Made::of(&[layer(files)]).oci(), &beside, &mut |_| {}).unwrap()
    };
    let ids = |found: &Examination| found.vulnerabilities.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    let found = told(&alpine);
    assert_eq!(ids(&found), ["ALPINE-1"]);
    assert_eq!(found.vulnerabilities[0].purl, "pkg:apk/alpine/libcrypto3@3.1.4-r2?distro=alpine-3.19");
    assert_eq!(purls(&found).len(), 2, "what a package of the system brought along is the system's");
    assert_eq!(ids(&told(&[DEBIAN, ("var/lib/dpkg/status", STATUS)])), ["DSA-1"]);
    let each = "Package: libssl3\nVersion: 3.0.11-1~deb12u1\nSource: openssl\n";
    assert_eq!(ids(&told(&[DEBIAN, ("var/lib/dpkg/status.d/libssl3", each)])), ["DSA-1"]);
    let ubuntu = ("etc/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\n");
    assert_eq!(ids(&told(&[ubuntu, ("var/lib/dpkg/status", STATUS)])), ["UBU-1"]);
    let kept = serde_json::to_value(told(&[ubuntu, ("var/lib/dpkg/status", STATUS)])).unwrap();
    assert_eq!(kept["components"][0]["ecosystem"], "Ubuntu:22.04");
    serde_json::from_value::<Examination>(kept).unwrap();
}

#[test]
fn packages_of_rpm_are_compared_under_their_own_name_and_that_of_their_source() {
    let index = index(&[
        ("RHSA-1", "Red Hat:enterprise_linux:9::baseos", "openssl-libs", "1:3.0.0-21.el9"),
        ("RHSA-2", "Red Hat:enterprise_linux:9::baseos", "zlib", "3.0.3-23.el9"),
        ("RHSA-3", "Red Hat:enterprise_linux:8::baseos", "zlib", "9"),
        ("RHSA-4", "Red Hat:rhel_eus:9.4::baseos", "zlib", "9"),
        ("RLSA-1", "Rocky Linux:9", "openssl", "1:3.0.0-21.el9"),
        ("ALSA-1", "AlmaLinux:9", "openssl-libs", "1:3.0.0-21.el9"),
        ("ALSA-1", "AlmaLinux:9", "openssl", "1:3.0.0-21.el9"),
        ("SUSE-1", "SUSE:Linux Enterprise Module for Basesystem 15 SP6", "openssl", "1:3.0.0-21.el9"),
        ("SUSE-2", "SUSE:Linux Enterprise Module for Basesystem 15 SP5", "openssl", "9:1-1"),
        ("SUSE-3", "openSUSE:Leap 15.6", "openssl", "1:3.0.0-21.el9"),
        ("SUSE-4", "openSUSE:Tumbleweed", "openssl", "1:3.0.0-21.el9"),
    ]);
    let (database, own) = (rpm::tests::database(), rpm::tests::own_database());
    let six = "usr/lib/python3.9/site-packages/six-1.15.0.dist-info/METADATA";
    for (system, path, id, purl) in [
        (
            "sles",
            "usr/lib/sysimage/rpm/Packages.db",
            "SUSE-1",
            "suse/openssl-libs@3.0.0-20.el9?distro=sles-15.6&epoch=1",
        ),
        (
            "opensuse-leap",
            "usr/lib/sysimage/rpm/Packages.db",
            "SUSE-3",
            "opensuse/openssl-libs@3.0.0-20.el9?distro=opensuse-leap-15.6&epoch=1",
        ),
        (
            "opensuse-tumbleweed",
            "var/lib/rpm/Packages.db",
            "SUSE-4",
            "opensuse/openssl-libs@3.0.0-20.el9?distro=opensuse-tumbleweed&epoch=1",
        ),
        ("rhel", "var/lib/rpm/rpmdb.sqlite", "RHSA-1", "redhat/openssl-libs@3.0.0-20.el9?distro=rhel-9&epoch=1"),
        (
            "rocky",
            "var/lib/rpm/rpmdb.sqlite",
            "RLSA-1",
            "rocky-linux/openssl-libs@3.0.0-20.el9?distro=rocky-linux-9&epoch=1",
        ),
        (
            "almalinux",
            "usr/lib/sysimage/rpm/rpmdb.sqlite",
            "ALSA-1",
            "almalinux/openssl-libs@3.0.0-20.el9?distro=almalinux-9&epoch=1",
        ),
    ] {
        let (version, database) = if path.ends_with(".db") { ("15.6", &own) } else { ("9.4", &database) };
        let release = format!("ID=\"{system}\"\nVERSION_ID=\"{version}\"\n");
        let files = [("etc/os-release", release.as_bytes()), (path, database), (six, b"Name: six\nVersion: 1.15.0\n")];
        let image = Made::of(&[tar(&files)]).oci();
        let advisories = Some(crate::advisories::Index::new(&index).unwrap());
        let found = examine("x.tar", &image, &Beside { advisories, ..Beside::default() }, &mut |_| {}).unwrap();
        assert_eq!(found.components.len(), 24, "what a package of the system brought along is the system's");
        let told: Vec<_> = found.vulnerabilities.iter().map(|one| (one.id.as_str(), one.purl.as_str())).collect();
        assert_eq!(told, [(id, format!("pkg:rpm/{purl}").as_str())]);
        assert_eq!(found.vulnerabilities[0].mended.as_deref(), Some("1:3.0.0-21.el9"));
        assert!(!rules(&found).contains(&"unread-packages"), "{:?}", found.findings);
    }
}

#[test]
fn what_is_compared_with_nothing_is_told() {
    let status = ("var/lib/dpkg/status", STATUS);
    let large = "x".repeat(usize::try_from(limits_of_lists()).unwrap() + 1);
    for files in [
        &[("etc/os-release", "ID=kali\n"), status][..],
        &[status],
        &[DEBIAN, ("var/lib/rpm/rpmdb.sqlite", "x")],
        &[DEBIAN, ("var/lib/rpm/rpmdb.sqlite-wal", "x")],
        &[DEBIAN, ("var/lib/rpm/Packages", "x")],
        &[DEBIAN, ("var/lib/rpm/Packages.db", "x")],
        &[DEBIAN, ("usr/lib/sysimage/rpm/Packages.db", "x")],
        &[DEBIAN, ("var/lib/dpkg/status", &large)],
    ] {
        let found = examined(&Made::of(&[layer(files)]).oci());
        assert!(rules(&found).contains(&"unread-packages"), "{:?}", found.findings);
        assert!(found.components.is_empty());
    }
    for (path, to) in
        [("var/lib/dpkg/status", "/opt/x"), ("var/lib/dpkg", "/opt"), ("a/node_modules/b/package.json", "x")]
    {
        let mut builder = Builder::new(Vec::new());
        put(&mut builder, path, EntryType::Symlink, to, b"");
        let found = examined(&Made::of(&[layer(&[DEBIAN]), builder.into_inner().unwrap()]).oci());
        assert!(rules(&found).contains(&"unread-packages"), "{path}: {:?}", found.findings);
    }
    let advisories = crate::advisories::Importer::default().index(0);
    let advisories = Some(crate::advisories::Index::new(&advisories).unwrap());
    let beside = Beside { advisories, ..Beside::default() };
    let found = examine("x.tar", &Made::of(&[layer(&[DEBIAN, status])]).oci(), &beside, &mut |_| {}).unwrap();
    assert!(rules(&found).contains(&"unknown-to-advisories"), "{:?}", found.findings);
}

#[test]
fn a_link_from_where_rpm_s_list_was_to_where_it_is_leaves_nothing_unread() {
    let database = rpm::tests::database();
    let alma = ("etc/os-release", &b"ID=almalinux\nVERSION_ID=10.0\n"[..]);
    let (new, old) = ("usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite");
    let linked = |to: &str| {
        let mut builder = Builder::new(Vec::new());
        put(&mut builder, "var/lib/rpm", EntryType::Symlink, to, b"");
        builder.into_inner().unwrap()
    };
    let told = |layers: &[Vec<u8>]| {
        let found = examined(&Made::of(layers).oci());
        assert_eq!(found.components.len(), 24);
        rules(&found).contains(&"unread-packages")
    };
    let moved = tar(&[alma, (new, &database)]);
    for to in ["../../usr/lib/sysimage/rpm", "/usr/lib/sysimage/rpm"] {
        assert!(!told(&[moved.clone(), linked(to)]), "{to}");
    }
    for to in
        ["usr/lib/sysimage/rpm", "../../usr/lib/sysimage", "../../usr/lib/sysimage/rpm/../../../../opt", "/opt", ""]
    {
        assert!(told(&[moved.clone(), linked(to)]), "{to}");
    }
    // What lies at both places is one list for some, and the other for others.
    let to = "../../usr/lib/sysimage/rpm";
    assert!(told(&[tar(&[alma, (old, &database)]), linked(to)]));
    assert!(told(&[moved, linked(to), tar(&[("var/lib/rpm/Packages", b"x")])]));
    // A layer may take the link away again.
    assert!(!told(&[tar(&[alma]), linked(to), tar(&[("var/lib/.wh.rpm", b"")]), tar(&[(old, &database)])]));
}

fn limits_of_lists() -> u64 {
    Limits::default().list
}

#[test]
fn how_it_is_started_and_what_lies_open_in_it_are_told() {
    let mut made = Made::of(&[layer(&[DEBIAN])]);
    made.config["config"] = json!({ "Env": ["PATH=/bin", "GITHUB_TOKEN=ghp_x", "EMPTY_TOKEN="] });
    let found = examined(&made.oci());
    assert_eq!(rules(&found).iter().filter(|rule| **rule == "image-secret").count(), 1);
    assert!(rules(&found).contains(&"runs-as-root"));
    assert!(!serde_json::to_string(&found).unwrap().contains("ghp_x"), "the value is nobody's business");
}

#[test]
fn nothing_is_believed_that_its_digest_does_not_vouch_for() {
    let one = layer(&[DEBIAN]);
    // A file among the blobs that is not what it is called.
    let mut files = vec![];
    let whole = Made::of(std::slice::from_ref(&one)).oci();
    let mut archive = ::tar::Archive::new(whole.as_slice());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.push((path, content));
    }
    for place in (0..files.len()).filter(|place| files[*place].0.starts_with("blobs/")) {
        let mut changed = files.clone();
        changed[place].1 = if changed[place].1.starts_with(b"{") {
            [&changed[place].1[..], b" "].concat()
        } else {
            gzip(&layer(&[("etc/other", "x")]))
        };
        let bytes = tar(&changed.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect::<Vec<_>>());
        assert!(refused(&bytes).contains("has not the digest"), "{}", changed[place].0);
    }
    // Layers that the configuration does not vouch for.
    let mut made = Made::of(std::slice::from_ref(&one));
    made.layers = vec![layer(&[("etc/other", "x")])];
    assert!(refused(&made.docker("a:1")).contains("not those of its configuration"));
    assert!(refused(&made.oci()).contains("not those of its configuration"));
    let mut made = Made::of(&[one.clone(), one.clone()]);
    made.layers.pop();
    assert!(refused(&made.oci()).contains("not those of its configuration"));
    let saved = Made::of(&[one]).docker("a:1");
    let name = digits(Made::of(&[layer(&[DEBIAN])]).config.to_string().as_bytes());
    let forged = String::from_utf8(saved).unwrap().replace(&name, &"0".repeat(64));
    assert!(refused(&refit(forged.as_bytes())).contains("not the digest that it is named by"));
}

/// Writes the headers of a tar anew, whose names were changed.
fn refit(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in (0..bytes.len()).step_by(512) {
        if bytes[at..].get(257..262) == Some(b"ustar") {
            let mut header = Header::new_ustar();
            header.as_mut_bytes().copy_from_slice(&bytes[at..at + 512]);
            header.set_cksum();
            bytes[at..at + 512].copy_from_slice(header.as_bytes());
        }
    }
    bytes
}

#[test]
fn what_two_readers_would_read_differently_is_refused() {
    let one = layer(&[DEBIAN]);
    let made = || Made::of(std::slice::from_ref(&one));
    // Another image for those who go by Docker's list.
    let other = made();
    other.blob(b"{}");
    let saved = json!([{ "Config": format!("blobs/sha256/{}", digits(b"{}")), "RepoTags": null, "Layers": [] }]);
    other.files.borrow_mut().push(("manifest.json".to_owned(), saved.to_string().into_bytes()));
    assert!(refused(&other.oci()).contains("different images"));
    // An index that is a manifest as well.
    let mut both = made();
    let manifest = both.manifest();
    let config = both.blob(b"{}");
    let two_in_one =
        both.blob(json!({ "manifests": [manifest], "config": config, "layers": [] }).to_string().as_bytes());
    both.index = json!({ "manifests": [two_in_one] });
    assert!(refused(&both.oci()).contains("two things at once"));
    let mut twice = made();
    let manifest = twice.manifest();
    twice.config["os"] = json!("other");
    let second = twice.manifest();
    twice.index = json!({ "manifests": [manifest, second] });
    assert!(refused(&twice.oci()).contains("several images"));
    assert!(refused(&tar(&[("index.json", b"{}"), ("index.json", b"{}")])).contains("two files at one path"));
    assert!(refused(&tar(&[("../index.json", b"{}")])).contains("leads out"));
    // What builders say beside it is no second image, and others' platforms need not be there.
    let mut beside = made();
    let manifest = beside.manifest();
    let mut built = beside.blob(json!({ "config": beside.blob(b"{}"), "layers": [] }).to_string().as_bytes());
    built["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    let absent =
        json!({ "digest": digest(b"absent"), "size": 6, "platform": { "os": "linux", "architecture": "arm64" } });
    beside.index = json!({ "manifests": [manifest, built, absent] });
    assert_eq!(examined(&beside.oci()).image.unwrap().layers, 1);
}

#[test]
fn images_that_are_none_are_refused_and_told_why() {
    for (files, why) in [
        (&[("a", "b")][..], "neither an index.json nor a manifest.json"),
        (&[("index.json", "{")], "is none"),
        (&[("index.json", "{}")], "lists nothing"),
        (&[("index.json", r#"{ "manifests": [] }"#)], "no image"),
        (&[("index.json", r#"{ "manifests": [{ "digest": "md5:1", "size": 1 }] }"#)], "not SHA-256"),
        (&[("manifest.json", "{}")], "is not Docker's"),
        (&[("manifest.json", "[]")], "no image"),
        (&[("manifest.json", r#"[{ "Config": "a.json", "Layers": [] }]"#)], "lacks its configuration"),
    ] {
        assert!(refused(&layer(files)).contains(why), "{files:?}: {}", refused(&layer(files)));
    }
    let damaged = Made::of(&[layer(&[DEBIAN])]).with_layer_as(&[&zstd::MAGIC[..], b"x"].concat());
    assert!(refused(&damaged).contains("damaged"), "{}", refused(&damaged));
}

#[test]
fn a_layer_may_be_packed_with_zstd() {
    let layer = layer(&[DEBIAN, ("var/lib/dpkg/status", STATUS)]);
    let packed = ruzstd::encoding::compress_to_vec(layer.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
    let found = examined(&Made::of(&[layer]).with_layer_as(&packed));
    assert_eq!(purls(&found).len(), 2, "{:?}", purls(&found));
}

#[test]
fn images_beyond_their_limits_are_refused_before_they_take_memory_or_time() {
    let bomb = Made::of(&[tar(&[("a", &vec![0; 3 << 20])])]).oci();
    assert!(bomb.len() < 1 << 16);
    assert_eq!(open(bomb.as_slice(), SMALL).err(), Some(ArchiveError::Bomb(SMALL.bytes)));
    let many: Vec<_> = (0..250).map(|number| format!("f{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    assert!(refused(&Made::of(&[layer(&many)]).oci()).contains("more than 200 files"));
    let gone: Vec<_> = (0..100).map(|number| format!(".wh.f{number}")).collect();
    let gone: Vec<(&str, &str)> = gone.iter().map(|name| (name.as_str(), "")).collect();
    assert!(refused(&Made::of(&[layer(&gone)]).oci()).contains("more than 60 files"));
    // An index that leads to itself, many times over and again.
    let mut wide = Made::of(&[]);
    let inner =
        wide.blob(json!({ "manifests": vec![wide.blob(br#"{ "manifests": [] }"#); 50] }).to_string().as_bytes());
    wide.index = json!({ "manifests": vec![inner; 50] });
    assert_eq!(
        open(wide.oci().as_slice(), SMALL).err(),
        Some(ArchiveError::TooMany(model::limits::IMAGE_MANIFESTS_MAX))
    );
    let out = examined(&Made::of(&[layer(&[("../../etc/cron.d/x", "x"), ("a/../../b", "x")])]).oci());
    assert_eq!(rules(&out).iter().filter(|rule| **rule == "leads-out").count(), 2);
}

#[test]
fn damaged_images_are_refused_and_nothing_else() {
    let image = Made::of(&[layer(&[DEBIAN, ("var/lib/dpkg/status", STATUS)])]).oci();
    for length in (0..image.len()).step_by(97) {
        let _told = open(&image[..length], SMALL);
    }
    for place in (0..image.len()).step_by(7) {
        let mut changed = image.clone();
        changed[place] ^= 0x41;
        let _told = open(changed.as_slice(), SMALL);
    }
}
