//! Texts in manifests, parsed once: a value of one of these types is well formed, whichever form it came in.

use std::fmt;
use std::str::FromStr;

use model::{is_canonical_uri, is_reserved_header, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares a text type that is checked when it is read and a plain string when it is written.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $check:ident, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                $check(text).map(Self).ok_or(TextError($rule))
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Why a text in a manifest is refused. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TextError(&'static str);

text!(
    /// A server's address, normalised.
    ServerUrl,
    server_url,
    "a server's url is `http://` or `https://`, a host and a path, without a user, a password or a fragment"
);
text!(
    /// A line of prose: an owner, a purpose, a title.
    Line,
    line,
    "use one line of 1 to 1024 bytes, without control characters"
);
text!(
    /// A scope of OAuth 2.1 (RFC 6749 §3.3).
    ScopeName,
    scope_name,
    "a scope is 1 to 256 visible ASCII characters but quotes and backslashes"
);
text!(
    /// The name of a header that may carry a credential, in lower case.
    CredentialHeader,
    credential_header,
    "use a header's name that is free for credentials, such as `authorization` or `x-api-key`"
);
text!(
    /// A name in a registry: who publishes it, and what they call it.
    PublishedName,
    published_name,
    "write the name as registries have it: `io.github.OWNER/NAME`, or your domain backwards, `com.example/NAME`"
);
text!(
    /// A SHA-256 digest, in lower case.
    Sha256,
    sha256,
    "a SHA-256 digest is 64 hexadecimal digits"
);
text!(
    /// One HTTP token: an authentication scheme.
    Token,
    token,
    "use letters, digits and `-`, such as `Bearer`"
);

text!(
    /// The program of a local server: an absolute path without `.` and `..`, or a bare name to be found on the `PATH`
    /// that the command is given.
    Program,
    program,
    "name a program by its absolute path, without `.` and `..`, or by its bare name, such as `npx`"
);
text!(
    /// A directory, by its absolute path.
    Directory,
    absolute,
    "name a directory by its absolute path, without `.` and `..`"
);
text!(
    /// One argument of a program, or the value of an environment variable, exactly as the program is given it: no shell
    /// reads it.
    Argument,
    argument,
    "use at most 4096 bytes, without control characters"
);
text!(
    /// The name of an environment variable that a local server may be given.
    Variable,
    variable,
    "use a variable's name of letters, digits and `_` that does not steer the loading of programs (`LD_…`, `DYLD_…`)"
);
text!(
    /// The beginning of resource URIs. It ends where a part of a URI ends: `crm://` and `file:///srv/crm` cover
    /// `file:///srv/crm/notes`, and `file:///srv/crm` does not cover `file:///srv/crm-secrets`.
    ResourcePrefix,
    resource_prefix,
    "write how the URIs begin, in their normal form, with the whole scheme, such as `crm://` or `file:///srv/crm/`"
);

impl PublishedName {
    /// Who publishes it.
    pub fn namespace(&self) -> &str {
        self.0.split_once('/').map_or("", |(namespace, _)| namespace)
    }
}

impl Default for CredentialHeader {
    fn default() -> Self {
        Self("authorization".to_owned())
    }
}

fn server_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host();
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let bounded = text.len() <= limits::URI_BYTES_MAX && url.as_str().len() <= limits::URI_BYTES_MAX;
    // The URL standard drops line breaks, turns `\` into `/` and `0x7f.1` into `127.0.0.1`. Another reader might not,
    // so a text that needs mending is refused, and the parser of the data path must find the same host in it.
    let unambiguous = !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\' || c == '@');
    let same_host = |text: &str| {
        let host = text.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_ascii_lowercase));
        host.is_some() && host.as_deref() == url.host_str()
    };
    let agreed = same_host(text) && same_host(url.as_str());
    (plain && bare && bounded && unambiguous && agreed).then(|| url.into())
}

fn line(text: &str) -> Option<String> {
    let fits = (1..=limits::MANIFEST_LINE_BYTES_MAX).contains(&text.len());
    (fits && !text.chars().any(char::is_control) && !text.trim().is_empty()).then(|| text.to_owned())
}

fn published_name(text: &str) -> Option<String> {
    let (namespace, name) = text.split_once('/')?;
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(letters)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A name that is an address backwards is nobody's.
    let has_letters = namespace.split('.').next().is_some_and(|top| !top.bytes().all(|byte| byte.is_ascii_digit()));
    let is_name = !name.is_empty() && name.bytes().all(|byte| letters(byte) || matches!(byte, b'.' | b'_'));
    let fits = text.len() <= limits::PUBLISHED_NAME_BYTES_MAX && namespace.contains('.');
    (fits && has_letters && is_name && namespace.split('.').all(is_label)).then(|| text.to_owned())
}

