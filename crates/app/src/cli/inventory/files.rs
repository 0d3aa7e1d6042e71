//! The files of this host, each look at them bounded.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use inventory::Files;
use model::limits;

use crate::cli::failure::Failure;
use crate::connect::install::file::Found;

/// Files and folders by which a folder is told for a project that some client has settings in.
const MARKS: &[&str] =
    &[".mcp.json", ".cursor", ".vscode", ".gemini", ".codex", ".zed", ".ai", ".junie", ".idea", ".continue"];
/// Folders in which nobody keeps projects of their own.
const NOT_ENTERED: &[&str] = &["node_modules", "target", "venv", "vendor", "__pycache__", "site-packages"];

/// This host's own.
pub(super) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Option<Result<String, String>> {
        match Found::read(path) {
            Ok(found) if found.exists() => Some(Ok(found.text().to_owned())),
            Ok(_) => None,
            Err(error) => Some(Err(Failure::of(&error).to_string())),
        }
    }

    fn list(&self, folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().take(limits::INVENTORY_LISTED_MAX);
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    }
}

/// The folders below one, itself included, that some client has settings in. Links are not followed.
pub(super) fn projects(under: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = VecDeque::from_iter(std::path::absolute(under).ok().map(|folder| (folder, 0)));
    let mut seen = 0;
    while let Some((folder, depth)) = waiting.pop_front() {
        seen += 1;
        if seen > limits::INVENTORY_FOLDERS_MAX {
            break;
        }
        if MARKS.iter().any(|mark| folder.join(mark).exists()) {
            found.push(folder.clone());
        }
        if depth < limits::INVENTORY_DEPTH_MAX {
            let inner = Disk.list(&folder).into_iter().filter(|path| is_entered(path));
            waiting.extend(inner.map(|path| (path, depth + 1)));
        }
    }
    found
}

fn is_entered(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(".");
    let own = !name.starts_with('.') && !NOT_ENTERED.contains(&name);
    own && fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// This host's name.
pub(super) fn host() -> Option<String> {
    let told = ["/proc/sys/kernel/hostname", "/etc/hostname"].iter().find_map(|file| fs::read_to_string(file).ok());
    let named = || ["HOSTNAME", "COMPUTERNAME"].iter().find_map(|name| std::env::var(name).ok());
    told.or_else(named).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The name of whoever runs this.
pub(super) fn user() -> Option<String> {
    let names = ["USER", "USERNAME", "LOGNAME"];
    names.iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
}
