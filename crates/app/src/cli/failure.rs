//! What went wrong: what happened, where, and what to do next.

use std::error::Error;
use std::fmt;
use std::iter;
use std::process::ExitCode;

use admin::{Fault, Place, Problem};
use model::StoreError;
use registry::manifest::Mistake;

use super::paint::{self, BAD, FAINT, NAME};

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    what: String,
    problems: Vec<Problem>,
    next: Option<String>,
    exit: Exit,
}

/// The exit codes beside 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// It was refused, or it failed.
    Refused = 1,
    /// It was asked wrongly.
    Usage = 2,
}

impl Failure {
    /// Something failed.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), problems: Vec::new(), next: None, exit: Exit::Refused }
    }

    /// It was asked wrongly.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(what) }
    }

    /// An error with the errors that caused it, each told once: some tell their causes themselves. What a failure among them
    /// says of places and of what to do next is kept.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(String::new());
        for cause in iter::successors(Some(error), |&error| error.source()) {
            let own = cause.downcast_ref::<Self>();
            let what = own.map_or_else(|| cause.to_string(), |own| own.what.clone());
            if !failure.what.contains(&what) {
                let gap = if failure.what.is_empty() { "" } else { ": " };
                failure.what.push_str(&format!("{gap}{what}"));
            }
            if let Some(Self { what: _, problems, next, exit }) = own.cloned() {
                failure = Self { what: failure.what, problems, next, exit };
            }
            if let Some(next) = cause.downcast_ref::<StoreError>().and_then(StoreError::next) {
                failure.next = Some(next.to_owned());
            }
        }
        failure
    }

    /// A file has a mistake.
    pub(crate) fn mistaken(mistake: Mistake) -> Self {
        let problem = Problem::from(mistake);
        Self { problems: vec![problem], ..Self::new("the file cannot be used") }
    }

    /// The gate refused.
    pub(crate) fn refused(fault: &Fault) -> Self {
        let next = Some(fault.next().to_owned());
        Self { next, problems: fault.problems().to_vec(), ..Self::new(fault.message()) }
    }

    /// Something has no form it could be read in.
    pub(crate) fn unreadable(what: &str) -> Self {
        Self::new(format!("{what} cannot be read")).with_next("is this command of the same version as the gate?")
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn with_next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// What it looks like.
    fn shown(&self) -> String {
        let what = paint::wrapped(&paint::visible(&self.what), 7);
        let mut page = format!("{BAD}error:{BAD:#} {what}\n");
        for Problem { place, message, hint } in &self.problems {
            page.push_str(&format!("\n  {NAME}{}{NAME:#}\n", paint::visible(&spot(place))));
            // Of a single problem, the first line and the last have said it all but the place.
            if *message != self.what {
                page.push_str(&format!("    {}\n", paint::wrapped(&paint::visible(message), 4)));
            }
            if let Some(hint) = hint.as_ref().filter(|hint| self.next.as_ref() != Some(*hint)) {
                page.push_str(&format!("    {FAINT}{}{FAINT:#}\n", paint::wrapped(&paint::visible(hint), 4)));
            }
        }
        if let Some(next) = &self.next {
            let gap = if self.problems.is_empty() { "" } else { "\n" };
            page.push_str(&format!("{gap}{FAINT}next:{FAINT:#}  {}\n", paint::wrapped(&paint::visible(next), 7)));
        }
        page
    }

    /// Tells it on the error output, and gives the exit code.
    pub(crate) fn told(&self) -> ExitCode {
        paint::err(&self.shown());
        ExitCode::from(self.exit as u8)
    }
}

/// One line, for where a command is part of something larger.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.problems.iter().try_for_each(|problem| write!(f, "; {}: {}", spot(&problem.place), problem.message))
    }
}

impl Error for Failure {}

/// `file:line:column`, as far as it is known.
fn spot(place: &Place) -> String {
    match (place.line, place.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}", place.file),
        (Some(line), None) => format!("{}:{line}", place.file),
        (None, _) => place.file.clone(),
    }
}

#[cfg(test)]
mod tests;
