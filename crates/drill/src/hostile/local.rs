//! A local server that turns on whoever started it.
//!
//! [`serve_stdio`] is the program; [`Local`] is the end of it that a test holds. The two meet in a directory: the test
//! writes there how the server is to behave from the next message on, and the server writes there every start, every
//! line it hears, and every process it leaves behind, so that a test can ask about a process that is long gone.
//!
//! It introduces itself honestly, in whichever revisions a test has it speak, until told otherwise; [`Mode`] is the catalogue.

mod mode;
mod program;
mod surroundings;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use mode::Mode;
pub use program::serve_stdio;

/// What the server and a test have in common.
#[derive(Debug, Clone)]
pub struct Local {
    directory: PathBuf,
}

/// The files in the directory.
const MODE: &str = "mode";
const SPEAKS: &str = "speaks";
const STARTS: &str = "starts";
const HEARD: &str = "heard";
const CHILDREN: &str = "children";

impl Local {
    /// The server that was or will be started with this directory.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// From the next message on it behaves in this way, at any later start too.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn misbehave(&self, mode: Mode) -> io::Result<()> {
        fs::write(self.directory.join(MODE), mode.name())
    }

    /// From the next message on it speaks these revisions and no others, at any later start too.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn speaks(&self, revisions: &[&str]) -> io::Result<()> {
        fs::write(self.directory.join(SPEAKS), revisions.join("\n"))
    }

    /// The process ids of every start so far, the oldest first.
    pub fn starts(&self) -> Vec<u32> {
        self.lines(STARTS).iter().filter_map(|line| line.parse().ok()).collect()
    }

    /// The process ids of everything it has left behind.
    pub fn children(&self) -> Vec<u32> {
        self.lines(CHILDREN).iter().filter_map(|line| line.parse().ok()).collect()
    }

    /// Every message it has heard, over all its starts. What is not JSON counts as null.
    pub fn heard(&self) -> Vec<Value> {
        self.lines(HEARD).iter().map(|line| serde_json::from_str(line).unwrap_or_default()).collect()
    }

    /// How many tool calls have reached it.
    pub fn calls(&self) -> usize {
        let is_call = |message: &Value| message.get("method").is_some_and(|method| method == "tools/call");
        self.heard().into_iter().filter(is_call).count()
    }

    fn mode(&self) -> Mode {
        let name = fs::read_to_string(self.directory.join(MODE)).unwrap_or_default();
        Mode::ALL.into_iter().find(|mode| mode.name() == name).unwrap_or(Mode::Honest)
    }

    fn spoken(&self) -> Vec<String> {
        let spoken = self.lines(SPEAKS);
        if spoken.is_empty() { program::REVISIONS.map(str::to_owned).into() } else { spoken }
    }

    fn lines(&self, file: &str) -> Vec<String> {
        // What nobody has written yet is empty.
        fs::read_to_string(self.directory.join(file)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn note(&self, file: &str, line: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(self.directory.join(file))?;
        file.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests;
