//! What is in a container image?
//!
//! An image is an archive of archives: its layers lie one on the other, and each can take away what those below have. It comes
//! as a tar, as `docker save` and tools for OCI layouts write it. [`archive`] reads it in one run, whatever the order, and
//! keeps of each layer only what is read later; [`manifest`] finds which layers make the image, and verifies every digest on
//! the way; [`system`] reads what the system in it was installed from. Nothing is written, no link is followed.
//!
//! The lists of packages are the image's own word. Whoever means ill leaves out of them what he likes; what they name is there.

mod archive;
mod layer;
mod manifest;
mod ndb;
mod rpm;
mod sqlite;
mod system;

use std::collections::BTreeMap;
use std::io::Read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::archive::{ArchiveError, Contents, Oddity};
use crate::components::{self, Components, Found};
use crate::metadata::{Form, Metadata};
use crate::source::Language;

use layer::Kept;

pub(crate) use archive::Limits;
pub(crate) use manifest::Config;

/// Which image it is, and how it is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The digest of its manifest, by which registries know it; none in an archive of Docker's that has only its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The digest of its configuration, and with it of all layers: what Docker calls its id.
    pub id: String,
    /// For which machines: `linux/amd64`.
    pub platform: String,
    /// The system in it, as that calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Layers.
    pub layers: usize,
    /// The command that it starts with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Whom it runs as; `root` where it does not say.
    pub user: String,
}

/// An image that was read.
pub(crate) struct Opened {
    pub(crate) image: Image,
    pub(crate) metadata: Metadata,
    /// Its own source, for those rules that read it.
    pub(crate) contents: Contents,
    pub(crate) components: Components,
    /// Files in its layers.
    pub(crate) files: usize,
    pub(crate) config: Config,
    /// What should have been read and could not be.
    pub(crate) unread: Vec<String>,
}

/// Whether an archive that was unpacked is an image.
pub(crate) fn is_one(contents: &Contents) -> bool {
    let text = |name: &str| contents.files.get(name)?.content.as_deref();
    let is_of_docker =
        || text("manifest.json").is_some_and(|text| serde_json::from_slice::<Vec<manifest::Saved>>(text).is_ok());
    contents.files.contains_key("oci-layout") || is_of_docker()
}

/// Reads an image's archive to its end.
pub(crate) fn open(source: impl Read, limits: Limits) -> Result<Opened, ArchiveError> {
    let archive = archive::read(source, limits)?;
    let chosen = manifest::chosen(&archive)?;
    let mut files: BTreeMap<&str, &Kept> = BTreeMap::new();
    let mut oddities: Vec<Oddity> = Vec::new();
    for layer in &chosen.layers {
        layer.lay_on(&mut files);
        oddities.extend(layer.oddities.iter().cloned());
    }
    oddities.truncate(model::limits::PACKAGE_ODDITIES_MAX);
    let mut found = Found::default();
    let mut unread = Vec::new();
    let system = system::read(&files, &mut found, &mut unread);
    let mut contents = Contents { oddities, bytes: archive.bytes, ..Contents::default() };
    for (path, kept) in files {
        let Some(file) = kept.file() else {
            if components::is_brought_along(path) {
                unread.push(format!("`{path}` leads elsewhere, and is not followed"));
            }
            continue;
        };
        if components::is_brought_along(path) && !system.owned.contains(path) {
            match &file.content {
                Some(content) => components::brought_along(path, &String::from_utf8_lossy(content), &mut found),
                None => unread.push(format!("`{path}` is too large to be read")),
            }
        } else if Language::of(path).is_some() {
            contents.files.insert(path.to_owned(), file.clone());
        }
    }
    let layers = chosen.layers.len();
    let manifest::Chosen { config, manifest, id, name, version, .. } = chosen;
    let label = |name: &str| config.label(&format!("org.opencontainers.image.{name}"));
    let metadata = Metadata {
        name: name.or_else(|| label("title")),
        version: version.or_else(|| label("version")),
        licence: label("licenses"),
        repository: label("source"),
        ..Metadata::blank(Form::Image)
    };
    let image = Image {
        manifest,
        id,
        platform: config.platform(),
        system: system.name,
        layers,
        command: config.command(),
        user: config.user(),
    };
    let files = archive.files;
    Ok(Opened { image, metadata, contents, components: found.done(), files, config, unread })
}

#[cfg(test)]
mod tests;
