//! Holding a host's inventory against what a gate has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entry::plain_url;
use crate::package::base;
use crate::{Entry, Package, Report, Target, Unreadable};

/// What a gate has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Where agents reach it: the beginnings of its endpoints' URLs.
    pub bases: Vec<String>,
    /// Its servers.
    pub servers: Vec<KnownServer>,
    /// Its endpoints.
    pub endpoints: Vec<KnownEndpoint>,
}

/// A server that a gate knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownServer {
    /// Its name there.
    pub name: String,
    /// Whether it is in service.
    pub approved: bool,
    /// Where it is, or what is started.
    pub target: Target,
}

/// An endpoint of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEndpoint {
    /// Its name.
    pub name: String,
    /// The servers it offers.
    pub servers: Vec<String>,
}

/// How a connection stands to the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It leads to an endpoint of the gate.
    ThroughGate,
    /// It leads to the gate, but to no endpoint that is there.
    NoEndpoint,
    /// It leads to a server that is approved, and goes around the gate.
    AroundGate,
    /// It leads to a server that was submitted and is not approved, or not any more.
    NotApproved,
    /// It leads to a server that nobody submitted.
    Unknown,
    /// The entry cannot be understood.
    Unclear,
}

impl Verdict {
    /// Whether nobody approved the server.
    pub fn is_unapproved(self) -> bool {
        match self {
            Self::NotApproved | Self::Unknown => true,
            Self::ThroughGate | Self::NoEndpoint | Self::AroundGate | Self::Unclear => false,
        }
    }
}

/// What else is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Concern {
    /// A secret in plain text.
    PlainSecret {
        /// Where in the entry.
        place: String,
    },
    /// What is said is readable on the way.
    PlainHttp,
    /// Whatever version is newest is fetched and run at every start.
    AnyVersion {
        /// The package.
        package: Package,
    },
    /// A shell reads the command.
    Shell,
}

/// An entry, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// The entry.
    pub entry: Entry,
    /// How it stands to the gate; none where there was no gate to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What the gate calls the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The endpoints by which the gate offers it, as URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// What else is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<Concern>,
}

/// A report, held against what a gate has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// The host's name.
    pub host: String,
    /// Whose settings they are.
    pub user: String,
    /// `linux`, `macos` or `windows`.
    pub system: String,
    /// How many files were read.
    pub files: usize,
    /// Whether there was a gate to ask.
    pub compared: bool,
    /// The servers.
    pub entries: Vec<Judged>,
    /// Files that are there and could not be understood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

impl Compared {
    /// How many entries have this verdict.
    pub fn count(&self, wanted: impl Fn(Verdict) -> bool) -> usize {
        self.entries.iter().filter(|judged| judged.verdict.is_some_and(&wanted)).count()
    }

    /// How many entries hold secrets in plain text.
    pub fn with_secrets(&self) -> usize {
        self.entries.iter().filter(|judged| !judged.entry.plaintext.is_empty()).count()
    }
}

/// Holds a report against what a gate has, or against nothing where there is no gate to ask.
pub fn compared(report: &Report, known: Option<&Known>) -> Compared {
    let Report { host, user, system, files, entries, unreadable } = report.clone();
    let entries = entries.into_iter().map(|entry| judged(entry, known)).collect();
    Compared { host, user, system, files, compared: known.is_some(), entries, unreadable }
}

fn judged(entry: Entry, known: Option<&Known>) -> Judged {
    let concerns = concerns(&entry);
    let blank = Judged { entry, verdict: None, server: None, endpoints: Vec::new(), concerns };
    let Some(known) = known else { return blank };
    let target = &blank.entry.target;
    if *target == Target::Unclear {
        return Judged { verdict: Some(Verdict::Unclear), ..blank };
    }
    if let Some(endpoint) = at_gate(target, known) {
        let there = known.endpoints.iter().any(|one| one.name == endpoint);
        let verdict = if there { Verdict::ThroughGate } else { Verdict::NoEndpoint };
        return Judged { verdict: Some(verdict), ..blank };
    }
    // Of several under one address, the one that is approved counts.
    let same = known.servers.iter().filter(|server| server.target.is(target));
    let Some(server) = same.max_by_key(|server| server.approved) else {
        return Judged { verdict: Some(Verdict::Unknown), ..blank };
    };
    let verdict = if server.approved { Verdict::AroundGate } else { Verdict::NotApproved };
    let base = known.bases.first().map_or("", String::as_str).trim_end_matches('/');
    let offering = known.endpoints.iter().filter(|endpoint| server.approved && endpoint.servers.contains(&server.name));
    let endpoints = offering.map(|endpoint| format!("{base}/{}/mcp", endpoint.name)).collect();
    Judged { verdict: Some(verdict), server: Some(server.name.clone()), endpoints, ..blank }
}

/// The name of the endpoint that a target is at, if it is at the gate's address.
fn at_gate(target: &Target, known: &Known) -> Option<String> {
    let Target::Remote { url, .. } = target else { return None };
    known.bases.iter().filter_map(|base| plain_url(base)).find_map(|base| {
        let rest = url.strip_prefix(&base)?;
        let name = rest.strip_prefix('/')?;
        Some(name.strip_suffix("/mcp").unwrap_or(name).to_owned())
    })
}

fn concerns(entry: &Entry) -> Vec<Concern> {
    let secrets = entry.plaintext.iter().map(|place| Concern::PlainSecret { place: place.clone() });
    let mut concerns: Vec<_> = secrets.collect();
    match &entry.target {
        Target::Remote { url, .. } if url.starts_with("http://") && !is_this_host(url) => {
            concerns.push(Concern::PlainHttp);
        }
        Target::Local { package: Some(package), .. } if package.version.is_none() => {
            concerns.push(Concern::AnyVersion { package: package.clone() });
        }
        Target::Local { program, arguments, package: None } if is_shell(program, arguments) => {
            concerns.push(Concern::Shell);
        }
        Target::Remote { .. } | Target::Local { .. } | Target::Unclear => {}
    }
    concerns
}

fn is_this_host(url: &str) -> bool {
    let host = url::Url::parse(url).ok().and_then(|url| match url.host()? {
        url::Host::Domain(name) => Some(name == "localhost" || name.ends_with(".localhost")),
        url::Host::Ipv4(address) => Some(address.is_loopback()),
        url::Host::Ipv6(address) => Some(address.is_loopback()),
    });
    host == Some(true)
}

fn is_shell(program: &str, arguments: &[String]) -> bool {
    let shell =
        matches!(base(program).as_str(), "sh" | "bash" | "zsh" | "dash" | "fish" | "cmd" | "powershell" | "pwsh");
    let line = |argument: &String| {
        let small = argument.to_ascii_lowercase();
        matches!(small.as_str(), "/c" | "-command" | "-encodedcommand")
            || (small.starts_with('-') && !small.starts_with("--") && small.ends_with('c'))
    };
    shell && arguments.iter().any(line)
}

#[cfg(test)]
mod tests;
