//! Which layers make the image: from its index over its manifest and its configuration to them, with every digest verified.

use std::collections::BTreeMap;

use model::limits;
use serde::Deserialize;

use super::archive::{Archive, Blob, What};
use super::layer::Layer;
use crate::archive::ArchiveError;

/// Indexes inside one another.
const DEPTH_MAX: usize = 3;

/// What a descriptor says of a file.
#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    size: u64,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
}

/// A manifest, or an index of several. What is both is read as one by some and as the other by others.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
}

/// An image, as `docker save` lists it.
#[derive(Deserialize)]
pub(crate) struct Saved {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags", default)]
    tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Vec<String>,
}

/// An image's configuration.
#[derive(Deserialize)]
pub(crate) struct Config {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    config: Option<Run>,
    rootfs: RootFs,
}

#[derive(Deserialize, Default)]
struct Run {
    #[serde(rename = "User", default)]
    user: Option<String>,
    #[serde(rename = "Env", default)]
    environment: Option<Vec<String>>,
    #[serde(rename = "Entrypoint", default)]
    entry: Option<Vec<String>>,
    #[serde(rename = "Cmd", default)]
    command: Option<Vec<String>>,
    #[serde(rename = "Labels", default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

impl Config {
    fn run(&self) -> Option<&Run> {
        self.config.as_ref()
    }

    pub(super) fn label(&self, name: &str) -> Option<String> {
        self.run()?.labels.as_ref()?.get(name).filter(|text| !text.is_empty()).map(|text| short(text))
    }

    pub(super) fn platform(&self) -> String {
        short(&format!("{}/{}", self.os, self.architecture))
    }

    pub(super) fn user(&self) -> String {
        let user = self.run().and_then(|run| run.user.as_deref()).unwrap_or_default();
        if user.is_empty() { "root".to_owned() } else { short(user) }
    }

    /// The command that it starts with.
    pub(super) fn command(&self) -> Vec<String> {
        let words =
            |run: &Run| [&run.entry, &run.command].into_iter().flatten().flatten().map(|one| short(one)).collect();
        self.run().map(words).unwrap_or_default()
    }

    /// Its environment: names and values.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        let list = self.run().and_then(|run| run.environment.as_ref());
        list.into_iter().flatten().filter_map(|line| line.split_once('='))
    }
}

fn short(text: &str) -> String {
    text.chars().take(limits::SOURCE_EXCERPT_CHARS_MAX).collect()
}

/// The image in an archive.
pub(super) struct Chosen<'a> {
    pub(super) config: Config,
    pub(super) manifest: Option<String>,
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    /// The lowest first.
    pub(super) layers: Vec<&'a Layer>,
}

/// Finds the one image in an archive.
pub(super) fn chosen(archive: &Archive) -> Result<Chosen<'_>, ArchiveError> {
    let saved = archive.text("manifest.json").map(|text| {
        let all: Vec<Saved> =
            serde_json::from_slice(text).map_err(|_| malformed("its manifest.json is not Docker's"))?;
        one(all)
    });
    let saved = saved.transpose()?;
    let Some(index) = archive.text("index.json") else {
        return of_docker(archive, &saved.ok_or(malformed("it has neither an index.json nor a manifest.json"))?);
    };
    let mut found = Vec::new();
    listed(archive, index, None, DEPTH_MAX, &mut limits::IMAGE_MANIFESTS_MAX.clone(), &mut found)?;
    let Found { manifest, digest, name } = one(found)?;
    let (Some(config), Some(layers)) = (manifest.config, manifest.layers) else {
        return Err(malformed("its manifest names no configuration or no layers"));
    };
    // Some go by one list and some by the other: both have to be of one image.
    if saved.as_ref().is_some_and(|saved| archive.at(&saved.config).is_none_or(|blob| blob.digest != config.digest)) {
        return Err(malformed("its index.json and its manifest.json name different images"));
    }
    let layers = layers
        .iter()
        .map(|one| blob(archive, one)?.ok_or(malformed("it lacks a layer")))
        .collect::<Result<Vec<_>, _>>()?;
    let blob = blob(archive, &config)?.ok_or(malformed("it lacks its configuration"))?;
    let tag = saved.and_then(|saved| saved.tags?.into_iter().next());
    put_together(blob, &layers, Some(digest), tag.or(name))
}

/// An archive of Docker's that is of no OCI layout: its configuration is known by its name, and vouches for the layers.
fn of_docker<'a>(archive: &'a Archive, saved: &Saved) -> Result<Chosen<'a>, ArchiveError> {
    let blob = archive.at(&saved.config).ok_or(malformed("it lacks its configuration"))?;
    let named = saved.config.strip_suffix(".json").unwrap_or(&saved.config);
    let named = named.rsplit('/').next().unwrap_or(named);
    if blob.digest.strip_prefix("sha256:") != Some(named) {
        return Err(malformed("its configuration has not the digest that it is named by"));
    }
    let layers = saved
        .layers
        .iter()
        .map(|path| archive.at(path).ok_or(malformed("it lacks a layer")))
        .collect::<Result<Vec<_>, _>>()?;
    let tag = saved.tags.as_ref().and_then(|tags| tags.first().cloned());
    put_together(blob, &layers, None, tag)
}

