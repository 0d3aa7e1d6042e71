//! `[vetting]`: what servers are held against after they were approved, and how often.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use admin::{Advisories, FailMode, FailModes, VettingCheck};
use model::{ZoneName, limits};
use registry::manifest::Mistake;
use serde::Deserialize;

use super::Loaded;
use super::place::Step::{self, Key};

/// Hours in a year: who looks less often does not look.
const HOURS_MAX: u64 = 366 * 24;

/// How servers are vetted again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Vetting {
    /// The file of advisories that `portcullis advisories import` writes; relative to the settings file.
    pub advisories: Option<PathBuf>,
    /// Hours between two looks at all servers, besides those when something changes; from 1 on.
    pub every_hours: u64,
    /// Days from which on the advisories are old, which is told; from 1 on.
    pub stale_days: u32,
    /// The zone in which the hosts of publishers are; `internet` if nothing is said.
    pub publishers_zone: Option<ZoneName>,
    /// The name servers that are asked what domains show of who publishes in them; those of the system if nothing is said.
    pub name_servers: Vec<SocketAddr>,
    /// What follows from which check: `block` or `warn`. Those that are not named are as usual.
    pub checks: BTreeMap<VettingCheck, FailMode>,
}

impl Default for Vetting {
    fn default() -> Self {
        Self {
            advisories: None,
            every_hours: limits::VETTING_HOURS,
            stale_days: limits::ADVISORIES_STALE_DAYS,
            publishers_zone: None,
            name_servers: Vec::new(),
            checks: BTreeMap::new(),
        }
    }
}

impl Vetting {
    /// Between two looks at all servers.
    pub(crate) fn every(&self) -> Duration {
        Duration::from_secs(self.every_hours.saturating_mul(60 * 60))
    }
}

fn at(key: &str) -> [Step<'_>; 2] {
    [Key("vetting"), Key(key)]
}

impl Loaded {
    /// The advisories that servers are compared with, if there are some.
    pub(crate) fn advisories(&self) -> Option<Advisories> {
        let Vetting { advisories, stale_days, .. } = &self.settings.vetting;
        Some(Advisories::new(self.base().join(advisories.as_ref()?), *stale_days))
    }

    /// What follows from which check.
    pub(crate) fn fail_modes(&self) -> FailModes {
        FailModes::new(self.settings.vetting.checks.clone())
    }

    /// Looks for what does not fit.
    pub(super) fn check_vetting(&self) -> Result<(), Mistake> {
        let Vetting { every_hours, stale_days, name_servers, .. } = &self.settings.vetting;
        if name_servers.len() > limits::NAME_SERVERS_MAX {
            return Err(self.wrong(&at("name_servers"), format!("at most {} are asked", limits::NAME_SERVERS_MAX)));
        }
        if !(1..=HOURS_MAX).contains(every_hours) {
            return Err(self.wrong(&at("every_hours"), format!("this is from 1 to {HOURS_MAX}")));
        }
        if *stale_days == 0 {
            return Err(self.wrong(&at("stale_days"), "this must be at least 1"));
        }
        Ok(())
    }
}
