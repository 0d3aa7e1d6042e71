//! The files that `apply` takes: what a folder of them holds, sent as it is and read by the gate.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use model::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One file: its name within the folder, and its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The name, with its folder: `servers/crm.toml`. Messages name it.
    pub file: String,
    /// The text.
    pub text: String,
}

/// The files of each kind. A kind that is there is wanted exactly so: what it does not list is removed. A kind that is
/// not there is left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifests {
    /// `zones/NAME.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zones: Option<Vec<File>>,
    /// `servers/NAME.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers: Option<Vec<File>>,
    /// `endpoints/NAME.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Vec<File>>,
    /// `agents/NAME.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<Vec<File>>,
    /// `policies/NAME.cedar`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<File>>,
}

/// Why a folder cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or a folder could not be read.
    #[error("cannot read `{path}`", path = .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Something that is no manifest and no policy.
    #[error("`{path}` does not belong here: {expected}", path = .path.display())]
    Stranger {
        /// What.
        path: PathBuf,
        /// What may stand there.
        expected: &'static str,
    },
    /// There is nothing to apply.
    #[error("`{path}` holds none of the folders zones, servers, endpoints, agents and policies", path = .path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// There is more than one request may carry.
    #[error("`{path}` holds more than {} bytes or {} files", limits::ADMIN_BODY_BYTES_MAX, limits::MANIFESTS_MAX, path = .path.display())]
    TooMuch {
        /// The folder.
        path: PathBuf,
    },
}

impl Manifests {
    /// Reads a folder: `zones`, `servers`, `endpoints` and `agents` with `.toml` files, `policies` with `.cedar` files, and
    /// nothing else. Names that begin with a dot are passed over: editors, version control and Kubernetes leave them.
    ///
    /// # Errors
    /// When something cannot be read or does not belong there. A file that was meant to be a policy and is not read as
    /// one could be a `forbid` that is missing.
    pub fn read(folder: &Path) -> Result<Self, FolderError> {
        let mut reader = Reader { root: folder, bytes: 0, files: 0 };
        let mut manifests = Self::default();
        for (name, path) in entries(folder)? {
            let (slot, extension) = match name.as_str() {
                "zones" => (&mut manifests.zones, "toml"),
                "servers" => (&mut manifests.servers, "toml"),
                "endpoints" => (&mut manifests.endpoints, "toml"),
                "agents" => (&mut manifests.agents, "toml"),
                "policies" => (&mut manifests.policies, "cedar"),
                _ => {
                    let expected = "a folder to apply holds the folders zones, servers, endpoints, agents and policies";
                    return Err(FolderError::Stranger { path, expected });
                }
            };
            *slot = Some(reader.files(&name, &path, extension)?);
        }
        if manifests == Self::default() {
            return Err(FolderError::Empty { path: folder.to_owned() });
        }
        Ok(manifests)
    }

    /// Reads policies alone: the `.cedar` files of a folder, or of the folder `policies` in it.
    ///
    /// # Errors
    /// As [`Manifests::read`].
    pub fn read_policies(folder: &Path) -> Result<Self, FolderError> {
        let inner = folder.join("policies");
        let inner = if inner.is_dir() { inner } else { folder.to_owned() };
        let mut reader = Reader { root: folder, bytes: 0, files: 0 };
        let policies = reader.files("policies", &inner, "cedar")?;
        Ok(Self { policies: Some(policies), ..Self::default() })
    }
}

/// Reads files and counts them, so that a wrong folder is noticed before all of it is in memory.
struct Reader<'f> {
    root: &'f Path,
    bytes: usize,
    files: usize,
}

impl Reader<'_> {
    fn files(&mut self, kind: &str, folder: &Path, extension: &'static str) -> Result<Vec<File>, FolderError> {
        let mut files = Vec::new();
        for (name, path) in entries(folder)? {
            if !path.is_file() || path.extension().is_none_or(|found| found != extension) {
                let expected = match extension {
                    "cedar" => "policies holds only `.cedar` files",
                    _ => "zones, servers, endpoints and agents hold only `.toml` files",
                };
                return Err(FolderError::Stranger { path, expected });
            }
            let text = self.text(&path)?;
            files.push(File { file: format!("{kind}/{name}"), text });
        }
        Ok(files)
    }

    fn text(&mut self, path: &Path) -> Result<String, FolderError> {
        let failed = |source| FolderError::Read { path: path.to_owned(), source };
        let left = limits::ADMIN_BODY_BYTES_MAX.saturating_sub(self.bytes);
        let most = u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1);
        let mut text = String::new();
        fs::File::open(path).map_err(failed)?.take(most).read_to_string(&mut text).map_err(failed)?;
        self.bytes = self.bytes.saturating_add(text.len());
        self.files += 1;
        if self.bytes > limits::ADMIN_BODY_BYTES_MAX || self.files > limits::MANIFESTS_MAX {
            return Err(FolderError::TooMuch { path: self.root.to_owned() });
        }
        Ok(text)
    }
}

/// What a folder holds, by name, so that a folder always reads the same.
fn entries(folder: &Path) -> Result<BTreeMap<String, PathBuf>, FolderError> {
    let failed = |source| FolderError::Read { path: folder.to_owned(), source };
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
            return Err(FolderError::Stranger { path, expected: "names are UTF-8" });
        };
        if !name.starts_with('.') {
            found.insert(name, path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
