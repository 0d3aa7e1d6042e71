//! Which room may use which: the table of `ARCHITECTURE.md`, enforced.
//!
//! Read [`ROOMS`]; the rest compares it with what the crates declare. Tests may use anything (development dependencies
//! are free). What a crate does not declare it cannot name, so that a declaration is all there is to look at.

use crate::repository::{Crate, Dependency};

/// What one of our crates may use.
struct Room {
    name: &'static str,
    may_use: May,
    /// Crates of the world it must never declare, and why.
    never: &'static [(&'static str, &'static str)],
}

/// What a crate may use of our own.
#[derive(Clone, Copy)]
enum May {
    /// These, and nothing else of ours.
    Only(&'static [&'static str]),
    /// All that ships.
    Anything,
    /// All, and what only tests and tools use: it does not ship itself.
    AnythingAtAll,
}

/// Does not ship: no crate that does may declare it, except for its tests.
const TOOLS: &[&str] = &["testkit", "bench", "trial", "fuzz", "xtask"];

/// A pure room takes bytes or values and returns values.
const NO_INPUT_OUTPUT: &[(&str, &str)] = &[
    ("tokio", "it does no I/O"),
    ("hyper", "it does no I/O"),
    ("hyper-util", "it does no I/O"),
    ("reqwest", "it does no I/O"),
    ("axum", "it does no I/O"),
    ("anyhow", ANYHOW),
];
/// The nouns know neither I/O, nor async, nor the time.
const NOUNS_ONLY: &[(&str, &str)] = &[
    ("tokio", "the nouns do no I/O"),
    ("hyper", "the nouns do no I/O"),
    ("async-trait", "the nouns know no async"),
    ("futures-util", "the nouns know no async"),
    ("jiff", "the nouns do not know the wall clock"),
    ("anyhow", ANYHOW),
];
/// Evidence that needs a service to be checked is no evidence.
const VERIFIABLE_ALONE: &[(&str, &str)] = &[
    ("hyper", "receipts are verified without a network"),
    ("hyper-util", "receipts are verified without a network"),
    ("reqwest", "receipts are verified without a network"),
    ("anyhow", ANYHOW),
];
const NO_ANYHOW: &[(&str, &str)] = &[("anyhow", ANYHOW)];
const ANYHOW: &str = "errors that somebody tells apart are enums; `anyhow` is for binaries";

/// The rooms, in the order in which a message meets them.
const ROOMS: &[Room] = &[
    Room { name: "model", may_use: May::Only(&[]), never: NOUNS_ONLY },
    Room { name: "wire", may_use: May::Only(&["model"]), never: NO_INPUT_OUTPUT },
    Room { name: "upstream", may_use: May::Only(&["model", "wire", "egress", "sandbox"]), never: NO_ANYHOW },
    Room { name: "egress", may_use: May::Only(&["model"]), never: NO_ANYHOW },
    Room { name: "identity", may_use: May::Only(&["model", "egress"]), never: NO_ANYHOW },
    Room {
        name: "registry",
        may_use: May::Only(&["model", "egress", "inspect", "sandbox", "upstream"]),
        never: NO_ANYHOW,
    },
    Room { name: "inventory", may_use: May::Only(&["model"]), never: NO_INPUT_OUTPUT },
    Room { name: "dossier", may_use: May::Only(&["model"]), never: NO_INPUT_OUTPUT },
    Room { name: "evidence", may_use: May::Only(&["model", "egress", "sandbox", "dossier"]), never: NO_ANYHOW },
    Room { name: "policy", may_use: May::Only(&["model"]), never: NO_INPUT_OUTPUT },
    Room { name: "inspect", may_use: May::Only(&["model"]), never: NO_INPUT_OUTPUT },
    Room { name: "flow", may_use: May::Only(&["model"]), never: NO_ANYHOW },
    Room { name: "consent", may_use: May::Only(&["model"]), never: NO_ANYHOW },
    Room { name: "watch", may_use: May::Only(&["model", "audit"]), never: NO_ANYHOW },
    Room { name: "audit", may_use: May::Only(&["model"]), never: VERIFIABLE_ALONE },
    Room { name: "sandbox", may_use: May::Only(&["model"]), never: NO_ANYHOW },
    // The store implements the ports of the rooms that own them, so it may name those rooms.
    Room {
        name: "store",
        may_use: May::Only(&[
            "model",
            "identity",
            "registry",
            "inventory",
            "dossier",
            "evidence",
            "policy",
            "consent",
            "watch",
            "audit",
            "admin",
        ]),
        never: NO_ANYHOW,
    },
    // The data plane never names the control plane or the store, and the control plane never the data plane.
    Room {
        name: "gateway",
        may_use: May::Only(&[
            "model", "wire", "upstream", "egress", "identity", "registry", "policy", "inspect", "flow", "consent",
            "watch", "audit",
        ]),
        never: NO_ANYHOW,
    },
    Room {
        name: "admin",
        may_use: May::Only(&[
            "model",
            "upstream",
            "egress",
            "identity",
            "registry",
            "inventory",
            "dossier",
            "evidence",
            "policy",
            "inspect",
            "flow",
            "consent",
            "watch",
            "audit",
        ]),
        never: NO_ANYHOW,
    },
    Room { name: "drill", may_use: May::Only(&["model", "wire"]), never: NO_ANYHOW },
    Room { name: "app", may_use: May::Anything, never: &[] },
    Room { name: "testkit", may_use: May::AnythingAtAll, never: &[] },
    Room { name: "bench", may_use: May::AnythingAtAll, never: &[] },
    Room { name: "trial", may_use: May::Only(&["inspect", "registry"]), never: &[] },
    Room { name: "fuzz", may_use: May::AnythingAtAll, never: &[] },
    Room { name: "xtask", may_use: May::AnythingAtAll, never: &[] },
];

