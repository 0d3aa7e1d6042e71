//! A share of something, with what it may be in truth.

use serde::Serialize;

/// The 97.5th percentile of the normal distribution: an interval of 95 %.
const Z: f64 = 1.959_964;

/// How many of how many.
#[derive(Debug, Serialize)]
pub(super) struct Rate {
    what: String,
    count: usize,
    of: usize,
    low: f64,
    high: f64,
}

impl Rate {
    pub(super) fn of<Thing>(what: impl Into<String>, all: &[Thing], is: impl Fn(&Thing) -> bool) -> Self {
        Self::counted(what, all.iter().filter(|one| is(one)).count(), all.len())
    }

    pub(super) fn counted(what: impl Into<String>, count: usize, of: usize) -> Self {
        let (low, high) = wilson(count, of);
        Self { what: what.into(), count, of, low, high }
    }

    /// A row of the table.
    pub(super) fn row(&self) -> String {
        let Self { what, count, of, low, high } = self;
        let rate = percent(share(*count, *of));
        format!("| {what} | {count} | {of} | {rate} | {} to {} |\n", percent(*low), percent(*high))
    }
}

fn share(count: usize, of: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if of == 0 { 0.0 } else { number(count) / number(of) }
}

/// Wilson's score interval.
fn wilson(count: usize, of: usize) -> (f64, f64) {
    let n = f64::from(u32::try_from(of.max(1)).unwrap_or(u32::MAX));
    let p = share(count, of);
    let middle = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    (((middle - spread) / whole).max(0.0), ((middle + spread) / whole).min(1.0))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_wilsons() {
        let (low, high) = wilson(9, 10);
        assert!((low - 0.5958).abs() < 0.001 && (high - 0.9821).abs() < 0.001, "{low} {high}");
        let (low, high) = wilson(0, 100);
        assert!(low.abs() < 1e-9 && (high - 0.0370).abs() < 0.001, "{low} {high}");
    }
}
