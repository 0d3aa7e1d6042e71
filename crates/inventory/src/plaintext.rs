//! Secrets in plain text: told by their place, and masked where they are read.
//!
//! A value counts as a secret if it has the form of a known kind of token, or if its name says that it is one and it is
//! neither a reference to something kept elsewhere nor an empty form to be filled in. Mistakes are cheap in one direction
//! only: what is masked needlessly is still found, what is not masked is shown.

/// What stands for a secret.
pub const MASK: &str = "***";

/// Last words of names of secrets.
const WORDS: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "credential",
    "credentials",
    "apikey",
    "pat",
    "cookie",
    "authorization",
    "bearer",
    "jwt",
    "dsn",
];
/// Two last words of names of secrets.
const PAIRS: &[(&str, &str)] = &[
    ("api", "key"),
    ("access", "key"),
    ("secret", "key"),
    ("private", "key"),
    ("auth", "key"),
    ("account", "key"),
    ("subscription", "key"),
    ("service", "key"),
    ("admin", "key"),
    ("encryption", "key"),
    ("signing", "key"),
    ("connection", "string"),
];
/// How known kinds of tokens begin, and the bytes they have at least.
const TOKENS: &[(&str, usize)] = &[
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("sk-", 20),
    ("sk_live_", 20),
    ("sk_test_", 20),
    ("rk_live_", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xapp-", 20),
    ("AKIA", 20),
    ("ASIA", 20),
    ("AIza", 35),
    ("ya29.", 20),
    ("npm_", 30),
    ("pypi-", 30),
    ("hf_", 20),
    ("SG.", 30),
    ("dop_v1_", 30),
    ("shpat_", 20),
    ("lin_api_", 20),
    ("ntn_", 20),
    ("figd_", 20),
    ("ATATT", 30),
    ("sntrys_", 20),
    ("tvly-", 20),
    ("fc-", 30),
    ("BSA", 27),
    ("pplx-", 30),
    ("gsk_", 30),
    ("dapi", 34),
    ("-----BEGIN", 20),
];
/// What encloses a word of a shell line.
const QUOTES: [char; 3] = ['"', '\'', '`'];
/// How deep shell lines within shell lines are looked at.
const LINES_DEPTH_MAX: usize = 3;
/// Bytes from which on a value by the name of a secret is one.
const NAMED_BYTES_MIN: usize = 5;

/// Whether `value`, which stands under `name`, is a secret in plain text.
pub fn is_secret(name: &str, value: &str) -> bool {
    let bare = without_scheme(value.trim().trim_matches(QUOTES));
    if bare.is_empty() || is_reference(bare) || is_blank_form(bare) {
        return false;
    }
    has_token(bare) || has_password(bare) || (bare.len() >= NAMED_BYTES_MIN && names_a_secret(name))
}

/// Whether a name says that what stands under it is a secret.
pub fn names_a_secret(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let before = words.len().checked_sub(2).and_then(|place| words.get(place));
    let pair = before.is_some_and(|before| PAIRS.contains(&(before.as_str(), last.as_str())));
    let joined = WORDS.iter().any(|word| word.len() > 4 && last.ends_with(word)) || last.ends_with("apikey");
    WORDS.contains(&last.as_str()) || pair || joined
}

/// The words of `GITHUB_TOKEN`, `x-api-key`, `--apiKey`, in small letters.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut small_before = false;
    for letter in name.chars() {
        if !letter.is_ascii_alphanumeric() {
            small_before = false;
            words.push(String::new());
            continue;
        }
        if letter.is_ascii_uppercase() && small_before {
            words.push(String::new());
        }
        small_before = letter.is_ascii_lowercase();
        match words.last_mut() {
            Some(word) => word.push(letter.to_ascii_lowercase()),
            None => words.push(letter.to_ascii_lowercase().to_string()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn without_scheme(value: &str) -> &str {
    let rest = ["Bearer ", "bearer ", "Basic ", "basic ", "token ", "Token "];
    rest.iter().find_map(|scheme| value.strip_prefix(scheme)).unwrap_or(value).trim()
}

/// Whether a value says where the secret is kept, as clients and this gate write it.
fn is_reference(value: &str) -> bool {
    let enclosed = |open: &str, close: &str| value.starts_with(open) && value.ends_with(close);
    let begins = ["$", "env:", "file:", "vault:", "op://", "keychain:", "aws-secretsmanager:", "secret:"];
    begins.iter().any(|begin| value.starts_with(begin))
        || value.contains("${")
        || enclosed("%", "%")
        || enclosed("{{", "}}")
        || enclosed("{", "}")
}

/// Whether a value only says what is to be put there.
fn is_blank_form(value: &str) -> bool {
    let small = value.to_ascii_lowercase();
    (small.starts_with('<') && small.ends_with('>'))
        || small == MASK
        || ["your-", "your_", "your ", "yourtoken", "yourapi"].iter().any(|begin| small.starts_with(begin))
        || ["changeme", "placeholder", "none", "null", "true", "false"].contains(&small.as_str())
        || small.chars().all(|letter| matches!(letter, 'x' | '*' | '.' | '-'))
}

/// Whether a word of a text has the form of a known kind of token.
fn has_token(text: &str) -> bool {
    let is_edge =
        |letter: char| letter.is_whitespace() || QUOTES.contains(&letter) || "=:;,|&()[]{}<>".contains(letter);
    text.split(is_edge).any(is_token)
}

fn is_token(value: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "_-.=+/".contains(letter);
    let starts = |(begin, least): &(&str, usize)| {
        let token: &str = value.split(|letter| !letters(letter)).next().unwrap_or_default();
        value.starts_with(begin) && (token.len() >= *least || begin.starts_with('-'))
    };
    let jwt = value.starts_with("eyJ") && value.matches('.').count() == 2 && value.len() > 30;
    jwt || TOKENS.iter().any(starts)
}

/// `scheme://user:password@host`.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !is_reference(password))
}

/// The arguments without secrets, and the places, from 1, of those that held one.
pub fn masked(arguments: &[String]) -> (Vec<String>, Vec<usize>) {
    let mut clean = Vec::with_capacity(arguments.len());
    let mut places = Vec::new();
    for (place, argument) in arguments.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| arguments.get(place));
        let option = before.filter(|before| before.starts_with('-') && !before.contains('='));
        let masked = masked_argument(option.map_or("", String::as_str), argument);
        if masked.is_some() {
            places.push(place + 1);
        }
        clean.push(masked.unwrap_or_else(|| argument.clone()));
    }
    (clean, places)
}

/// A value that stands under `name`, without the secret it holds.
pub(crate) fn masked_value(name: &str, value: &str) -> Option<String> {
    if names_a_secret(name) && is_secret(name, value) {
        return Some(MASK.to_owned());
    }
    masked_argument(name, value)
}

/// An argument that follows `option`, without the secrets it holds. It may be a line for a shell.
fn masked_argument(option: &str, argument: &str) -> Option<String> {
    masked_within(option, argument, LINES_DEPTH_MAX)
}

fn masked_within(option: &str, argument: &str, depth: usize) -> Option<String> {
    let spaced = argument.contains(char::is_whitespace);
    let is_line = spaced || (argument.contains(is_line_edge) && !argument.contains("://"));
    let line = depth.checked_sub(1).filter(|_| is_line).and_then(|depth| masked_line(argument, depth));
    masked_whole(option, line.as_deref().unwrap_or(argument)).or(line)
}

/// A shell line without the secrets in its words.
fn masked_line(line: &str, depth: usize) -> Option<String> {
    let (mut clean, mut found, mut before) = (String::with_capacity(line.len()), false, "");
    let pieces = pieces(line, true);
    for (is_edge, piece) in &pieces {
        if *is_edge {
            clean.push_str(piece);
            continue;
        }
        let word = unquoted(piece);
        let option = if before.starts_with('-') && !before.contains('=') { before } else { "" };
        let masked = masked_within(option, word, depth);
        found |= masked.is_some();
        clean.push_str(masked.as_deref().unwrap_or(piece));
        before = word;
    }
    found.then_some(clean)
}

/// The words of a shell line, those in quotes whole, and what is between them (told by `true`).
fn pieces(line: &str, quoted: bool) -> Vec<(bool, String)> {
    let mut pieces: Vec<(bool, String)> = Vec::new();
    let mut open = None;
    for letter in line.chars() {
        let is_edge = open.is_none() && is_line_edge(letter);
        if open == Some(letter) {
            open = None;
        } else if open.is_none() && quoted && QUOTES.contains(&letter) {
            open = Some(letter);
        }
        match pieces.last_mut() {
            Some((edge, piece)) if *edge == is_edge => piece.push(letter),
            Some(_) | None => pieces.push((is_edge, letter.to_string())),
        }
    }
    // A quote that is never closed is an apostrophe.
    if open.is_some() { self::pieces(line, false) } else { pieces }
}

fn is_line_edge(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, ';' | '|' | '&' | '(' | ')')
}

