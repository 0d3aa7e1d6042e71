//! What was measured, as JSON to keep and as a table to read.

use std::time::Duration;

use serde::Serialize;

use crate::load::{Measured, percentile, thousandths};
use crate::machine::Machine;

/// Everything that was measured in one run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The shape of this file.
    pub format: u32,
    /// When the run ended, in seconds since the Unix epoch.
    pub taken_at_unix_seconds: u64,
    /// Where.
    pub machine: Machine,
    /// Rounds, each with one turn for every contestant, size and way of calling.
    pub rounds: u32,
    /// Seconds in each turn.
    pub seconds: f64,
    /// Connections of the agents.
    pub connections: u16,
    /// One disk flush, in the same run.
    pub flush: Flush,
    /// Those that were compared. The first is the server without any proxy, the second the bare proxy.
    pub contestants: Vec<Contestant>,
}

/// What one disk flush took.
#[derive(Debug, Serialize)]
pub struct Flush {
    /// Flushes measured.
    samples: usize,
    /// Median, in microseconds.
    p50_microseconds: f64,
    /// 99th percentile, in microseconds.
    p99_microseconds: f64,
}

impl Flush {
    /// Sums up flushes.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self {
            samples: times.len(),
            p50_microseconds: percentile(&times, 50),
            p99_microseconds: percentile(&times, 99),
        }
    }
}

/// One of those that were compared.
#[derive(Debug, Serialize)]
pub struct Contestant {
    /// Its name in the table.
    pub name: &'static str,
    /// Milliseconds from the start of the process until it was ready, for each start.
    ready_milliseconds: Vec<f64>,
    /// Bytes of memory resident when it had done nothing yet.
    pub idle_resident_bytes: u64,
    /// What it did with messages of each size.
    pub sizes: Vec<Size>,
}

impl Contestant {
    /// One that has done nothing yet.
    pub fn new(name: &'static str, ready: Vec<Duration>) -> Self {
        let ready_milliseconds = ready.into_iter().map(|time| thousandths(time.as_secs_f64() * 1e3)).collect();
        Self { name, ready_milliseconds, idle_resident_bytes: 0, sizes: Vec::new() }
    }

    /// The most memory it had under load.
    fn loaded_resident_bytes(&self) -> u64 {
        let turns = self.sizes.iter().flat_map(|size| size.fastest.iter().chain(&size.half_load));
        turns.filter_map(|turn| turn.watched.as_ref()).map(|watched| watched.resident_bytes).max().unwrap_or(0)
    }
}

/// What a contestant did with messages of one size.
#[derive(Debug, Serialize)]
pub struct Size {
    /// Bytes in each call and in each answer.
    pub bytes: usize,
    /// Each turn in which calls came as fast as they were answered.
    pub fastest: Vec<Measured>,
    /// The rate of the turns at half load: half of what the slowest contestant could do.
    pub half_load_calls_per_second: Option<f64>,
    /// Each turn at half load.
    pub half_load: Vec<Measured>,
}

impl Size {
    /// One at which nothing was done yet.
    pub fn new(bytes: usize) -> Self {
        Self { bytes, fastest: Vec::new(), half_load_calls_per_second: None, half_load: Vec::new() }
    }

    fn cpu_microseconds(&self) -> f64 {
        median(self.fastest.iter().filter_map(|turn| turn.watched.as_ref()).map(|used| used.cpu_microseconds_per_call))
    }

    fn calls_per_second(&self) -> f64 {
        median(self.fastest.iter().map(Measured::calls_per_second))
    }

    /// What this contestant's latency at half load was above another's: the median over the rounds of the difference.
    fn added(&self, other: &Self, latency: impl Fn(&Measured) -> f64) -> f64 {
        median(self.half_load.iter().zip(&other.half_load).map(|(own, others)| latency(own) - latency(others)))
    }
}

/// Half of the calls per second that the slowest contestant could do with messages of one size.
pub fn half_load(contestants: &[Contestant], index: usize) -> f64 {
    let fastest = contestants.iter().filter_map(|contestant| contestant.sizes.get(index)).map(Size::calls_per_second);
    fastest.fold(f64::INFINITY, f64::min) / 2.0
}

/// The middle value, or the mean of the two in the middle; not a number if there are none.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(upper), 1) => *upper,
        (Some(upper), _) => values.get(middle.wrapping_sub(1)).map_or(*upper, |lower| (lower + upper) / 2.0),
        (None, _) => f64::NAN,
    }
}

