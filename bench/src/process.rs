//! Processes of the benchmark: started, watched through `/proc`, and ended with the run.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// What the kernel knows of a process.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system time of all its threads, those that ended included. Exact to two clock ticks: 20 ms.
    pub cpu: Duration,
    /// Bytes of memory resident now.
    pub resident_bytes: u64,
    /// Those of them that it asked for itself, in use or swapped out. The others are pages of files, its own program among
    /// them, that the kernel reads and drops as it sees fit.
    pub own_bytes: u64,
}

/// Milliseconds in one of the clock ticks that `/proc/PID/stat` counts in: `USER_HZ` is 100 on every Linux we run on.
const TICK_MILLISECONDS: u64 = 10;
/// How long a process may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(5);
/// Where user time stands in `/proc/PID/stat`, counted from the state, the first field after the command's name.
const USER_TIME_FIELD: usize = 11;

/// Reads what process `pid` has used until now.
pub fn usage(pid: u32) -> anyhow::Result<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("read the process's times")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("read the process's memory")?;
    let own_bytes = memory(&status, "RssAnon:")? + memory(&status, "VmSwap:")?;
    Ok(Usage { cpu: cpu(&stat)?, resident_bytes: memory(&status, "VmRSS:")?, own_bytes })
}

fn cpu(stat: &str) -> anyhow::Result<Duration> {
    // The command's name may hold spaces and brackets, but not the last bracket.
    let (_, fields) = stat.rsplit_once(')').context("find the times in the process's state")?;
    let ticks: Vec<u64> =
        fields.split_ascii_whitespace().skip(USER_TIME_FIELD).take(2).map(str::parse).collect::<Result<_, _>>()?;
    ensure!(ticks.len() == 2, "the process's state ends before its times");
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * TICK_MILLISECONDS))
}

/// One of the amounts of memory in `/proc/PID/status`, in bytes.
fn memory(status: &str, name: &str) -> anyhow::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("find the process's memory")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().context("read the process's memory")?;
    Ok(kibibytes * 1024)
}

/// A process that ends when this is dropped.
pub struct Running {
    child: Child,
    /// From the start of the process until it said that it is ready.
    pub ready_after: Duration,
}

impl Running {
    /// Starts a part that says its address in its first line when it is ready. Returns it with that line.
    pub fn start(command: &mut Command) -> anyhow::Result<(Self, String)> {
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("start a process")?;
        let mut running = Self { child, ready_after: Duration::ZERO };
        let output = running.child.stdout.take().context("read what a process says")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).context("read what a process says")?;
        running.ready_after = started.elapsed();
        ensure!(!line.is_empty(), "a process ended before it was ready");
        Ok((running, line.trim_end().to_owned()))
    }

    /// Starts a process and asks `is_ready` once per millisecond, for at most `patience`.
    pub fn start_and_wait(
        command: &mut Command,
        patience: Duration,
        mut is_ready: impl FnMut() -> bool,
    ) -> anyhow::Result<Self> {
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("start a process")?;
        let mut running = Self { child, ready_after: Duration::ZERO };
        while !is_ready() {
            ensure!(started.elapsed() < patience, "a process was not ready in {} s", patience.as_secs());
            if let Some(status) = running.child.try_wait().context("watch a process")? {
                anyhow::bail!("a process ended before it was ready: {status}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        running.ready_after = started.elapsed();
        Ok(running)
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked to end, the gate closes its journal, and its next start has nothing to repair. What does not listen, or
        // has ended by itself, is ended all the same.
        let asked = Command::new("kill").arg(self.id().to_string()).stderr(Stdio::null()).status();
        let deadline = Instant::now() + GRACE;
        while asked.as_ref().is_ok_and(ExitStatus::success) && Instant::now() < deadline {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests;
