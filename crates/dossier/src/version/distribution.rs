//! Versions of the packages that systems are made of: those of `dpkg` (Debian's policy, 5.6.12), of `apk`, and of RPM.

use std::cmp::Ordering;

/// `epoch:upstream-revision`, as Debian and Ubuntu have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Debian {
    epoch: u32,
    upstream: Runs,
    revision: Runs,
}

impl Debian {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (epoch, rest) = epoch(text)?;
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        let is_of_one = |letter: char| letter.is_ascii_alphanumeric() || ".+-~:_".contains(letter);
        let begins = upstream.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        (begins && rest.chars().all(is_of_one)).then(|| Self {
            epoch,
            upstream: Runs::of(upstream),
            revision: Runs::of(revision),
        })
    }
}

impl Ord for Debian {
    fn cmp(&self, other: &Self) -> Ordering {
        let epoch = self.epoch.cmp(&other.epoch);
        epoch.then_with(|| self.upstream.cmp(&other.upstream)).then_with(|| self.revision.cmp(&other.revision))
    }
}

impl PartialOrd for Debian {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The number before the first colon, 0 where there is none; and what follows it.
fn epoch(text: &str) -> Option<(u32, &str)> {
    let text = text.trim();
    match text.split_once(':') {
        Some((epoch, rest)) => Some((epoch.parse().ok()?, rest)),
        None => Some((0, text)),
    }
}

/// What is no digit and what is one, in turn. Each run of the former ends with an end, which is before every letter and after
/// `~`, so that `1.0~rc1` is before `1.0`; of the latter only what counts is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Runs(Vec<(Vec<u16>, (usize, String))>);

/// Where a run ends.
const END: u16 = 1;

impl Runs {
    fn of(text: &str) -> Self {
        let mut runs = Vec::new();
        let mut rest = text;
        loop {
            let (letters, after) = split(rest, |letter| !letter.is_ascii_digit());
            let (digits, after) = split(after, |letter| letter.is_ascii_digit());
            let digits = digits.trim_start_matches('0').to_owned();
            runs.push((letters.bytes().map(weight).chain([END]).collect(), (digits.len(), digits)));
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        // After the last run, what is not there counts as nothing and as zero.
        runs.push((vec![END], (0, String::new())));
        Self(runs)
    }
}

/// Letters before other signs, `~` before everything.
fn weight(byte: u8) -> u16 {
    match byte {
        b'~' => 0,
        _ if byte.is_ascii_alphabetic() => END + u16::from(byte),
        _ => END + 256 + u16::from(byte),
    }
}

fn split(text: &str, is_of_it: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|letter: char| !is_of_it(letter)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// `1.2.3a_rc1_p2-r4`, as Alpine and Wolfi have it: what is read, in turn, each with how it stands to another kind in its
/// place. A version that goes on is the later one, but for what leads up to a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alpine(Vec<(Place, i64)>);

/// What a part is. Of two versions that are the same up to here, that with the lesser kind is the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Before,
    End,
    Revision,
    SuffixNumber,
    After,
    Letter,
    Digits,
    AfterDot,
}

const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];
/// Digits that a number may have, as with `apk`.
const DIGITS_MAX: usize = 18;

impl Alpine {
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        let number = |digits: &str| digits.parse().ok().filter(|_| digits.len() <= DIGITS_MAX);
        let (digits, after) = split(rest, |letter| letter.is_ascii_digit());
        parts.push((Place::Digits, number(digits)?));
        rest = after;
        while let Some(after) = rest.strip_prefix('.') {
            let (digits, after) = split(after, |letter| letter.is_ascii_digit());
            // With a zero ahead it is a fraction: `1.05` is before `1.5`.
            let (zeros, digits) = split(digits, |letter| letter == '0');
            if zeros.is_empty() {
                parts.push((Place::AfterDot, number(digits)?));
            } else {
                parts.push((Place::AfterDot, -i64::try_from(zeros.len()).ok()?));
                if !digits.is_empty() {
                    parts.push((Place::Digits, number(digits)?));
                }
            }
            rest = after;
        }
        if let Some(letter) = rest.bytes().next().filter(u8::is_ascii_lowercase) {
            parts.push((Place::Letter, i64::from(letter)));
            rest = rest.get(1..)?;
        }
        while let Some(after) = rest.strip_prefix('_') {
            let (name, after) = split(after, |letter| letter.is_ascii_lowercase());
            let at = |names: &[&str]| names.iter().position(|one| *one == name).and_then(|at| i64::try_from(at).ok());
            let before = at(&BEFORE).map(|at| (Place::Before, at));
            parts.push(before.or_else(|| Some((Place::After, at(&AFTER)?)))?);
            let (digits, after) = split(after, |letter| letter.is_ascii_digit());
            if !digits.is_empty() {
                parts.push((Place::SuffixNumber, number(digits)?));
            }
            rest = after;
        }
        // Of which commit it was made says nothing of the order.
        if let Some(after) = rest.strip_prefix('~') {
            rest = split(after, |letter| letter.is_ascii_hexdigit()).1;
        }
        if let Some(digits) = rest.strip_prefix("-r") {
            parts.push((Place::Revision, number(digits)?));
            rest = "";
        }
        parts.push((Place::End, 0));
        rest.is_empty().then_some(Self(parts))
    }
}

/// `epoch:version-release`, as Red Hat and those who build its packages anew have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rpm {
    epoch: u32,
    version: Vec<Segment>,
    release: Vec<Segment>,
}

/// A part of such a version. Of two versions that are the same up to here, that with the lesser kind is the earlier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    /// `~`, which leads up to a version.
    Before,
    End,
    /// `^`, which follows one.
    After,
    Letters(String),
    Digits(usize, String),
}

impl Rpm {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (epoch, rest) = epoch(text)?;
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        let is_one = |text: &str| text.chars().all(|letter| letter.is_ascii_graphic() && letter != ':');
        let begins = version.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        (begins && is_one(version) && is_one(release)).then(|| Self {
            epoch,
            version: segments(version),
            release: segments(release),
        })
    }
}

/// Digits and letters in turn; what else stands between them only keeps them apart.
fn segments(text: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let (segment, after) = match first {
            b'~' => (Some(Segment::Before), rest.get(1..)),
            b'^' => (Some(Segment::After), rest.get(1..)),
            _ if first.is_ascii_digit() => {
                let (digits, after) = split(rest, |letter| letter.is_ascii_digit());
                let digits = digits.trim_start_matches('0');
                (Some(Segment::Digits(digits.len(), digits.to_owned())), Some(after))
            }
            _ if first.is_ascii_alphabetic() => {
                let (letters, after) = split(rest, |letter| letter.is_ascii_alphabetic());
                (Some(Segment::Letters(letters.to_owned())), Some(after))
            }
            _ => (None, rest.get(1..)),
        };
        segments.extend(segment);
        rest = after.unwrap_or_default();
    }
    segments.push(Segment::End);
    segments
}
