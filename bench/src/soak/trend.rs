//! A line through samples, and how sure it is.

use serde::Serialize;

use crate::load::thousandths;

/// Neighbouring samples are alike, so that a thousand of them say less than a thousand: what is averaged into one point
/// before the line is drawn.
const POINTS_MAX: usize = 60;
/// Points that may still be alike count as fewer, but as so many at least.
const POINTS_MIN: f64 = 6.0;
/// Standard errors within which a slope is called noise: nearly all slopes of nothing are.
const ERRORS: f64 = 3.0;

/// How a quantity went over time.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Trend {
    /// The mean.
    pub(super) mean: f64,
    /// The greatest sample.
    pub(super) greatest: f64,
    /// What is added in one hour, by least squares.
    pub(super) per_hour: f64,
    /// The standard error of that.
    pub(super) error_per_hour: f64,
    /// What that comes to.
    pub(super) course: Course,
}

/// Where a quantity is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Course {
    /// Nowhere: its slope is no more than noise.
    Flat,
    /// Up: what is held grows.
    Rises,
    /// Down: what was held at first is let go of.
    Falls,
}

impl Trend {
    /// The trend of samples: seconds, and a value that may be missing (not a number).
    pub(super) fn of(samples: impl Iterator<Item = (f64, f64)>) -> Self {
        let samples: Vec<(f64, f64)> = samples.filter(|(_, value)| value.is_finite()).collect();
        let greatest = samples.iter().map(|(_, value)| *value).fold(f64::NAN, f64::max);
        let points: Vec<(f64, f64)> = samples.chunks(samples.len().div_ceil(POINTS_MAX).max(1)).map(mean).collect();
        let (at, value) = mean(&points);
        let spread: f64 = points.iter().map(|(x, _)| (x - at).powi(2)).sum();
        let slope = points.iter().map(|(x, y)| (x - at) * (y - value)).sum::<f64>() / spread;
        let rests: Vec<f64> = points.iter().map(|(x, y)| y - value - slope * (x - at)).collect();
        let rest: f64 = rests.iter().map(|rest| rest.powi(2)).sum();
        let error = (rest / (independent(&rests) - 2.0) / spread).sqrt();
        Self {
            mean: thousandths(mean(&samples).1),
            greatest,
            per_hour: thousandths(slope * 3600.0),
            error_per_hour: thousandths(error * 3600.0),
            course: match () {
                () if slope.abs() <= ERRORS * error => Course::Flat,
                () if slope > 0.0 => Course::Rises,
                () => Course::Falls,
            },
        }
    }

    /// In words, in a unit of so many.
    pub(super) fn told(&self, unit: f64, name: &str) -> String {
        let verdict = match self.course {
            Course::Flat => "flat",
            Course::Rises => "IT RISES",
            Course::Falls => "it falls",
        };
        format!(
            "mean {:.2}, greatest {:.2} {name}; {:+.3} ± {:.3} an hour: {verdict}",
            self.mean / unit,
            self.greatest / unit,
            self.per_hour / unit,
            self.error_per_hour / unit
        )
    }
}

/// As how many points that know nothing of one another these count, by what is left of them and of the next once the line is
/// taken off. Memory wanders slowly, up and down, and a line through a wandering is no less wrong for having many points
/// (Santer et al., Journal of Geophysical Research 105, 2000, equation 6).
fn independent(rests: &[f64]) -> f64 {
    let all: f64 = rests.iter().map(|rest| rest.powi(2)).sum();
    let together: f64 = rests.iter().zip(rests.iter().skip(1)).map(|(one, next)| one * next).sum();
    // What never changes has no likeness to speak of.
    let alike = if all > 0.0 { (together / all).max(0.0) } else { 0.0 };
    (rests.len() as f64 * (1.0 - alike) / (1.0 + alike)).max(POINTS_MIN)
}

fn mean(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    (points.iter().map(|(x, _)| x).sum::<f64>() / count, points.iter().map(|(_, y)| y).sum::<f64>() / count)
}

#[cfg(test)]
mod tests;