fn unquoted(word: &str) -> &str {
    QUOTES.iter().find_map(|quote| word.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(word)
}

fn masked_whole(option: &str, argument: &str) -> Option<String> {
    if let Some((name, value)) = argument.split_once('=')
        && !name.contains("://")
        && is_secret(name, value)
    {
        return Some(format!("{name}={MASK}"));
    }
    if let Some((name, value)) = argument.split_once(": ").or_else(|| argument.split_once(':'))
        && !value.starts_with("//")
        && is_secret(name, value)
    {
        return Some(format!("{name}: {MASK}"));
    }
    if argument.contains("://") {
        return masked_url(argument).or_else(|| has_token(argument).then(|| MASK.to_owned()));
    }
    is_secret(option, argument).then(|| MASK.to_owned())
}

/// A URL without the secrets it holds: a password, a token in the query, a token as a part of the path.
pub fn masked_url(text: &str) -> Option<String> {
    let secret_pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        is_secret(name, value)
    };
    let query = text.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default());
    let in_query = query.is_some_and(|query| query.split('&').any(secret_pair));
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let in_path = path.split('/').any(has_token);
    if !(has_password(text) || in_query || in_path) {
        return None;
    }
    let (scheme, rest) = path.split_once("://").unwrap_or(("", path));
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let hidden = |part| if has_token(part) { MASK } else { part };
    let path = path.map(|path| format!("/{}", path.split('/').map(hidden).collect::<Vec<_>>().join("/")));
    let query = if query.is_some() { format!("?{MASK}") } else { String::new() };
    Some(format!("{scheme}://{host}{}{query}", path.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
