//! Is a file small and flat enough to be parsed?
//!
//! Cedar's parser follows nesting on the stack, and a stack that runs out ends the whole process. So a file is looked
//! over first, with nothing but counters: how long each policy is, how deep its brackets go, how long its chains of
//! `.name` and `[…]` are, how many times it says `if`. It need not be Cedar; what is wrong with it is the parser's to
//! say.

use model::limits;

use crate::parse::error_at;
use crate::{LoadError, Source};

/// What has been counted of one policy.
#[derive(Default)]
struct Counts {
    begins: usize,
    depth: usize,
    /// Steps since the last operator: `a.b["c"].d(e)` takes three.
    chain: usize,
    choices: usize,
}

/// Looks a file over.
///
/// # Errors
/// At the first place where a policy goes beyond a limit.
pub(crate) fn check(source: &Source) -> Result<(), LoadError> {
    if source.text.len() > limits::POLICY_FILE_BYTES_MAX {
        return Err(error_at(source, 0, format!("the file has more than {} bytes", limits::POLICY_FILE_BYTES_MAX)));
    }
    let mut counts = Counts::default();
    let mut letters = source.text.char_indices().peekable();
    let mut word = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => skip_text(&mut letters),
            '/' if letters.peek().is_some_and(|(_, next)| *next == '/') => skip_line(&mut letters),
            ';' => counts = Counts { begins: at + 1, ..Counts::default() },
            _ => counts.meet(letter),
        }
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
        } else {
            counts.choices += usize::from(word == "if");
            word.clear();
        }
        if let Some(fault) = counts.fault(at) {
            return Err(error_at(source, at, fault));
        }
    }
    Ok(())
}

impl Counts {
    fn meet(&mut self, letter: char) {
        match letter {
            '(' | '{' => self.depth += 1,
            '[' => {
                self.depth += 1;
                self.chain += 1;
            }
            ')' | '}' | ']' => self.depth = self.depth.saturating_sub(1),
            '.' => self.chain += 1,
            ',' | '=' | '!' | '<' | '>' | '&' | '|' | '+' | '-' | '*' => self.chain = 0,
            _ => {}
        }
    }

    fn fault(&self, at: usize) -> Option<String> {
        let Self { begins, depth, chain, choices } = *self;
        if at.saturating_sub(begins) > limits::POLICY_BYTES_MAX {
            return Some(format!("the policy has more than {} bytes", limits::POLICY_BYTES_MAX));
        }
        if depth > limits::POLICY_DEPTH_MAX {
            return Some(format!("the policy nests more than {} brackets", limits::POLICY_DEPTH_MAX));
        }
        if chain > limits::POLICY_DEPTH_MAX {
            return Some(format!("the policy takes more than {} steps into one value", limits::POLICY_DEPTH_MAX));
        }
        (choices > limits::POLICY_CHOICES_MAX)
            .then(|| format!("the policy says `if` more than {} times", limits::POLICY_CHOICES_MAX))
    }
}

type Letters<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// To the end of a text in quotes.
fn skip_text(letters: &mut Letters<'_>) {
    while let Some((_, letter)) = letters.next() {
        match letter {
            '"' => return,
            '\\' => drop(letters.next()),
            _ => {}
        }
    }
}

/// To the end of a comment.
fn skip_line(letters: &mut Letters<'_>) {
    while letters.next_if(|(_, letter)| *letter != '\n').is_some() {}
}

#[cfg(test)]
mod tests;
