//! One layer of an image: what it adds that is read later, and what it takes away from those below.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::archive::{Counted, Digested, Left};
use super::system;
use crate::archive::tar::{self, Entry, Kind};
use crate::archive::{ArchiveError, File, Oddity, inside};
use crate::components;
use crate::source::Language;

/// What a file's name begins with that says that another is gone.
const GONE: &str = ".wh.";
/// The name of a file that says that all is gone which layers below have in its folder.
const EMPTIED: &str = ".wh..wh..opq";
/// Where files of others lie, of which only what they are is read, and not what their source does.
const OF_OTHERS: [&str; 6] = ["usr/lib/", "usr/share/", "usr/local/lib/", "lib/", "usr/local/share/", "var/lib/"];

/// What is kept of what lies at a path.
pub(super) enum Kept {
    File(File),
    /// A link from one of the places where a system may have its list to the other, which is read.
    OtherPlace,
    /// What is no file where one would be: a link to anywhere else, or a device.
    NoFile,
}

impl Kept {
    fn no_file(path: &str, kind: &Kind) -> Self {
        match kind {
            Kind::Link(to) if system::is_other_place(path, to) => Self::OtherPlace,
            Kind::Link(_) | Kind::Other | Kind::File | Kind::Folder => Self::NoFile,
        }
    }

    /// The file that it is.
    pub(super) fn file(&self) -> Option<&File> {
        match self {
            Self::File(file) => Some(file),
            Self::OtherPlace | Self::NoFile => None,
        }
    }
}

/// A layer, as far as it is kept.
pub(super) struct Layer {
    /// The digest of the layer as it is unpacked.
    pub(super) digest: String,
    /// Files that are read later, and what is in the place of one.
    files: BTreeMap<String, Kept>,
    /// What is gone of the layers below.
    gone: Vec<String>,
    /// Folders in which nothing is left of the layers below.
    emptied: Vec<String>,
    /// What an honest layer would not have.
    pub(super) oddities: Vec<Oddity>,
}

impl Layer {
    /// Reads a layer to its end, and counts its files.
    pub(super) fn read(source: impl Read, left: &Left, files: &mut usize) -> Result<Self, ArchiveError> {
        let mut source = Digested::new(Counted { source, left });
        let blank = || (BTreeMap::new(), Vec::new(), Vec::new());
        let ((kept, gone, emptied), oddities) = (blank(), Vec::new());
        let mut layer = Self { digest: String::new(), files: kept, gone, emptied, oddities };
        tar::each(&mut source, &mut |entry| {
            let Some(entry) = entry else { return left.entry() };
            *files += usize::from(matches!(entry.kind, Kind::File));
            layer.take(entry, left)
        })?;
        let damaged = |_| ArchiveError::Malformed("a layer is damaged or ends early");
        io::copy(&mut source, &mut io::sink()).map_err(damaged)?;
        layer.digest = source.done().0;
        Ok(layer)
    }

    fn take(&mut self, Entry { path, kind, content }: Entry<'_>, left: &Left) -> Result<(), ArchiveError> {
        // Whoever unpacks a layer takes its paths from the image's root, whether they begin with `/` or not.
        let Some(clean) = inside(path.trim_start_matches('/')) else {
            if path.split('/').any(|part| part == "..") && self.oddities.len() < model::limits::PACKAGE_ODDITIES_MAX {
                self.oddities.push(Oddity::Outside(path));
            }
            return Ok(());
        };
        let (folder, name) = clean.rsplit_once('/').unwrap_or(("", &clean));
        if name == EMPTIED {
            left.file()?;
            self.emptied.push(folder.to_owned());
        } else if let Some(name) = name.strip_prefix(GONE) {
            left.file()?;
            self.gone.push(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") });
        } else if let Some(most) = bytes_read(&clean, left) {
            match kind {
                Kind::File => {
                    left.file()?;
                    let (bytes, content) = left.drained(content, most)?;
                    let content = content.map(|content| system::shortened(&clean, content));
                    self.files.insert(clean, Kept::File(File { bytes, content }));
                }
                Kind::Link(_) | Kind::Other => {
                    left.file()?;
                    self.files.insert(clean, Kept::NoFile);
                }
                Kind::Folder => {}
            }
        } else if system::leads_to_list(&clean) && !matches!(kind, Kind::Folder) {
            left.file()?;
            let kept = Kept::no_file(&clean, &kind);
            self.files.insert(clean, kept);
        }
        Ok(())
    }

    /// Lays it on those below.
    pub(super) fn lay_on<'a>(&'a self, below: &mut BTreeMap<&'a str, &'a Kept>) {
        for folder in &self.emptied {
            take_away(below, folder);
        }
        for path in &self.gone {
            below.remove(path.as_str());
            take_away(below, path);
        }
        for (path, file) in &self.files {
            below.insert(path, file);
        }
    }
}

/// Takes away what lies in a folder.
fn take_away(below: &mut BTreeMap<&str, &Kept>, folder: &str) {
    let within = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let from = (std::ops::Bound::Included(within.as_str()), std::ops::Bound::Unbounded);
    let all: Vec<&str> =
        below.range::<str, _>(from).map(|(path, _)| *path).take_while(|path| path.starts_with(&within)).collect();
    for path in all {
        below.remove(path);
    }
}

/// How much of a file is read later, if it is.
fn bytes_read(path: &str, left: &Left) -> Option<u64> {
    if system::is_list(path) {
        return Some(left.limits.list);
    }
    let is_of_others = || OF_OTHERS.iter().any(|folder| path.starts_with(folder)) || is_installed(path);
    let is_source = || Language::of(path).is_some() && !is_of_others();
    (components::is_brought_along(path) || is_source()).then_some(left.limits.file)
}

fn is_installed(path: &str) -> bool {
    ["node_modules/", "site-packages/", "dist-packages/"].iter().any(|folder| path.contains(folder))
}
