//! Versions, and which of two is the later one: semantic versions (npm, crates), those of Python (PEP 440), and those of the
//! packages that systems are made of.

mod distribution;

use std::cmp::Ordering;

use distribution::{Alpine, Debian, Rpm};

/// A version that can be compared with others of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Version {
    Semantic(Semantic),
    Python(Python),
    Debian(Debian),
    Alpine(Alpine),
    Rpm(Rpm),
}

impl Version {
    /// Reads `1.2.3-beta.1+build`.
    pub(crate) fn semantic(text: &str) -> Option<Self> {
        Semantic::read(text).map(Self::Semantic)
    }

    /// Reads `1!2.0rc1.post2.dev3+local`.
    pub(crate) fn python(text: &str) -> Option<Self> {
        Python::read(text).map(Self::Python)
    }

    /// Reads `1:2.3-4+deb12u1`.
    pub(crate) fn debian(text: &str) -> Option<Self> {
        Debian::read(text).map(Self::Debian)
    }

    /// Reads `1:2.3-4.el9`.
    pub(crate) fn rpm(text: &str) -> Option<Self> {
        Rpm::read(text).map(Self::Rpm)
    }

    /// Reads `1.2.3a_rc1-r4`.
    pub(crate) fn alpine(text: &str) -> Option<Self> {
        Alpine::read(text).map(Self::Alpine)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Semantic(one), Self::Semantic(two)) => Some(one.cmp(two)),
            (Self::Python(one), Self::Python(two)) => Some(one.cmp(two)),
            (Self::Debian(one), Self::Debian(two)) => Some(one.cmp(two)),
            (Self::Alpine(one), Self::Alpine(two)) => Some(one.cmp(two)),
            (Self::Rpm(one), Self::Rpm(two)) => Some(one.cmp(two)),
            (Self::Semantic(_) | Self::Python(_) | Self::Debian(_) | Self::Alpine(_) | Self::Rpm(_), _) => None,
        }
    }
}

/// A part of a version: a number is before a word, and numbers are compared as such, however long they are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Number(String),
    Word(String),
}

impl Part {
    fn of(text: &str) -> Self {
        if text.bytes().all(|byte| byte.is_ascii_digit()) { Self::number(text) } else { Self::Word(text.to_owned()) }
    }

    fn number(digits: &str) -> Self {
        let plain = digits.trim_start_matches('0');
        Self::Number(if plain.is_empty() { "0" } else { plain }.to_owned())
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one.len().cmp(&two.len()).then_with(|| one.cmp(two)),
            (Self::Number(_), Self::Word(_)) => Ordering::Less,
            (Self::Word(_), Self::Number(_)) => Ordering::Greater,
            (Self::Word(one), Self::Word(two)) => one.cmp(two),
        }
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A semantic version. Numbers that are not there are 0, as databases of advisories write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Semantic {
    numbers: Vec<Part>,
    before: Vec<Part>,
}

impl Semantic {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', '=']);
        let text = text.split('+').next()?;
        let (numbers, before) = text.split_once('-').map_or((text, None), |(one, two)| (one, Some(two)));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let mut numbers: Vec<Part> =
            numbers.split('.').map(|part| is_number(part).then(|| Part::number(part))).collect::<Option<_>>()?;
        if numbers.len() > 3 {
            return None;
        }
        numbers.resize(3, Part::number("0"));
        let before: Vec<Part> = before.into_iter().flat_map(|before| before.split('.')).map(Part::of).collect();
        Some(Self { numbers, before })
    }
}

impl Ord for Semantic {
    fn cmp(&self, other: &Self) -> Ordering {
        let before = || match (self.before.is_empty(), other.before.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => self.before.cmp(&other.before),
        };
        self.numbers.cmp(&other.numbers).then_with(before)
    }
}

impl PartialOrd for Semantic {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A version of PEP 440, in the order in which its parts count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Python {
    epoch: Part,
    /// Without zeros at its end.
    release: Vec<Part>,
    before: Before,
    after: Option<Part>,
    development: Development,
    local: Vec<Local>,
}

/// How a release is approached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Before {
    /// Development of what is not even an alpha.
    Nothing,
    Alpha(Part),
    Beta(Part),
    Candidate(Part),
    Release,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Development {
    Yes(Part),
    No,
}

/// A part of a local version: here words are before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Word(String),
    Number(Part),
}

impl Python {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let (public, local) = text.split_once('+').map_or((text.as_str(), ""), |(public, local)| (public, local));
        let mut rest = Rest(public.strip_prefix('v').unwrap_or(public));
        let first = rest.digits()?;
        let (epoch, first) = if rest.skip("!") { (first, rest.digits()?) } else { (Part::number("0"), first) };
        let mut release = vec![first];
        while let Some(number) = rest.after_dot() {
            release.push(number);
        }
        while release.len() > 1 && release.last() == Some(&Part::number("0")) {
            release.pop();
        }
        let alpha = rest.named(&["alpha", "a"]).map(Before::Alpha);
        let before = alpha
            .or_else(|| rest.named(&["beta", "b"]).map(Before::Beta))
            .or_else(|| rest.named(&["candidate", "preview", "pre", "rc", "c"]).map(Before::Candidate));
        let after = match rest.dashed() {
            Some(number) => Some(number),
            None => rest.named(&["post", "rev", "r"]),
        };
        let development = rest.named(&["dev"]);
        if !rest.0.is_empty() {
            return None;
        }
        let before = before.unwrap_or(match (&after, &development) {
            (None, Some(_)) => Before::Nothing,
            (Some(_), _) | (None, None) => Before::Release,
        });
        let development = development.map_or(Development::No, Development::Yes);
        let local = local.split(['.', '-', '_']).filter(|part| !part.is_empty()).map(|part| match Part::of(part) {
            Part::Number(number) => Local::Number(Part::Number(number)),
            Part::Word(word) => Local::Word(word),
        });
        Some(Self { epoch, release, before, after, development, local: local.collect() })
    }
}

/// What is left to be read of a version.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn skip(&mut self, text: &str) -> bool {
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn digits(&mut self) -> Option<Part> {
        let end = self.0.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())?;
        self.0 = rest;
        Some(Part::number(digits))
    }

    /// `.5`
    fn after_dot(&mut self) -> Option<Part> {
        let mut ahead = Rest(self.0.strip_prefix('.')?);
        let number = ahead.digits()?;
        self.0 = ahead.0;
        Some(number)
    }

    /// `-5`, which is a release after a release.
    fn dashed(&mut self) -> Option<Part> {
        let mut ahead = Rest(self.0.strip_prefix('-')?);
        let number = ahead.digits()?;
        self.0 = ahead.0;
        Some(number)
    }

    /// `.rc-5`: a name, and a number that is 0 if it is not there.
    fn named(&mut self, names: &[&str]) -> Option<Part> {
        const BETWEEN: [char; 3] = ['.', '-', '_'];
        let bare = self.0.strip_prefix(BETWEEN).unwrap_or(self.0);
        let mut ahead = Rest(names.iter().find_map(|name| bare.strip_prefix(name))?);
        let mut numbered = Rest(ahead.0.strip_prefix(BETWEEN).unwrap_or(ahead.0));
        let number = numbered.digits();
        if number.is_some() {
            ahead = numbered;
        }
        self.0 = ahead.0;
        Some(number.unwrap_or_else(|| Part::number("0")))
    }
}

#[cfg(test)]
mod tests;
