//! `[trials]`: how programs are tried that nobody trusts.

use evidence::Allowed;
use model::{ZoneName, limits};
use registry::manifest::{Mistake, ZONE_INTERNET};
use serde::Deserialize;

use super::Loaded;
use super::place::Step::{self, Index, Key};

/// How long a program is tried, what it may use, and whom it may reach meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Trials {
    /// Hosts that it may reach, such as a package registry's; nobody if nothing is said. With a port, if it is not 443.
    pub hosts: Vec<String>,
    /// The zone in which those are.
    pub zone: Option<ZoneName>,
    /// Seconds that it may take, with being installed.
    pub seconds: u64,
    /// Bytes of memory that it may use.
    pub memory_bytes: u64,
    /// Processes and threads that it may have.
    pub processes: u64,
}

impl Default for Trials {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            zone: None,
            seconds: limits::TRIAL_SECONDS,
            memory_bytes: limits::TRIAL_MEMORY_BYTES,
            processes: limits::TRIAL_PROCESSES,
        }
    }
}

impl Trials {
    /// The hosts that may be reached.
    pub(crate) fn allowed(&self) -> Vec<Allowed> {
        // What is none was refused when the settings were read.
        self.hosts.iter().filter_map(|host| host.parse().ok()).collect()
    }

    /// The name of the zone in which they are.
    pub(crate) fn zone(&self) -> &str {
        self.zone.as_ref().map_or(ZONE_INTERNET, ZoneName::as_str)
    }
}

fn at(key: &str) -> [Step<'_>; 2] {
    [Key("trials"), Key(key)]
}

impl Loaded {
    /// Looks for what cannot be.
    pub(super) fn check_trials(&self) -> Result<(), Mistake> {
        let Trials { hosts, zone: _, seconds, memory_bytes, processes } = &self.settings.trials;
        for (index, host) in hosts.iter().enumerate() {
            if let Err(why) = host.parse::<Allowed>() {
                let place = [Key("trials"), Key("hosts"), Index(index)];
                return Err(self.wrong(&place, format!("`{host}` is no host")).with_hint(why));
            }
        }
        if hosts.len() > limits::TRIAL_HOSTS_MAX {
            return Err(self.wrong(&at("hosts"), format!("at most {} hosts are possible", limits::TRIAL_HOSTS_MAX)));
        }
        if !(1..=limits::TRIAL_SECONDS_MAX).contains(seconds) {
            let message = format!("this must be 1 to {}", limits::TRIAL_SECONDS_MAX);
            return Err(self.wrong(&at("seconds"), message));
        }
        for (key, number) in [("memory_bytes", memory_bytes), ("processes", processes)] {
            if *number == 0 {
                return Err(self.wrong(&at(key), "this must be at least 1"));
            }
        }
        Ok(())
    }
}
