//! What stands between the gate and what it started, which runs as the same user.
//!
//! A user's processes may read each other's memory and environment and end each other. Landlock takes that from a tree
//! for good: a process within may inspect and signal only what is within as well. Root's capabilities would open some
//! doors in that wall, and many others, so that a program has none, whoever started the gate.

use std::fmt;
use std::io;

/// What keeps a tree of processes from those outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// It can neither inspect processes outside of itself nor signal them.
    Whole,
    /// It cannot inspect processes outside of itself, but can signal those of its user (Linux before 6.12).
    Memory,
    /// Nothing but the user it runs as (Linux before 5.19 or without Landlock, and other systems).
    None,
}

impl Wall {
    /// The number by which it is reported. Never that of a step.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Whole => 0x81,
            Self::Memory => 0x82,
            Self::None => 0x83,
        }
    }

    /// The wall of a number.
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        [Self::Whole, Self::Memory, Self::None].into_iter().find(|wall| wall.code() == code)
    }
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "it can neither inspect nor signal other processes",
            Self::Memory => "it cannot inspect other processes, but can signal those of its user",
            Self::None => "this system lets it inspect and signal other processes of its user",
        })
    }
}

/// Keeps other processes of the same user from reading this one's memory and environment, and this one from leaving a
/// core file. Not against root, nor against those allowed to trace any process.
///
/// The gate does this early, for the systems on which no wall stands.
///
/// # Errors
/// When the system will not.
pub fn conceal() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// What a process keeps of root's capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// Nothing.
    Nothing,
    /// What it takes to make a user namespace in which root is somebody else (`CAP_SETFCAP`, since Linux 5.12): `bubblewrap`
    /// has it until the jail stands, and what is within never had it.
    ToMakeJails,
}

/// Takes every capability from this process for good, and from all that it will start, even where the gate runs as root.
#[cfg(target_os = "linux")]
pub(crate) fn disarm(keeps: Keeps) -> rustix::io::Result<()> {
    use rustix::thread::{CapabilitySet, CapabilitySets};

    rustix::thread::clear_ambient_capability_set()?;
    // What root gets anew with each program it executes. A user who may not do this gets nothing anew either; the
    // kernel refuses the first number that is no capability.
    for capability in 0..u64::BITS {
        let set = CapabilitySet::from_bits_retain(1 << capability);
        if keeps == Keeps::ToMakeJails && set == CapabilitySet::SETFCAP {
            continue;
        }
        if rustix::thread::remove_capability_from_bounding_set(set).is_err() {
            break;
        }
    }
    let none = CapabilitySet::empty();
    let kept = match keeps {
        Keeps::Nothing => none,
        Keeps::ToMakeJails => rustix::thread::capabilities(None)?.permitted & CapabilitySet::SETFCAP,
    };
    rustix::thread::set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: none })
}

/// Puts this process, and all that it will start, behind the strongest wall that the kernel has.
#[cfg(target_os = "linux")]
pub(crate) fn raise() -> Wall {
    if restrict_signals().is_ok() {
        Wall::Whole
    } else if restrict_devices().is_ok() {
        Wall::Memory
    } else {
        Wall::None
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn raise() -> Wall {
    Wall::None
}

/// A domain that only scopes signals: files are as before, and so are mounts, for servers that make sandboxes themselves.
#[cfg(target_os = "linux")]
fn restrict_signals() -> Result<(), landlock::RulesetError> {
    use landlock::{CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, Scope};

    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).scope(Scope::Signal)?;
    ruleset.create()?.restrict_self()?;
    Ok(())
}

/// The least domain that older kernels know: no new device files. That processes outside cannot be inspected comes with
/// any domain. Moving files between directories must be allowed anew, or no domain that governs files would.
#[cfg(target_os = "linux")]
fn restrict_devices() -> Result<(), Box<dyn std::error::Error>> {
    use landlock::{
        AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    };

    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let ruleset = ruleset.handle_access(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::Refer)?.create()?;
    ruleset.add_rule(PathBeneath::new(PathFd::new("/")?, AccessFs::Refer))?.restrict_self()?;
    Ok(())
}