/// The report as text of at most 80 columns.
pub fn table(report: &Report) -> String {
    let [direct, bare, ..] = report.contestants.as_slice() else { return String::new() };
    let heads: Vec<String> = direct.sizes.iter().map(|size| bytes_text(size.bytes)).collect();
    let of_bare = |index: usize| bare.sizes.get(index).map_or(f64::NAN, Size::cpu_microseconds);
    let mut lines = introduction(report);

    lines.extend(section("CPU of the process for each call, microseconds; against bare", &heads));
    for contestant in &report.contestants {
        lines.push(row(contestant, |index, size| {
            let cpu = size.cpu_microseconds();
            if contestant.name == direct.name {
                return format!("{cpu:.1}       ");
            }
            format!("{cpu:.1} {:>5.2}x", cpu / of_bare(index))
        }));
    }
    lines.extend(section("Calls per second, as fast as answers come", &heads));
    lines.extend(
        report
            .contestants
            .iter()
            .map(|contestant| row(contestant, |_, size| format!("{:.0}", size.calls_per_second()))),
    );

    lines.extend(section("Latency above direct at half load, microseconds: p50 / p99", &heads));
    for contestant in report.contestants.iter().skip(1) {
        lines.push(row(contestant, |index, size| added_text(size, direct.sizes.get(index))));
    }
    lines.push(
        row(direct, |_, size| format!("at {:.0}/s", size.half_load_calls_per_second.unwrap_or(f64::NAN))).replacen(
            direct.name,
            "      ",
            1,
        ),
    );
    lines.extend(flush_lines(report, direct));

    let heads = ["idle", "under load", "start to ready"].map(str::to_owned);
    lines.extend(section("Memory (MiB), and milliseconds until ready", &heads));
    for contestant in &report.contestants {
        let ready = median(contestant.ready_milliseconds.iter().copied());
        let cells = [
            mebibytes(contestant.idle_resident_bytes),
            mebibytes(contestant.loaded_resident_bytes()),
            format!("{ready:.1}"),
        ];
        lines.push(line(contestant.name, &cells));
    }
    lines.join("\n")
}

fn introduction(report: &Report) -> Vec<String> {
    let Machine { processor, cores, kernel, load_before, .. } = &report.machine;
    let load = load_before.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.1}"));
    vec![
        format!("{processor}, {cores} cores, Linux {kernel}, load before {load}"),
        format!(
            "{} connections, {} rounds of {} s, medians of the rounds",
            report.connections, report.rounds, report.seconds
        ),
    ]
}

fn flush_lines(report: &Report, direct: &Contestant) -> Vec<String> {
    let Flush { p50_microseconds: p50, p99_microseconds: p99, .. } = report.flush;
    let mut lines = vec![format!("  one disk flush: p50 {p50:.0}, p99 {p99:.0}")];
    let gates = report.contestants.iter().skip(2);
    lines.extend(gates.map(|gate| {
        row(gate, |index, size| {
            let added =
                direct.sizes.get(index).map_or(f64::NAN, |other| size.added(other, |turn| turn.p50_microseconds));
            format!("{:.0}       ", added - p50)
        })
    }));
    if lines.len() > 1 {
        lines.insert(1, "  less one disk flush, p50:".to_owned());
    }
    lines
}

fn added_text(size: &Size, direct: Option<&Size>) -> String {
    let Some(direct) = direct else { return "-".to_owned() };
    let p50 = size.added(direct, |turn| turn.p50_microseconds);
    let p99 = size.added(direct, |turn| turn.p99_microseconds);
    format!("{p50:.0} / {p99:>5.0}")
}

fn section(title: &str, heads: &[String]) -> [String; 3] {
    [String::new(), title.to_owned(), line("", heads)]
}

fn row(contestant: &Contestant, cell: impl Fn(usize, &Size) -> String) -> String {
    let cells: Vec<String> = contestant.sizes.iter().enumerate().map(|(index, size)| cell(index, size)).collect();
    line(contestant.name, &cells)
}

fn line(name: &str, cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("{cell:>17}")).collect();
    format!("  {name:<24}{cells}").trim_end().to_owned()
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / (1024.0 * 1024.0))
}

/// A size as people write it.
pub fn bytes_text(bytes: usize) -> String {
    if bytes.is_multiple_of(1024) { format!("{} KB", bytes / 1024) } else { format!("{bytes} B") }
}

#[cfg(test)]
mod tests;
