//! The kernel's own bound on how many processes a tree has.
//!
//! The supervisor counts, and kills a tree that has too many; but it looks a few times a second, and what multiplies does
//! so in milliseconds. A control group with `pids.max` (`cgroups(7)`) refuses the next one at once. `RLIMIT_NPROC` is no
//! substitute outside of a jail: there it counts all processes of a user. Nowhere does it bind root.
//!
//! Not every gate may make control groups: root may where the hierarchy is writable, others where it was delegated to
//! them. Where none can be made, the supervisor's count is the bound.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use model::limits::{LOCAL_PROCESSES_MARGIN, LOCAL_START_MILLISECONDS_MAX};

/// Where control groups are mounted.
const MOUNTED: &str = "/sys/fs/cgroup";
/// How the names of groups begin.
const PREFIX: &str = "portcullis-";
/// A group in which nobody is at this age will have nobody: between its making and its first process lie milliseconds.
const LEFT_AFTER: Duration = Duration::from_millis(2 * LOCAL_START_MILLISECONDS_MAX);
/// By this attribute `systemd` marks what it delegates (its `CGROUP_DELEGATION.md`).
const DELEGATED: &str = "user.delegate";

/// A control group with so much room for processes. It goes when this is dropped, if nobody is left in it.
pub(crate) struct ControlGroup {
    directory: PathBuf,
}

impl ControlGroup {
    /// A group for a tree of so many processes and threads, if one can be made. The kernel's bound is a little above the
    /// limit, so that the supervisor sees the limit exceeded, and says so.
    pub(crate) fn make(processes: u64) -> Option<Self> {
        let memberships = fs::read_to_string("/proc/self/cgroup").ok()?;
        places(&memberships, Path::new(MOUNTED)).iter().find_map(|place| Self::within(place, processes))
    }

    fn within(place: &Path, processes: u64) -> Option<Self> {
        remove_left(place);
        // Supervisors in different pid namespaces may have the same number, and make groups in the same place.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let directory = place.join(format!("{PREFIX}{}-{}", std::process::id(), since.as_nanos()));
        fs::create_dir(&directory).ok()?;
        // From here on whatever fails takes the directory with it.
        let group = Self { directory };
        // A hierarchy that does not count processes has no such file, and would let nobody make one.
        let mut most = File::options().write(true).open(group.directory.join("pids.max")).ok()?;
        most.write_all((processes + LOCAL_PROCESSES_MARGIN).to_string().as_bytes()).ok()?;
        Some(group)
    }

    /// Through which a process enters: see [`enter`].
    pub(crate) fn door(&self) -> io::Result<File> {
        File::options().write(true).open(self.directory.join("cgroup.procs"))
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.directory);
    }
}

/// Moves this process into a group; what it starts is born there.
pub(crate) fn enter(mut door: &File) -> io::Result<()> {
    door.write_all(b"0")
}

/// The directories in which a group may be made, for a process that is in the groups of `memberships`
/// (`/proc/self/cgroup`).
fn places(memberships: &str, mounted: &Path) -> Vec<PathBuf> {
    let mut places = Vec::new();
    for line in memberships.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let path = path.trim_start_matches('/');
        // A path outside of what this process can see begins by going up (`cgroup_namespaces(7)`).
        if Path::new(path).components().any(|part| part == std::path::Component::ParentDir) {
            continue;
        }
        if controllers.split(',').any(|controller| controller == "pids") {
            places.push(mounted.join("pids").join(path));
        } else if controllers.is_empty() {
            let own = mounted.join(path);
            // In the second version a group with processes has no groups below that count, but for the root. What
            // was delegated has the gate in one leaf, beside which others can be.
            let delegated = own.parent().filter(|above| above.starts_with(mounted) && is_delegated(above));
            places.extend(delegated.map(Path::to_owned));
            places.push(own);
        }
    }
    places
}

fn is_delegated(directory: &Path) -> bool {
    let mut value = [0; 1];
    matches!(rustix::fs::getxattr(directory, DELEGATED, &mut value), Ok(1)) && value == *b"1"
}

/// Removes what supervisors have left that were killed themselves. Where somebody is still in it, the kernel keeps it.
fn remove_left(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let is_one = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let age = || entry.metadata().and_then(|made| made.modified()).ok()?.elapsed().ok();
        if is_one && age().is_some_and(|age| age > LEFT_AFTER) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
