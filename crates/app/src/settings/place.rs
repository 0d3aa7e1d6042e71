//! Where in a TOML text something is said: the way from its top, as offsets.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One step down.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'s> {
    /// The value of a key.
    Key(&'s str),
    /// An element of a list, from 0.
    Index(usize),
}

/// The byte offset of the value that the steps lead to; of the last thing on the way that is there, otherwise.
pub(super) fn offset(text: &str, steps: &[Step<'_>]) -> usize {
    let Ok(table) = DeTable::parse(text) else { return 0 };
    let Some((Step::Key(first), rest)) = steps.split_first() else { return 0 };
    table.get_ref().get(*first).map_or(0, |value| within(value, rest))
}

fn within(value: &Spanned<DeValue<'_>>, steps: &[Step<'_>]) -> usize {
    let next = steps.split_first().and_then(|(step, rest)| {
        let next = match step {
            Step::Key(key) => value.get_ref().as_table()?.get(*key)?,
            Step::Index(index) => value.get_ref().as_array()?.get(*index)?,
        };
        Some(within(next, rest))
    });
    next.unwrap_or(value.span().start)
}

#[cfg(test)]
mod tests;
