//! What an answer tells that is nobody's business: stack traces, paths, statements, versions, and what it was sent in confidence.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use regex::Regex;

use super::Target;
use super::asker::Heard;
use super::notes::Notes;
use crate::Severity;

/// Bytes of a credential from which on it is told from other text.
const SECRET_BYTES_MIN: usize = 8;
/// Bytes around what was found that are shown.
const AROUND: usize = 60;

/// What gives it away: rule, severity, words, expression.
const SIGNS: [(&str, Severity, &str, &str); 4] = [
    (
        "tells-statements",
        Severity::High,
        "its errors tell of statements to a database",
        r"(?i)SQLSTATE\[|syntax error at or near|You have an error in your SQL syntax|ORA-\d{5}|sqlite3?\.(Operational|Integrity)Error|SQLITE_ERROR|psycopg2?\.|PG::[A-Z]\w+Error|unclosed quotation mark",
    ),
    (
        "tells-traces",
        Severity::Medium,
        "its errors tell where in its program they came about",
        r#"Traceback \(most recent call last\)|(?m)^\s*at [\w.$<>\[\] ]+ ?\(?[^\s()]+:\d+(:\d+)?\)?|\\n\s+at [\w.$<>\[\] ]+ ?\(?[^\s()"]+:\d+|goroutine \d+ \[|panicked at |File \\?"[^"\\]+\\?", line \d+|\bat (java|javax|org|com|scala|kotlin)\.[\w.$]+\("#,
    ),
    (
        "tells-paths",
        Severity::Low,
        "its errors tell of places on its host",
        r"/(home|root|Users|usr/src|usr/local|var/(www|lib|task)|opt|srv|app|workspace)/[\w.@-]+(/[\w.@-]+)+|[A-Z]:\\\\?(Users|inetpub|Program Files)\\|/node_modules/|/site-packages/",
    ),
    (
        "tells-addresses",
        Severity::Low,
        "its errors tell of addresses within",
        r"\b(10\.\d{1,3}\.\d{1,3}\.\d{1,3}|192\.168\.\d{1,3}\.\d{1,3}|172\.(1[6-9]|2\d|3[01])\.\d{1,3}\.\d{1,3}|169\.254\.\d{1,3}\.\d{1,3})\b",
    ),
];

type Sign = (&'static str, Severity, &'static str, Regex);

/// What does not compile finds nothing; a test shows that all do.
static COMPILED: LazyLock<Vec<Sign>> = LazyLock::new(|| {
    let compiled =
        SIGNS.iter().map(|(rule, severity, title, text)| Some((*rule, *severity, *title, Regex::new(text).ok()?)));
    compiled.flatten().collect()
});

/// Looks for what must not be there.
pub(super) struct Leaks {
    secrets: Vec<HeaderValue>,
}

impl Leaks {
    pub(super) fn new(target: &Target<'_>) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(presents) = target.presents {
            presents.write(&mut headers);
        }
        let mut secrets = Vec::new();
        for value in headers.values() {
            let bare = value.as_bytes().iter().position(|byte| *byte == b' ').map(|at| at + 1);
            let bare = bare.and_then(|at| HeaderValue::from_bytes(value.as_bytes().get(at..)?).ok());
            secrets.push(bare.unwrap_or_else(|| value.clone()));
        }
        secrets.retain(|secret| secret.len() >= SECRET_BYTES_MIN);
        secrets.iter_mut().for_each(|secret| secret.set_sensitive(true));
        Self { secrets }
    }

    /// Looks through an answer.
    pub(super) fn look(&self, shape: &str, heard: &Heard, notes: &mut Notes) {
        let text = String::from_utf8_lossy(&heard.body);
        let mut text = text.into_owned();
        let heads = heard.headers.iter().map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let heads = heads.collect::<Vec<_>>().join("\n");
        for secret in self.secrets.iter().filter_map(|secret| secret.to_str().ok()) {
            if text.contains(secret) || heads.contains(secret) {
                let title = "sends back the credential that it was sent";
                notes.found(
                    "tells-credentials",
                    Severity::High,
                    title,
                    shape,
                    "the credential, which is not shown here",
                );
                text = text.replace(secret, "[credential]");
            }
        }
        for (rule, severity, title, sign) in COMPILED.iter() {
            if let Some(seen) = sign.find(&text) {
                notes.found(rule, *severity, title, shape, around(&text, seen.start(), seen.end()));
            }
        }
        self.versions(shape, heard, notes);
    }

    fn versions(&self, shape: &str, heard: &Heard, notes: &mut Notes) {
        for name in ["server", "x-powered-by", "x-aspnet-version"] {
            let said = heard.header(name).filter(|said| said.bytes().any(|byte| byte.is_ascii_digit()));
            let said = said
                .filter(|said| !self.secrets.iter().any(|secret| secret.to_str().is_ok_and(|one| said.contains(one))));
            if let Some(said) = said {
                let title = "tells which versions it is made of";
                notes.found("tells-versions", Severity::Note, title, shape, &format!("{name}: {said}"));
            }
        }
    }
}

/// What was found, with some of what stands around it.
fn around(text: &str, start: usize, end: usize) -> &str {
    let mut from = start.saturating_sub(AROUND);
    while !text.is_char_boundary(from) {
        from = from.saturating_sub(1);
    }
    let mut to = end.saturating_add(AROUND).min(text.len());
    while !text.is_char_boundary(to) {
        to = to.saturating_add(1);
    }
    text.get(from..to).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_an_expression() {
        assert_eq!(COMPILED.len(), SIGNS.len());
    }

    #[test]
    fn what_gives_it_away_is_told_and_other_errors_are_not() {
        let seen = |text: &str| -> Vec<_> {
            COMPILED.iter().filter(|(.., sign)| sign.is_match(text)).map(|(rule, ..)| *rule).collect()
        };
        assert_eq!(seen(r#"{"error":{"code":-32700,"message":"Parse error at line 1 column 52"}}"#), [""; 0]);
        assert_eq!(seen("TypeError: x\n    at Server.<anonymous> (index.js:12:7)"), ["tells-traces"]);
        assert_eq!(
            seen(r#"{"stack":"Error: x\\n    at run (/srv/desk/dist/a.js:3:1)"}"#),
            ["tells-traces", "tells-paths"]
        );
        assert_eq!(
            seen("Traceback (most recent call last):\n  File \"/app/desk/main.py\", line 3"),
            ["tells-traces", "tells-paths"]
        );
        assert_eq!(seen("ERROR: syntax error at or near \"'\""), ["tells-statements"]);
        assert_eq!(seen("connect ECONNREFUSED 10.3.0.7:5432"), ["tells-addresses"]);
    }
}
