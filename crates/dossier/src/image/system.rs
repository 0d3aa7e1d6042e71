//! Which system is in an image, and which packages it is made of: the lists of `dpkg`, `apk` and RPM.

use std::collections::{BTreeMap, BTreeSet};

use super::layer::Kept;
use super::rpm;
use crate::components::{Ecosystem, Found, Release, SourcePackage};

const RELEASES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];
const DPKG: &str = "var/lib/dpkg/status";
/// Where images without `dpkg` itself have a list for each package.
const DPKG_EACH: &str = "var/lib/dpkg/status.d/";
/// Which files each package of `dpkg` has.
const DPKG_FILES: &str = "var/lib/dpkg/info/";
const APK: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];
/// RPM's database, and what was written and has not come into it yet.
const RPM: [&str; 2] = ["var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite"];
const RPM_AHEAD: [&str; 2] = ["var/lib/rpm/rpmdb.sqlite-wal", "usr/lib/sysimage/rpm/rpmdb.sqlite-wal"];
/// The same in RPM's own form, as SUSE has it.
const RPM_OWN: [&str; 2] = ["var/lib/rpm/Packages.db", "usr/lib/sysimage/rpm/Packages.db"];
/// A list that is there and is not read: a database of a kind that RPM has given up.
const RPM_OTHER: &str = "var/lib/rpm/Packages";
/// Where newer systems have RPM's lists, to which a link leads from where they were, as those write it.
const RPM_MOVED: (&str, [&str; 2]) = ("var/lib/rpm", ["../../usr/lib/sysimage/rpm", "/usr/lib/sysimage/rpm"]);

type Files<'a> = BTreeMap<&'a str, &'a Kept>;

/// Whether the list of packages, or what says which system it is, lies there.
pub(super) fn is_list(path: &str) -> bool {
    let is_of_dpkg = path.strip_prefix(DPKG_EACH).is_some_and(|name| !name.ends_with(".md5sums"));
    let is_of_files = path.strip_prefix(DPKG_FILES).is_some_and(|name| name.ends_with(".list"));
    path == DPKG
        || is_of_dpkg
        || is_of_files
        || [&RELEASES[..], &APK, &RPM, &RPM_AHEAD, &RPM_OWN, &[RPM_OTHER]].concat().contains(&path)
}

/// Whether a folder on the way to a list lies there: in the place of it is no link. `lib` is one to `usr/lib` with many.
pub(super) fn leads_to_list(path: &str) -> bool {
    let to = |list: &&str| is_below(list, path);
    path != "lib" && [&[DPKG, DPKG_EACH][..], &APK, &RPM, &RPM_OWN].concat().iter().any(to)
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a link leads from one place of a list to the other, where it is read.
pub(super) fn is_other_place(path: &str, to: &str) -> bool {
    let (from, places) = RPM_MOVED;
    path == from && places.contains(&to)
}

/// What is kept of a list: of the files that a package has, only those that say what is installed.
pub(super) fn shortened(path: &str, content: Vec<u8>) -> Vec<u8> {
    if !path.starts_with(DPKG_FILES) {
        return content;
    }
    let text = String::from_utf8_lossy(&content);
    let says = |line: &&str| line.rsplit_once('/').is_some_and(|(_, name)| says_what_is_installed(name));
    text.lines().filter(says).collect::<Vec<_>>().join("\n").into_bytes()
}

/// Whether a file of this name says which package of Python's or npm's lies beside it.
pub(super) fn says_what_is_installed(name: &str) -> bool {
    matches!(name, "METADATA" | "package.json")
}

/// What is known of the system.
pub(super) struct System {
    /// What it calls itself.
    pub(super) name: Option<String>,
    /// Files of its packages that say what else is installed: those packages are the system's own, with its versions.
    pub(super) owned: BTreeSet<String>,
}

/// Reads which system it is, and the packages that it lists.
pub(super) fn read(files: &Files<'_>, found: &mut Found, unread: &mut Vec<String>) -> System {
    let release = RELEASES.iter().find_map(|path| text(files, path, unread)).unwrap_or_default();
    let said = |key: &str| {
        let line = release.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty())
    };
    let number = said("VERSION_ID").and_then(|number| Release::read(&number));
    let (id, name) = (said("ID"), said("PRETTY_NAME"));
    let ecosystem = match id.as_deref() {
        Some("debian") => number.map(Ecosystem::Debian),
        Some("ubuntu") => number.map(Ecosystem::Ubuntu),
        Some("alpine") => number.map(Ecosystem::Alpine),
        Some("wolfi") => Some(Ecosystem::Wolfi),
        Some("chainguard") => Some(Ecosystem::Chainguard),
        Some("rhel") => number.map(Release::major_only).map(Ecosystem::RedHat),
        Some("rocky") => number.map(Release::major_only).map(Ecosystem::Rocky),
        Some("opensuse-leap") => number.map(Ecosystem::Leap),
        Some("opensuse-tumbleweed") => Some(Ecosystem::Tumbleweed),
        Some("sles" | "sled" | "sles_sap" | "sle_hpc") => number.map(Ecosystem::Suse),
        Some("almalinux") => number.map(Release::major_only).map(Ecosystem::Alma),
        Some(_) | None => None,
    };
    let mut system = System { name: name.or(id), owned: BTreeSet::new() };
    let is_of_rpm = |path: &&&str| RPM.contains(*path) || RPM_OWN.contains(*path);
    let lists = |path: &&&str| **path == DPKG || path.starts_with(DPKG_EACH) || APK.contains(*path) || is_of_rpm(path);
    let mut listed = false;
    for path in files.keys().filter(lists) {
        let Some(content) = content(files, path, unread) else { continue };
        listed = true;
        let list = if is_of_rpm(&path) {
            let packages = if RPM.contains(path) { rpm::packages } else { rpm::packages_of_own };
            packages(content, &mut system.owned).unwrap_or_else(|why| {
                unread.push(format!("`{path}` cannot be read: {why}"));
                Vec::new()
            })
        } else if APK.contains(path) {
            apk(&String::from_utf8_lossy(content), &mut system.owned)
        } else {
            dpkg(&String::from_utf8_lossy(content))
        };
        // Advisories are about releases: without one there is nothing to compare with.
        for Installed { name, version, source } in ecosystem.is_some().then_some(list).into_iter().flatten() {
            if let Some(ecosystem) = ecosystem {
                found.installed(ecosystem, &name, &version, path, source);
            }
        }
    }
    if listed && ecosystem.is_none() {
        let name = system.name.as_deref().unwrap_or("a system that does not say which it is");
        unread.push(format!("its packages are those of {name}, of which no advisories are known"));
    }
    if files.contains_key(RPM_OTHER) {
        unread.push(format!("`{RPM_OTHER}` is RPM's in a form that is not read"));
    }
    let holds = |path: &&&str| files.get(**path).and_then(|kept| kept.file()).is_some_and(|file| file.bytes > 0);
    let ahead = RPM_AHEAD.iter().filter(holds);
    unread.extend(ahead.map(|path| format!("`{path}` holds changes to RPM's database, and is not read")));
    let links = files.iter().filter(|(path, kept)| match kept {
        Kept::File(_) => false,
        // Which of the two is there, those who unpack layers do not agree on.
        Kept::OtherPlace => files.keys().any(|other| is_below(other, path)),
        Kept::NoFile => lists(path) || leads_to_list(path),
    });
    unread.extend(links.map(|(path, _)| format!("`{path}` leads elsewhere, and is not followed")));
    let of_dpkg = files.keys().filter(|path| path.starts_with(DPKG_FILES));
    for path in of_dpkg {
        let text = text(files, path, unread).unwrap_or_default();
        system.owned.extend(text.lines().map(|line| line.trim_start_matches('/').to_owned()));
    }
    system
}

