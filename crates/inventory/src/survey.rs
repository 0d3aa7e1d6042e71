//! Reading the settings of every client on a host.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use model::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::entry::{entry, shown_path};
use crate::places::{Form, Scope, Spot, Surroundings, project_spots, spots};
use crate::{Client, Entry, Files, read};

/// What a host's clients connect to, for others to see. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The host's name.
    pub host: String,
    /// Whose settings they are.
    pub user: String,
    /// `linux`, `macos` or `windows`.
    pub system: String,
    /// How many files were read.
    pub files: usize,
    /// The servers in them.
    pub entries: Vec<Entry>,
    /// Files that are there and could not be understood: what they say is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

/// A file that is there and could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unreadable {
    /// The client that reads it.
    pub client: Client,
    /// The file.
    pub file: String,
    /// Why, without what it says.
    pub why: String,
}

/// What was found on this host, with what is needed to change it.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// The servers in them.
    pub found: Vec<Found>,
    /// Files that are there and could not be understood.
    pub unreadable: Vec<Unreadable>,
}

/// A server, and where it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it says.
    pub entry: Entry,
    /// The file.
    pub spot: Spot,
    /// What the file has there, with secrets masked.
    pub shown: Value,
}

impl Survey {
    /// The report of it.
    pub fn report(&self, host: &str, user: &str, system: &str) -> Report {
        Report {
            host: host.to_owned(),
            user: user.to_owned(),
            system: system.to_owned(),
            files: self.files.len(),
            entries: self.found.iter().map(|found| found.entry.clone()).collect(),
            unreadable: self.unreadable.clone(),
        }
    }
}

/// Reads everything that a client would read for this user and in these folders, and in those that clients have noted.
///
/// At most [`limits::INVENTORY_PROJECTS_MAX`] folders and [`limits::INVENTORY_ENTRIES_MAX`] servers: what is beyond is
/// told as unreadable, never silently left out.
pub fn survey(around: &Surroundings<'_>, projects: &[PathBuf], files: &dyn Files) -> Survey {
    let own = spots(around, files);
    let noted = noted(around, &own, files);
    let folders: BTreeSet<PathBuf> = projects.iter().cloned().chain(noted).collect();
    let mut survey = Survey { files: Vec::new(), found: Vec::new(), unreadable: Vec::new() };
    let too_many = folders.len().saturating_sub(limits::INVENTORY_PROJECTS_MAX);
    let folders = folders.iter().take(limits::INVENTORY_PROJECTS_MAX);
    let mut seen = HashSet::new();
    for spot in own.into_iter().chain(folders.flat_map(|folder| project_spots(folder, files))) {
        // A home may be a project's folder too; then it is the user's.
        if seen.insert((spot.path.clone(), spot.form == Form::Projects)) {
            survey.add(&spot, files);
        }
    }
    if too_many > 0 {
        let why = format!("{too_many} more folders with projects were not looked into");
        survey.unreadable.push(Unreadable { client: Client::ClaudeCode, file: String::new(), why });
    }
    survey
}

impl Survey {
    fn add(&mut self, spot: &Spot, files: &dyn Files) {
        let Some(text) = files.read(&spot.path) else { return };
        let said = text.and_then(|text| read::entries(spot.form, &text));
        if self.files.last() != Some(&spot.path) && !self.files.contains(&spot.path) {
            self.files.push(spot.path.clone());
        }
        let unreadable = |why| Unreadable { client: spot.client, file: shown_path(&spot.path), why };
        let said = match said {
            Ok(said) => said,
            // The second look at one file has the same mistake.
            Err(_) if spot.form == Form::Projects => return,
            Err(why) => {
                self.unreadable.push(unreadable(why));
                return;
            }
        };
        let room = limits::INVENTORY_ENTRIES_MAX.saturating_sub(self.found.len());
        if said.len() > room {
            self.unreadable.push(unreadable(format!("{} of its servers are too many", said.len() - room)));
        }
        for one in said.into_iter().take(room) {
            let (entry, shown) = entry(spot, one.project.as_deref(), &one.name, &one.value);
            self.found.push(Found { entry, spot: spot.clone(), shown });
        }
    }
}

/// Folders that clients have worked in and noted.
fn noted(around: &Surroundings<'_>, own: &[Spot], files: &dyn Files) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let notes =
        own.iter().filter(|spot| spot.scope != Scope::Machine && matches!(spot.form, Form::Projects | Form::Toml));
    for spot in notes {
        if let Some(Ok(text)) = files.read(&spot.path) {
            folders.extend(read::projects(spot.form, &text).into_iter().map(PathBuf::from));
        }
    }
    for workspace in crate::places::workspaces(around, files) {
        if let Some(Ok(text)) = files.read(&workspace) {
            folders.extend(read::workspace(&text).map(PathBuf::from));
        }
    }
    folders.retain(|folder: &PathBuf| Path::is_absolute(folder));
    folders
}

#[cfg(test)]
mod tests;
