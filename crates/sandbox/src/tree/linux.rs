//! Descendants by way of `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal};

use crate::{Cause, Limits};

/// Processes looked at in one round. What is beyond is found in the next, once these are dead.
const MEMBERS_MAX: usize = 65_536;

/// The descendants of a process.
pub(crate) struct Tree {
    /// Whose descendants.
    own: Pid,
    page_bytes: u64,
    /// Whether the kernel lists each process's children. If not, all processes are looked at.
    lists_children: bool,
}

/// One descendant.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    pid: Pid,
    parent: Option<Pid>,
    group: Option<Pid>,
    session: Option<Pid>,
    tasks: u64,
    resident_pages: u64,
}

impl Tree {
    /// Makes this process the reaper of its descendants.
    pub(crate) fn adopt() -> io::Result<Self> {
        let own = rustix::process::getpid();
        rustix::process::set_child_subreaper(Some(own))?;
        // Without `/proc` nobody could be found: better not to start.
        fs::metadata("/proc/self/stat")?;
        Ok(Self::below(own))
    }

    /// The descendants of any process.
    pub(crate) fn below(own: Pid) -> Self {
        let lists_children = Path::new("/proc/thread-self/children").exists();
        Self { own, page_bytes: rustix::param::page_size() as u64, lists_children }
    }

    /// Its children.
    pub(crate) fn children(&self) -> Vec<Pid> {
        if self.lists_children {
            return children(self.own);
        }
        let all = every_process().into_iter();
        all.filter(|member| member.parent == Some(self.own)).map(|member| member.pid).collect()
    }

    /// Kills every descendant there is at this moment. Some may be born meanwhile, so that it is called again until
    /// there is no child left to wait for.
    pub(crate) fn kill(&self, _: Pid) {
        // A jail ends with whoever made it, at one blow, however many there are in it and however long they take to be listed.
        for child in self.children() {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        let members = self.members(MEMBERS_MAX);
        // A group is killed at one blow, which a loop of forks cannot outrun. The program began a session, so that no
        // group of its descendants has members from elsewhere.
        let own_group = member(rustix::process::getpid()).and_then(|own| own.group);
        let groups: BTreeSet<i32> = members.iter().filter_map(|member| member.group).map(Pid::as_raw_pid).collect();
        for group in groups.into_iter().filter_map(Pid::from_raw).filter(|&group| Some(group) != own_group) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        for member in members {
            let _ = rustix::process::kill_process(member.pid, Signal::KILL);
        }
    }

    /// The limit that the tree exceeds, if it exceeds one.
    pub(crate) fn excess(&self, limits: &Limits) -> Option<Cause> {
        let members = self.members(usize::try_from(limits.processes).unwrap_or(MEMBERS_MAX).saturating_add(1));
        let count = members.iter().map(|member| member.tasks).sum();
        if count > limits.processes {
            return Some(Cause::Processes { count });
        }
        // Resident memory counts shared pages once per process: cheap, and never too little. Only when that is too much
        // are they shared out, which takes the kernel a walk through all pages.
        let resident = members.iter().map(|member| member.resident_pages * self.page_bytes).sum::<u64>();
        if resident <= limits.memory_bytes {
            return None;
        }
        let used_bytes = members.iter().map(|member| self.proportional_bytes(member)).sum();
        (used_bytes > limits.memory_bytes).then_some(Cause::Memory { used_bytes })
    }

    /// A process's memory, with each shared page divided among those that share it.
    fn proportional_bytes(&self, member: &Member) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", member.pid)).unwrap_or_default();
        let kilobytes =
            text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.parse().ok());
        kilobytes.map_or(member.resident_pages * self.page_bytes, |kilobytes: u64| kilobytes * 1024)
    }

    /// The descendants, `most` of them at most.
    fn members(&self, most: usize) -> Vec<Member> {
        if !self.lists_children {
            return descendants(self.own, every_process(), most);
        }
        let mut found = Vec::new();
        let mut parents = vec![self.own];
        while let Some(parent) = parents.pop() {
            for child in children(parent) {
                if found.len() >= most {
                    return found;
                }
                found.extend(member(child));
                parents.push(child);
            }
        }
        found
    }
}

/// A process's session. None if the process is gone, or being taken away at this moment, or if whoever began the session
/// is outside of what this process can see (another pid namespace).
///
/// Read here and not by `getsid(2)`, which answers 0 for the latter two: rustix takes that for a process.
pub(crate) fn session(pid: Pid) -> Option<Pid> {
    member(pid)?.session
}

/// The children of a process, by way of its threads: each thread's are listed apart.
fn children(parent: Pid) -> Vec<Pid> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else { return Vec::new() };
    let lists = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_ascii_whitespace().filter_map(pid).collect::<Vec<_>>()).collect()
}

fn every_process() -> Vec<Member> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| member(pid(entry.file_name().to_str()?)?)).collect()
}

/// Those of `all` that descend from `root`.
fn descendants(root: Pid, mut all: Vec<Member>, most: usize) -> Vec<Member> {
    let mut known = BTreeSet::from([root.as_raw_pid()]);
    let mut found = Vec::new();
    loop {
        let is_below = |member: &mut Member| member.parent.is_some_and(|parent| known.contains(&parent.as_raw_pid()));
        let generation: Vec<Member> = all.extract_if(.., is_below).collect();
        if generation.is_empty() || found.len() >= most {
            found.truncate(most);
            return found;
        }
        known.extend(generation.iter().map(|member| member.pid.as_raw_pid()));
        found.extend(generation);
    }
}

fn member(pid: Pid) -> Option<Member> {
    parse(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads `/proc/PID/stat`; `proc_pid_stat(5)` numbers its fields. The second, the program's name, may contain anything,
/// closing brackets too, so that the others are counted from its end.
fn parse(pid_read: Pid, stat: &[u8]) -> Option<Member> {
    let end_of_name = stat.iter().rposition(|&byte| byte == b')')?;
    let (_, rest) = stat.split_at_checked(end_of_name + 1)?;
    let fields: Vec<&str> = std::str::from_utf8(rest).ok()?.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    Some(Member {
        pid: pid_read,
        parent: field(4).and_then(pid),
        group: field(5).and_then(pid),
        session: field(6).and_then(pid),
        tasks: field(20)?.parse().ok()?,
        resident_pages: field(24)?.parse().ok()?,
    })
}

fn pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok().filter(|&number| number > 0)?)
}

#[cfg(test)]
mod tests;
