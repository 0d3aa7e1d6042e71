//! The machine a report was made on, as far as it explains the numbers; nothing that names the machine.

use std::fs;

use serde::Serialize;

/// What a reader of the report must know of the machine.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The processor's model.
    pub processor: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// The kernel's release.
    pub kernel: String,
    /// Processes that wanted a core in the minute before the run. More than nearly none makes the numbers doubtful.
    pub load_before: Option<f64>,
}

impl Machine {
    /// Looks at the machine. What cannot be read is told as unknown: it explains numbers and decides nothing.
    pub fn look() -> Self {
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: field("/proc/meminfo", "MemTotal")
                .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok())
                .map_or(0, |kibibytes| kibibytes * 1024),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            load_before: fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|text| text.split(' ').next().and_then(|first| first.parse().ok())),
        }
    }
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}