fn text(files: &Files<'_>, path: &str, unread: &mut Vec<String>) -> Option<String> {
    content(files, path, unread).map(|content| String::from_utf8_lossy(content).into_owned())
}

fn content<'a>(files: &Files<'a>, path: &str, unread: &mut Vec<String>) -> Option<&'a [u8]> {
    let file = files.get(path)?.file()?;
    if file.content.is_none() {
        unread.push(format!("`{path}` is too large to be read"));
    }
    file.content.as_deref()
}

/// A package that a list names.
pub(super) struct Installed {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: Option<SourcePackage>,
}

/// `Key: value`, a paragraph for each package. What was taken away and left its settings behind is no package.
fn dpkg(text: &str) -> Vec<Installed> {
    let mut list = Vec::new();
    for paragraph in text.replace("\r\n", "\n").split("\n\n") {
        let said = |key: &str| {
            let fits = |line: &str| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(key).then(|| value.trim().to_owned())
            };
            paragraph.lines().find_map(fits)
        };
        let is_there = said("Status").is_none_or(|status| status.ends_with(" installed"));
        let Some((name, version)) = said("Package").zip(said("Version")).filter(|_| is_there) else { continue };
        // `Source: openssl (3.0.11-1)`, with the version where it is another.
        let source = said("Source").map(|source| match source.split_once(" (") {
            Some((name, version)) => {
                SourcePackage { name: name.trim().to_owned(), version: version.trim_end_matches(')').trim().to_owned() }
            }
            None => SourcePackage { name: source, version: version.clone() },
        });
        list.push(Installed { name, version, source });
    }
    list
}

/// `P:name`, `V:version`, `o:origin`, and the folders (`F:`) and files (`R:`) of each; a paragraph for each package.
fn apk(text: &str, owned: &mut BTreeSet<String>) -> Vec<Installed> {
    let mut list = Vec::new();
    for paragraph in text.split("\n\n") {
        let said = |key: &str| paragraph.lines().find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned()));
        let mut folder = "";
        for line in paragraph.lines() {
            if let Some(path) = line.strip_prefix("F:") {
                folder = path;
            } else if let Some(name) = line.strip_prefix("R:").filter(|name| says_what_is_installed(name)) {
                owned.insert(format!("{folder}/{name}"));
            }
        }
        let Some((name, version)) = said("P:").zip(said("V:")) else { continue };
        let source = said("o:").filter(|origin| *origin != name);
        let source = source.map(|name| SourcePackage { name, version: version.clone() });
        list.push(Installed { name, version, source });
    }
    list
}
