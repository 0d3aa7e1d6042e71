//! Asking a person before something is done.

use std::io::{BufRead as _, IsTerminal as _};

use super::failure::Failure;
use super::paint::{self, NAME};

/// Whether someone is there to be asked.
pub(crate) fn anybody() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks, and goes on only after a plain yes.
pub(crate) fn confirm(question: &str) -> Result<(), Failure> {
    paint::err(&format!("{NAME}{question}{NAME:#} [y/N] "));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    let yes = read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if yes { Ok(()) } else { Err(Failure::new("not done: you did not say yes").with_next("nothing was changed")) }
}
