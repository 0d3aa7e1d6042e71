//! What a watched jail tells of what happens in it: one line each.

use std::fmt;

/// Characters of one word in a note.
const WORD_CHARS_MAX: usize = 200;

/// Something that happened in a watched jail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// All is shut, and nothing of what is watched has run yet.
    Ready,
    /// What is started and connected to is not seen here, and why. Nothing of it gets out all the same.
    Blind(String),
    /// Somebody asked where a name leads.
    Name(String),
    /// Somebody tried to connect to something, past the way out that there is: `host:port`, `unix:PATH`.
    Reach(String),
    /// Something was started, with its arguments.
    Run(Vec<String>),
    /// A step of its preparation ended, by its number, with its status.
    Step(usize, Option<i32>),
    /// More happened than is told.
    More,
}

impl Note {
    /// Reads a line; none if it is none.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split('\t');
        let kind = words.next()?;
        let mut one = || words.next().map(str::to_owned);
        Some(match kind {
            "ready" => Self::Ready,
            "more" => Self::More,
            "blind" => Self::Blind(one()?),
            "name" => Self::Name(one()?),
            "reach" => Self::Reach(one()?),
            "step" => Self::Step(one()?.parse().ok()?, one()?.parse().ok()),
            "run" => Self::Run(words.map(str::to_owned).collect()),
            _ => return None,
        })
    }
}

/// As a line, without its end.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::More => f.write_str("more"),
            Self::Blind(why) => write!(f, "blind\t{}", word(why)),
            Self::Name(name) => write!(f, "name\t{}", word(name)),
            Self::Reach(place) => write!(f, "reach\t{}", word(place)),
            Self::Step(number, Some(status)) => write!(f, "step\t{number}\t{status}"),
            Self::Step(number, None) => write!(f, "step\t{number}\tkilled"),
            Self::Run(words) => {
                f.write_str("run")?;
                words.iter().try_for_each(|one| write!(f, "\t{}", word(one)))
            }
        }
    }
}

/// A word that is on one line and not too long, whatever is in it.
fn word(text: &str) -> String {
    let plain = text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character });
    plain.take(WORD_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_line_that_is_read_back_as_it_was() {
        let run = Note::Run(vec!["sh".to_owned(), "-c".to_owned(), "curl x".to_owned()]);
        for note in [
            Note::Ready,
            Note::More,
            Note::Blind("no".to_owned()),
            Note::Name("a.example".to_owned()),
            Note::Reach("10.0.0.1:25".to_owned()),
            Note::Step(1, Some(7)),
            Note::Step(0, None),
            run,
        ] {
            assert_eq!(Note::parse(&note.to_string()), Some(note));
        }
    }

    #[test]
    fn nothing_that_is_watched_adds_a_line_of_its_own() {
        let line = Note::Run(vec!["x\nready\tname".to_owned(), "y".repeat(1000)]).to_string();
        assert_eq!(line.lines().count(), 1);
        assert_eq!(line.split('\t').count(), 3);
        assert!(line.len() < 600);
        assert_eq!(Note::parse("nothing"), None);
        assert_eq!(Note::parse("step\tx"), None);
    }
}