fn put_together<'a>(
    blob: &Blob,
    layers: &[&'a Blob],
    manifest: Option<String>,
    tag: Option<String>,
) -> Result<Chosen<'a>, ArchiveError> {
    let What::Text(text) = &blob.what else { return Err(malformed("its configuration is none")) };
    let config: Config = serde_json::from_slice(text).map_err(|_| malformed("its configuration is none"))?;
    if layers.len() > limits::IMAGE_LAYERS_MAX {
        return Err(ArchiveError::TooMany(limits::IMAGE_LAYERS_MAX));
    }
    let mut read = Vec::new();
    for blob in layers {
        match &blob.what {
            What::Layer(layer) => read.push(&**layer),
            What::Unread(why) => return Err(malformed(why)),
            What::Text(_) => return Err(malformed("a layer is no tar")),
        }
    }
    if !read.iter().map(|layer| layer.digest.as_str()).eq(config.rootfs.diff_ids.iter().map(String::as_str)) {
        return Err(malformed("its layers are not those of its configuration"));
    }
    let (name, version) = match tag.map(|tag| short(&tag)) {
        // A port is no tag; and some give nothing but the tag.
        Some(tag) => match tag.rsplit_once(':').filter(|(_, version)| !version.contains('/')) {
            Some((name, version)) => (Some(name.to_owned()), Some(version.to_owned())),
            None if tag.contains('/') => (Some(tag), None),
            None => (None, Some(tag)),
        },
        None => (None, None),
    };
    Ok(Chosen { config, manifest, id: blob.digest.clone(), name, version, layers: read })
}

/// A manifest that an index leads to.
struct Found {
    manifest: Manifest,
    digest: String,
    name: Option<String>,
}

/// The manifests that an index leads to and that are there. Those for other platforms often are not.
fn listed(
    archive: &Archive,
    index: &[u8],
    name: Option<&str>,
    depth: usize,
    left: &mut usize,
    found: &mut Vec<Found>,
) -> Result<(), ArchiveError> {
    let read = |text: &[u8]| {
        serde_json::from_slice::<Manifest>(text).map_err(|_| malformed("an index or a manifest of it is none"))
    };
    let Some(descriptors) = read(index)?.manifests else { return Err(malformed("its index lists nothing")) };
    for descriptor in &descriptors {
        *left = left.checked_sub(1).ok_or(ArchiveError::TooMany(limits::IMAGE_MANIFESTS_MAX))?;
        // What builders say of the build lies beside the image, for a platform that nobody has.
        if descriptor.platform.as_ref().is_some_and(|one| one.os == "unknown" && one.architecture == "unknown") {
            continue;
        }
        let Some(there) = blob(archive, descriptor)? else { continue };
        let What::Text(text) = &there.what else { return Err(malformed("a manifest is none")) };
        let manifest = read(text)?;
        let said = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];
        let own = said.iter().find_map(|key| descriptor.annotations.get(*key)).map(String::as_str).or(name);
        match (&manifest.manifests, &manifest.layers) {
            (Some(_), None) if depth > 0 => listed(archive, text, own, depth - 1, left, found)?,
            (None, Some(_)) => {
                found.push(Found { manifest, digest: descriptor.digest.clone(), name: own.map(str::to_owned) });
            }
            _ => return Err(malformed("what its index leads to is no manifest, or two things at once")),
        }
    }
    Ok(())
}

/// The file that a descriptor names, if it is there; it has to be what the descriptor says.
fn blob<'a>(archive: &'a Archive, descriptor: &Descriptor) -> Result<Option<&'a Blob>, ArchiveError> {
    let Some(digits) = descriptor.digest.strip_prefix("sha256:") else {
        return Err(malformed("a digest in it is not SHA-256"));
    };
    let Some(blob) = archive.at(&format!("blobs/sha256/{digits}")) else { return Ok(None) };
    if blob.digest != descriptor.digest || blob.bytes != descriptor.size {
        return Err(malformed("a file in it has not the digest or the size that is said of it"));
    }
    Ok(Some(blob))
}

fn one<T>(all: Vec<T>) -> Result<T, ArchiveError> {
    let mut all = all.into_iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(malformed("no image is in it")),
        (Some(_), Some(_)) => Err(malformed("several images are in it: give one, for one platform")),
    }
}

fn malformed(why: &'static str) -> ArchiveError {
    ArchiveError::Malformed(why)
}
