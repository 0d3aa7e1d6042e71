//! What may a local server touch?
//!
//! A local server is a program the gate starts and talks to over its standard input and output. It runs as the gate's
//! own user, so what it is given is all that stands between it and the gate. Start with [`Command`], which says what is
//! started, then [`spawn`], which gives a [`Child`]:
//!
//! ```text
//! gate ──── control socket ──── supervisor ──┬── program ── its descendants, wherever they went
//!   └───────── stdin, stdout, stderr ────────┘
//! ```
//!
//! - **Nothing is inherited.** The program has the environment its command names and no other, three pipes and no other
//!   file, a session of its own, default signals, no capabilities even under root, and may gain no privileges. What it is given travels over the control
//!   socket, so that it is neither in the supervisor's arguments nor in its environment.
//! - **It does not outlive the gate**, even one that is killed. The supervisor is the gate's own binary, run anew (see
//!   [`supervise`]), and the reaper of all that the program starts: nobody gets away by forking twice or by
//!   `setsid`. It learns of the gate's end from the control socket, which the kernel closes, and from the
//!   parent-death signal. Then it kills the tree until no child is left, and ends. What a supervisor leaves that is
//!   killed itself comes to the gate, which does the same.
//! - **It is bounded.** Data of each process, open files and file sizes are the kernel's limits, and so is the number of
//!   processes where the gate may make control groups. What no such limit bounds, all processes together, the supervisor
//!   measures a few times a second, and kills the tree that exceeds it.
//! - **It cannot reach the gate itself.** On kernels with Landlock the tree can neither read the gate's memory and
//!   environment nor signal anything outside of itself; [`Child::wall`] tells what stands. [`conceal`] does a part of
//!   this from the gate's side.
//!
//! Files and networks are those of the gate's user, unless the program is put into a [`Jail`]. This is the only crate that may
//! say `unsafe`; each place says why, and [`Allocator`] and [`give_back`] are here for that alone. Outside Linux the tree is a
//! process group, and only the kernel's limits bind.

mod bait;
#[cfg(target_os = "linux")]
mod cgroup;
mod child;
mod command;
mod error;
mod handover;
mod jail;
mod launch;
mod memory;
mod orphans;
mod plan;
mod program;
mod report;
mod spawn;
mod stderr;
mod supervise;
mod tree;
mod wall;

pub use bait::{Bait, Taken};
pub use child::{Cause, Child, End, Exit};
pub use command::{Command, Limits, Supervisor, Value};
pub use error::{SpawnError, Step};
pub use jail::{
    Cell, HOME as JAIL_HOME, JAIL_COMMAND, JAIL_WATCH_COMMAND, Jail, NOTES, NoJail, Note, PROXY, RELAY_PORT, Watched,
    enter, watch,
};
pub use memory::{Allocator, give_back};
pub use spawn::spawn;
pub use stderr::{Stderr, Tail};
pub use supervise::supervise;
pub use wall::{Wall, conceal};
