//! Names that are nearly the name of something well known: one letter off, two letters swapped, another hyphen, another
//! scope.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metadata::Form;

/// Names of widely used packages that are servers, or that servers are made of, one a line after `npm` or `pypi`.
const KNOWN: &str = include_str!("../rules/known-names.txt");
/// Letters from which on a name may differ by one, and by two.
const ONE_OFF: usize = 5;
const TWO_OFF: usize = 12;

/// A well-known name that a package's name resembles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resemblance {
    /// The well-known name.
    pub name: String,
    /// How the two differ.
    pub how: String,
}

/// The well-known name that a name resembles and is not.
pub fn resemblance(form: Form, name: &str) -> Option<Resemblance> {
    let kind = match form {
        Form::Npm | Form::Bundle => "npm",
        Form::Wheel | Form::PythonSource => "pypi",
        Form::Crate | Form::Image | Form::Files => return None,
    };
    let known: Vec<&str> = KNOWN
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(of, name)| (of == kind).then_some(name.trim()))
        .collect();
    let own = name.to_lowercase();
    // To the Python Package Index these three signs are one (PEP 503).
    let own = if kind == "pypi" { own.replace(['_', '.'], "-") } else { own };
    if known.contains(&own.as_str()) {
        return None;
    }
    known.iter().find_map(|one| {
        let how = difference(&own, one)?;
        Some(Resemblance { name: (*one).to_owned(), how })
    })
}

/// How two names differ that are taken for each other and are not the same; none of an address, in which each digit counts.
pub fn alike(one: &str, other: &str) -> Option<String> {
    let is_address = |name: &str| name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let differ = one != other && !is_address(&one) && !is_address(&other);
    differ.then(|| difference(&one, &other)).flatten()
}

fn difference(own: &str, known: &str) -> Option<String> {
    let (plain, plain_known) = (folded(own), folded(known));
    if plain == plain_known {
        return Some("they differ in nothing but signs between the letters, or in letters that look alike".to_owned());
    }
    let (scope, bare) = split(own);
    let (known_scope, known_bare) = split(known);
    let scoped = known_scope.is_some() && scope != known_scope;
    if scoped && bare == known_bare && bare.len() >= TWO_OFF {
        return Some("the same name under another scope".to_owned());
    }
    if scope != known_scope {
        return None;
    }
    let letters = bare.chars().count().min(known_bare.chars().count());
    let most = if letters >= TWO_OFF { 2 } else { usize::from(letters >= ONE_OFF) };
    let off = distance(bare, known_bare, most)?;
    // Another word is another thing: `server-time` is no misspelt `server-tile`, and counts only if one letter is lost.
    (off <= most).then(|| format!("{off} {} off", if off == 1 { "letter" } else { "letters" }))
}

fn split(name: &str) -> (Option<&str>, &str) {
    match name.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
        Some((scope, bare)) => (Some(scope), bare),
        None => (None, name),
    }
}

/// A name without signs, and with letters that look alike made one.
fn folded(name: &str) -> String {
    let plain = name.chars().filter(|letter| letter.is_alphanumeric());
    plain
        .map(|letter| match letter {
            '0' => 'o',
            '1' | 'i' | '|' => 'l',
            '5' => 's',
            'а' => 'a',
            'е' => 'e',
            'о' => 'o',
            'р' => 'p',
            'с' => 'c',
            other => other,
        })
        .collect()
}

/// Letters to put in, take out, replace or swap with their neighbour (optimal string alignment); `None` if more than `most`.
fn distance(one: &str, two: &str, most: usize) -> Option<usize> {
    let (one, two): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    if one.len().abs_diff(two.len()) > most || one.len() > 256 {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=two.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in two.iter().enumerate() {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX / 2);
            let same = usize::from(letter != other);
            let mut best = (at(&last, column) + same).min(at(&last, column + 1) + 1).min(at(&next, column) + 1);
            let previous =
                |letters: &[char], place: usize| place.checked_sub(1).and_then(|at| letters.get(at).copied());
            if row > 0 && column > 0 && previous(&one, row) == Some(*other) && previous(&two, column) == Some(*letter) {
                best = best.min(at(&before, column - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests;
