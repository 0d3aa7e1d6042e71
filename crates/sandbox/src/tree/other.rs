//! Without a way to find descendants, the tree is the program's process group.

use std::io;

use rustix::process::{Pid, Signal};

use crate::{Cause, Limits};

/// The descendants of this process, as far as they stayed in the program's group.
pub(crate) struct Tree(());

impl Tree {
    /// Nothing to prepare.
    pub(crate) fn adopt() -> io::Result<Self> {
        Ok(Self(()))
    }

    /// Kills the program's group.
    pub(crate) fn kill(&self, program: Pid) {
        let _ = rustix::process::kill_process_group(program, Signal::KILL);
    }

    /// Nothing is measured: only the kernel's limits bind.
    pub(crate) fn excess(&self, _: &Limits) -> Option<Cause> {
        None
    }
}