fn sha256(text: &str) -> Option<String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let fits = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    fits.then(|| digits.to_ascii_lowercase())
}

fn token(text: &str) -> Option<String> {
    let fits = (1..=limits::LABEL_BYTES_MAX).contains(&text.len());
    (fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')).then(|| text.to_owned())
}

fn scope_name(text: &str) -> Option<String> {
    let fits = (1..=limits::NAME_BYTES_MAX).contains(&text.len());
    (fits && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))).then(|| text.to_owned())
}

fn credential_header(text: &str) -> Option<String> {
    let name = token(text)?.to_ascii_lowercase();
    (!is_reserved_header(&name)).then_some(name)
}

fn program(text: &str) -> Option<String> {
    let bare = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+'));
    let named = bare && text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
    if named && text.len() <= limits::LABEL_BYTES_MAX { Some(text.to_owned()) } else { absolute(text) }
}

fn absolute(text: &str) -> Option<String> {
    let parts = text.strip_prefix('/')?.split('/');
    // Two spellings of one path would be two identities of one program, and `..` is read differently where links are.
    let plain = parts.into_iter().all(|part| !matches!(part, "" | "." | ".."));
    (plain && text.len() <= limits::COMMAND_TEXT_BYTES_MAX && !text.chars().any(char::is_control))
        .then(|| text.to_owned())
}

fn argument(text: &str) -> Option<String> {
    let fits = text.len() <= limits::COMMAND_TEXT_BYTES_MAX && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// What the dynamic loader and the C library obey before a program's own first instruction: with one of these, the
/// program that people read in the manifest is not the one that runs.
const LOADER: [&str; 5] = ["GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "LOCPATH", "NLSPATH"];
const LOADER_PREFIXES: [&str; 2] = ["LD_", "DYLD_"];
/// What makes a common interpreter run code that its command line does not name.
const CODE: [&str; 16] = [
    "BASH_ENV",
    "CLASSPATH",
    "ENV",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
    "_JAVA_OPTIONS",
];

fn variable(text: &str) -> Option<String> {
    let fits = (1..=limits::NAME_BYTES_MAX).contains(&text.len());
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let upper = text.to_ascii_uppercase();
    let loads = LOADER.contains(&upper.as_str()) || LOADER_PREFIXES.iter().any(|prefix| upper.starts_with(prefix));
    (fits && plain && begins && !loads).then(|| text.to_owned())
}

impl Variable {
    /// Whether common interpreters run code that the variable names: the approver is told.
    pub fn names_code(&self) -> bool {
        CODE.contains(&self.0.to_ascii_uppercase().as_str())
    }

    /// Whether the name says that the value is a secret, which belongs among the references.
    pub fn names_a_secret(&self) -> bool {
        const LAST: [&str; 8] =
            ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS", "APIKEY"];
        const ENDS: [&str; 4] = ["API_KEY", "ACCESS_KEY", "SECRET_KEY", "PRIVATE_KEY"];
        let upper = self.0.to_ascii_uppercase();
        let last = upper.rsplit('_').next().unwrap_or_default();
        LAST.contains(&last) || ENDS.iter().any(|end| upper.ends_with(end))
    }
}

fn resource_prefix(text: &str) -> Option<String> {
    is_canonical_uri(text).then(|| text.to_owned())
}

impl ResourcePrefix {
    /// Whether a URI begins with it, up to where a part of the URI ends.
    pub fn covers(&self, uri: &str) -> bool {
        let rest = uri.strip_prefix(self.as_str());
        rest.is_some_and(|rest| rest.is_empty() || self.ends_part() || rest.starts_with(['/', '?', '#']))
    }

    fn ends_part(&self) -> bool {
        self.0.ends_with([':', '/', '?', '#'])
    }

    /// Whether every URI of a template is covered: what comes before the template's first expression must be, however
    /// the expression is expanded.
    pub fn covers_template(&self, template: &str) -> bool {
        let literal = template.split('{').next().unwrap_or_default();
        // An expression right behind it could go on with the same part of the URI.
        let ends_first = self.ends_part() || literal.len() > self.0.len() || literal == template;
        ends_first && self.covers(literal)
    }

    /// Whether there can be a URI that both cover.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other.as_str()) || other.covers(self.as_str())
    }
}

#[cfg(test)]
mod tests;