/// What only some rooms may declare, wherever else it would be convenient.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    ("cedar-policy", &["policy"], "only `policy` knows the policy language"),
    ("sqlx", &["store"], "only `store` knows the database"),
    ("redis", &["store"], "only `store` knows the database"),
    ("libc", &["sandbox"], "only `sandbox` makes system calls of its own"),
    ("rustix", &["sandbox"], "only `sandbox` makes system calls of its own"),
    ("landlock", &["sandbox"], "only `sandbox` confines what the gate starts"),
    ("rmcp", &["drill", "testkit"], "nothing that is forwarded passes through it"),
    ("store", &["app", "bench"], "only the binary chooses where state is kept; the others define ports"),
    ("app", &[], "nothing stands above the binary"),
];

/// Every declared dependency that the table does not allow, and every crate it does not know.
pub(crate) fn violations(crates: &[Crate]) -> Vec<String> {
    crates.iter().flat_map(of_crate).collect()
}

fn of_crate(subject: &Crate) -> Vec<String> {
    let name = &subject.name;
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return vec![format!("{name}: not in the table of layers; say there what it may use")];
    };
    let declared = subject.dependencies.iter().filter(|dependency| dependency.ships());
    declared
        .filter_map(|dependency| objection(room, dependency))
        .map(|(target, rule)| format!("{name} -> {target}: {rule}"))
        .collect()
}

fn objection<'a>(room: &Room, dependency: &'a Dependency) -> Option<(&'a str, String)> {
    let target = dependency.name.as_str();
    let only = ONLY_IN.iter().find(|(reserved, rooms, _)| *reserved == target && !rooms.contains(&room.name));
    let never = room.never.iter().find(|(refused, _)| *refused == target);
    let rule = match (only, never, &dependency.path) {
        (Some((_, _, why)), _, _) | (_, Some((_, why)), _) => (*why).to_owned(),
        (None, None, Some(_)) => rule_broken(room, target)?,
        (None, None, None) => return None,
    };
    Some((target, rule))
}

/// The rule that one of our crates breaks by using another, if it breaks one.
fn rule_broken(room: &Room, target: &str) -> Option<String> {
    let is_tool = TOOLS.contains(&target);
    match room.may_use {
        May::AnythingAtAll => None,
        May::Anything | May::Only(_) if is_tool => {
            Some(format!("`{target}` is for tests and tools, and does not ship"))
        }
        May::Anything => None,
        May::Only(rooms) if rooms.contains(&target) => None,
        May::Only([]) => Some(format!("`{}` stands below all others and uses none of them", room.name)),
        May::Only(rooms) => Some(format!("`{}` may use only {}", room.name, rooms.join(", "))),
    }
}

#[cfg(test)]
mod tests;
