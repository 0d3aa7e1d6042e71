//! What a server says of the credential it wants: `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use model::limits;

/// A challenge of the scheme `Bearer`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    /// The scopes that the request needs.
    pub scopes: Option<Vec<String>>,
    /// Where the server's metadata is.
    pub resource_metadata: Option<String>,
    /// What is wrong with the credential that was sent: `invalid_token`, `insufficient_scope`.
    pub error: Option<String>,
}

impl Challenge {
    /// The first bearer challenge among the headers; `None` if there is none that can be read.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()).find_map(Self::parse)
    }

    /// The first bearer challenge of one header.
    pub fn parse(value: &str) -> Option<Self> {
        if value.len() > limits::CHALLENGE_BYTES_MAX {
            return None;
        }
        let (mut rest, mut found) = (value, None::<Self>);
        // Challenges and their parameters are both parted by commas; a word with a space after it begins a challenge.
        while let Some((word, after)) = token(rest) {
            if let Some(after) = after.trim_start().strip_prefix('=') {
                let (value, after) = parameter(after.trim_start())?;
                if let Some(challenge) = &mut found {
                    challenge.take(word, value);
                }
                rest = after;
            } else {
                if found.is_some() {
                    break;
                }
                if word.eq_ignore_ascii_case("bearer") {
                    found = Some(Self::default());
                }
                rest = after;
            }
            rest = rest.trim_start_matches([' ', '\t', ',']);
        }
        found
    }

    fn take(&mut self, name: &str, value: String) {
        match name.to_ascii_lowercase().as_str() {
            // Said twice, it counts as it was said first.
            "scope" if self.scopes.is_none() => self.scopes = scopes(&value),
            "resource_metadata" if self.resource_metadata.is_none() => self.resource_metadata = Some(value),
            "error" if self.error.is_none() => self.error = Some(value),
            _ => {}
        }
    }

    /// Whether more scopes are asked for than the credential has.
    pub fn wants_more(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }
}

/// The scopes of a text, each once (RFC 6749 §3.3); `None` if one of them is none.
pub(crate) fn scopes(text: &str) -> Option<Vec<String>> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
        let is_scope = scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if !is_scope || scopes.len() == limits::METADATA_LIST_MAX {
            return None;
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Some(scopes)
}

/// A token of RFC 9110 §5.6.2, and what comes after it.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at_checked(end)).flatten()
}

/// A parameter's value, quoted or not, and what comes after it.
fn parameter(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, after) = token(text)?;
        return Some((value.to_owned(), after));
    };
    let (mut value, mut letters) = (String::new(), quoted.chars());
    loop {
        match letters.next()? {
            '"' => return Some((value, letters.as_str())),
            '\\' => value.push(letters.next()?),
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests;
