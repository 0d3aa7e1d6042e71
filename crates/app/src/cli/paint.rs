//! Words on the screen: a few styles, columns, and text that can be trusted to be what it looks like.
//!
//! Styles are always written; [`anstream`] takes them out where nobody sees them: in a file, in a pipe, with `NO_COLOR`.

use std::fmt::Write as _;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};

use super::failure::Failure;

/// What was added, permitted, well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What goes, is refused, is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What changes, waits, deserves a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// A thing's name, a heading.
pub(crate) const NAME: Style = Style::new().bold();
/// What is there if it is looked for.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Columns that everything fits in.
pub(crate) const WIDTH: usize = 80;

/// Prints to the output. A reader that went away, such as `head`, is no failure.
pub(crate) fn out(page: &str) -> Result<(), Failure> {
    match anstream::stdout().write_all(page.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write the output: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints to the error output; where that fails there is nobody left to tell.
pub(crate) fn err(page: &str) {
    let mut errors = anstream::stderr();
    let _nobody = errors.write_all(page.as_bytes()).and_then(|()| errors.flush());
}

pub(crate) use admin::visible;

/// Wraps a text to [`WIDTH`]; lines after the first begin `indent` columns in. Its own line breaks stay.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let room = WIDTH.saturating_sub(indent).max(20);
    let gap = format!("\n{}", " ".repeat(indent));
    let lines = text.lines().map(|line| {
        let mut broken = String::new();
        let mut used = 0;
        for (place, word) in line.split(' ').enumerate() {
            let width = columns(word);
            // Spaces at the beginning of a line are its indentation, and stay.
            if used + 1 + width > room && !broken.trim_start().is_empty() {
                broken.push_str(&gap);
                used = 0;
            } else if place > 0 {
                broken.push(' ');
                used += 1;
            }
            broken.push_str(word);
            used += width;
        }
        broken
    });
    lines.collect::<Vec<_>>().join(&gap)
}

/// A text cut to some columns, with an ellipsis where something is missing.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(room.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Rows in columns, two spaces in and two apart, each column as wide as its widest cell; the last is cut at [`WIDTH`].
/// The head is faint. Cells are plain text with a style each.
pub(crate) fn table(head: &[&str], rows: &[Vec<(Style, String)>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|title| columns(title)).collect();
    for row in rows {
        for (width, (_, cell)) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(cell));
        }
    }
    let head = head.iter().map(|title| (FAINT, title.to_string())).collect::<Vec<_>>();
    std::iter::once(&head).chain(rows).map(|row| line(row, &widths)).collect()
}

fn line(row: &[(Style, String)], widths: &[usize]) -> String {
    let mut line = String::new();
    let mut used = 2;
    let last = row.len().saturating_sub(1);
    for (place, ((style, cell), width)) in row.iter().zip(widths).enumerate() {
        let lead = "  ";
        if place == last {
            let cell = cut(cell, WIDTH.saturating_sub(used).max(8));
            let _infallible = write!(line, "{lead}{style}{cell}{style:#}");
            break;
        }
        let pad = " ".repeat(width.saturating_sub(columns(cell)));
        let _infallible = write!(line, "{lead}{style}{cell}{style:#}{pad}");
        used += width + 2;
    }
    line.push('\n');
    line
}

/// Columns a text takes. Wide letters count as one: what is cut a little late is still readable.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `3 tools`, `1 tool`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    count_of(u64::try_from(number).unwrap_or(u64::MAX), noun)
}

/// As [`count`].
pub(crate) fn count_of(number: u64, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        _ if number == 1 => noun.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None if noun.ends_with('s') => format!("{noun}es"),
        None => format!("{noun}s"),
    };
    format!("{number} {plural}")
}

/// `512 MiB`, `3 GiB`, `1000 bytes`: exactly, so in bytes where no larger unit fits.
pub(crate) fn bytes(number: u64) -> String {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if number != 0 && number.trailing_zeros() >= shift {
            return format!("{} {unit}", number >> shift);
        }
    }
    count_of(number, "byte")
}

/// A moment, in UTC, to the second.
pub(crate) fn moment(milliseconds: u64) -> String {
    let known = i64::try_from(milliseconds).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    known.map_or_else(|| "at no known time".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// A day, in UTC.
pub(crate) fn day(milliseconds: u64) -> String {
    moment(milliseconds).chars().take(10).collect()
}

#[cfg(test)]
mod tests;
