//! Reading a server's lists, within bounds, and setting aside what nobody can use.

use std::collections::HashSet;

use model::{Digest, PromptName, ToolName, canonical_json, limits};
use serde_json::Value;
use wire::{ParamHeaders, outgoing};

use crate::ask::{Line, Question, printable};
use crate::{AskError, DiscoverError};

const METHOD_NOT_FOUND: i64 = -32601;

/// One definition, with the name it has in its list.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The tool's or prompt's name, or the URI template.
    pub name: String,
    /// The definition, whole.
    pub value: Value,
}

/// A definition that nobody can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The list it stands in.
    pub listing: Listing,
    /// Its name, shortened and made printable; empty if it has none.
    pub name: String,
    /// Why it cannot be used.
    pub why: String,
}

/// A list of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resource templates.
    Templates,
}

impl Listing {
    /// Every list, in the order they are read.
    pub const ALL: [Self; 3] = [Self::Tools, Self::Prompts, Self::Templates];

    /// The method that reads the list.
    pub fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Templates => "resources/templates/list",
        }
    }

    /// The capability of a server that has the list.
    pub(crate) fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Templates => "resources",
        }
    }

    /// The member of a result that holds the list.
    fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Templates => "resourceTemplates",
        }
    }

    /// The member of a definition that names it.
    fn name(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Templates => "uriTemplate",
        }
    }
}

/// Reads lists, within bounds that hold for all of a server's lists together.
pub(crate) struct Reader<'a> {
    line: Line<'a>,
    asked: i64,
    count: usize,
    bytes: usize,
    excluded: Vec<Excluded>,
}

impl<'a> Reader<'a> {
    /// Puts its questions through `line`, numbered from 2 on; 1 is the introduction's.
    pub(crate) fn new(line: Line<'a>) -> Self {
        Self { line, asked: 1, count: 0, bytes: 0, excluded: Vec::new() }
    }

    /// What was set aside.
    pub(crate) fn excluded(self) -> Vec<Excluded> {
        self.excluded
    }

    /// All pages of one list.
    pub(crate) async fn all(&mut self, listing: Listing) -> Result<Vec<Named>, DiscoverError> {
        let method = listing.method();
        let mut listed = Vec::new();
        let (mut names, mut repeated) = (HashSet::new(), Vec::new());
        let mut cursors = HashSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..limits::LISTING_PAGES_MAX {
            let (items, next) = self.page(listing, cursor.as_deref()).await?;
            for item in items {
                let name = item.get(listing.name()).and_then(Value::as_str).unwrap_or_default().to_owned();
                if !name.is_empty() && !names.insert(name.clone()) && repeated.len() < 10 {
                    repeated.push(printable(&name));
                }
                if let Some(named) = self.take(listing, name, item)? {
                    listed.push(named);
                }
            }
            let Some(next) = next else {
                return if repeated.is_empty() {
                    Ok(listed)
                } else {
                    Err(DiscoverError::Duplicates { method, names: repeated })
                };
            };
            if !cursors.insert(Digest::of(next.as_bytes())) {
                return Err(DiscoverError::CursorRepeated { method });
            }
            cursor = Some(next);
        }
        Err(DiscoverError::TooMuch { bound: format!("{} pages of `{method}`", limits::LISTING_PAGES_MAX) })
    }

    /// One page: its items, and the cursor of the next.
    async fn page(
        &mut self,
        listing: Listing,
        cursor: Option<&str>,
    ) -> Result<(Vec<Value>, Option<String>), DiscoverError> {
        self.asked += 1;
        let question = Question::new(listing.method(), self.asked);
        let request = outgoing::list(self.line.revision(), listing.method(), cursor, &question.id);
        let mut page = match question.ask(self.line, request).await {
            // A server may have resources and no templates, and not know the method at all.
            Err(AskError::Answered { code: METHOD_NOT_FOUND, .. }) if listing == Listing::Templates => {
                return Ok((Vec::new(), None));
            }
            page => page?,
        };
        let Some(Value::Array(items)) = page.remove(listing.member()) else {
            return Err(question.malformed(format!("`{}` is no list", listing.member())).into());
        };
        match page.remove("nextCursor") {
            Some(Value::String(next)) if !next.is_empty() => Ok((items, Some(next))),
            Some(Value::String(_) | Value::Null) | None => Ok((items, None)),
            Some(_) => Err(question.malformed("`nextCursor` is no text").into()),
        }
    }

    /// Counts a definition, and sets it aside if nobody can use it.
    fn take(&mut self, listing: Listing, name: String, value: Value) -> Result<Option<Named>, DiscoverError> {
        self.count += 1;
        if self.count > limits::DEFINITIONS_PER_SERVER_MAX {
            let bound = format!("{} definitions", limits::DEFINITIONS_PER_SERVER_MAX);
            return Err(DiscoverError::TooMuch { bound });
        }
        let canonical = canonical_json(&value).map(|canonical| canonical.len());
        self.bytes = self.bytes.saturating_add(canonical.as_ref().copied().unwrap_or_default());
        if self.bytes > limits::DEFINITIONS_BYTES_MAX {
            let bound = format!("{} bytes of definitions", limits::DEFINITIONS_BYTES_MAX);
            return Err(DiscoverError::TooMuch { bound });
        }
        let why = match canonical {
            Err(_) => Some("it has no canonical form".to_owned()),
            Ok(bytes) if bytes > limits::DEFINITION_BYTES_MAX => {
                Some(format!("it has more than {} bytes", limits::DEFINITION_BYTES_MAX))
            }
            Ok(_) => unusable(listing, &name, &value),
        };
        if let Some(why) = why {
            self.excluded.push(Excluded { listing, name: printable(&name), why });
            return Ok(None);
        }
        Ok(Some(Named { name, value }))
    }
}

/// Why nobody can use a definition, if so.
fn unusable(listing: Listing, name: &str, value: &Value) -> Option<String> {
    match listing {
        Listing::Tools => {
            let named = name.parse::<ToolName>().map(drop).map_err(|error| error.to_string());
            let schema = value.get("inputSchema").unwrap_or(&Value::Null);
            // The specification has clients leave such tools out (MCP 2026-07-28, streamable HTTP, SEP-2243).
            let annotated = || ParamHeaders::compile(schema).map(drop).map_err(|error| error.to_string());
            named.and_then(|()| annotated()).err()
        }
        Listing::Prompts => name.parse::<PromptName>().err().map(|error| error.to_string()),
        Listing::Templates if name.is_empty() || name.len() > limits::URI_BYTES_MAX => {
            Some(format!("a URI template has 1 to {} bytes", limits::URI_BYTES_MAX))
        }
        Listing::Templates if name.chars().any(char::is_control) => {
            Some("its URI template has control characters".to_owned())
        }
        Listing::Templates => None,
    }
}
