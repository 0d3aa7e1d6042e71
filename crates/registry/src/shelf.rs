//! The private registry: what clients find of the gate, in the answers of the registry API v0.1 of the Model Context Protocol.
//!
//! What clients can connect to are endpoints, so each endpoint that its manifest puts there, and that has a server in service,
//! is one entry. An entry tells a name, a purpose and the gate's own URL; nothing of the servers behind it, and nothing of who
//! may call them. There is one version of each, made of the moment of the last approval, so that it grows with each.
//!
//! Start with [`Shelf::list`]. The shapes are those of the API's `ServerList` and `ServerResponse`; `_meta` is always there,
//! because clients take it apart without looking.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Timestamp, limits};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Catalogue, Endpoint};

/// The format of an entry.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// What is the registry's own in an answer.
const OFFICIAL: &str = "io.modelcontextprotocol.registry/official";
/// Characters of a description.
const DESCRIPTION_CHARS_MAX: usize = 100;

/// How entries are named, and where they lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// What their names begin with: `com.example`.
    pub namespace: String,
    /// What their URLs begin with: `https://gate.example.com`.
    pub base: String,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most.
    pub limit: Option<String>,
    /// What their names hold.
    pub search: Option<String>,
    /// Since when they changed, as RFC 3339 writes it.
    pub updated_since: Option<String>,
    /// Which version of each: `latest`, or one.
    pub version: Option<String>,
}

/// Why there is no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The limit is no number.
    #[error("limit is a number from 1 on")]
    Limit,
    /// The moment is none.
    #[error("updated_since is a moment such as 2026-11-21T12:00:00Z")]
    Since,
    /// The cursor was not given out here.
    #[error("the cursor is none of this registry's")]
    Cursor,
    /// The search is too long.
    #[error("the search is too long")]
    Search,
}

/// Where a list goes on. Some clients leave out what they searched for when they go on, so it is in here.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    after: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    search: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<u64>,
}

/// An entry, read.
struct Entry<'catalogue> {
    name: String,
    endpoint: &'catalogue Endpoint,
    first: Timestamp,
    last: Timestamp,
}

impl Shelf {
    /// The list that a query asks for: `ServerList`.
    ///
    /// # Errors
    /// When the query cannot be read.
    pub fn list(&self, catalogue: &Catalogue, query: &Query) -> Result<Value, QueryError> {
        let limit = match query.limit.as_deref().map(str::parse) {
            None => limits::SHELF_PAGE,
            Some(Ok(limit @ 1..)) => limits::SHELF_PAGE_MAX.min(limit),
            Some(Ok(0) | Err(_)) => return Err(QueryError::Limit),
        };
        let asked = query.updated_since.as_deref().map(moment).transpose()?;
        let Cursor { after, search, since } = match &query.cursor {
            Some(cursor) => opened(cursor)?,
            None => Cursor { after: String::new(), search: query.search.clone(), since: asked },
        };
        if search.as_ref().is_some_and(|search| search.len() > limits::SHELF_SEARCH_BYTES_MAX) {
            return Err(QueryError::Search);
        }
        let wanted = search.as_deref().map(str::to_lowercase);
        let version = query.version.as_deref().filter(|version| *version != "latest");
        let fits = |entry: &Entry<'_>| {
            entry.name > after
                && wanted.as_ref().is_none_or(|wanted| entry.name.to_lowercase().contains(wanted))
                && since.is_none_or(|since| entry.last.0 >= since)
                && version.is_none_or(|version| entry.version() == version)
        };
        let all: Vec<_> = self.entries(catalogue).into_iter().filter(fits).collect();
        let page: Vec<_> = all.iter().take(limit).map(|entry| self.told(entry)).collect();
        let mut metadata = Map::from_iter([("count".to_owned(), page.len().into())]);
        if let Some(last) = all.get(limit.saturating_sub(1)).filter(|_| all.len() > limit) {
            let cursor = Cursor { after: last.name.clone(), search, since };
            metadata.insert("nextCursor".to_owned(), sealed(&cursor).into());
        }
        Ok(json!({ "servers": page, "metadata": metadata }))
    }

    /// All versions of an entry: `ServerList`; none if there is no such entry.
    pub fn versions(&self, catalogue: &Catalogue, name: &str) -> Option<Value> {
        let entry = self.version(catalogue, name, "latest")?;
        Some(json!({ "servers": [entry], "metadata": { "count": 1 } }))
    }

    /// One version of an entry: `ServerResponse`; none if there is no such entry, or no such version of it.
    pub fn version(&self, catalogue: &Catalogue, name: &str, version: &str) -> Option<Value> {
        let entries = self.entries(catalogue);
        let entry = entries.iter().find(|entry| entry.name == name)?;
        (version == "latest" || version == entry.version()).then(|| self.told(entry))
    }

    /// What is on the shelf, by name.
    fn entries<'catalogue>(&self, catalogue: &'catalogue Catalogue) -> Vec<Entry<'catalogue>> {
        let shown = catalogue.endpoints().filter(|endpoint| endpoint.manifest.catalogue);
        let mut entries: Vec<_> = shown
            .map(|endpoint| {
                let moments = endpoint.members.iter().filter_map(|member| member.server.approved);
                let (first, last) = (moments.clone().min(), moments.max());
                let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
                Entry { name: format!("{}/{}", self.namespace, endpoint.name), endpoint, first, last }
            })
            .collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries
    }

    fn told(&self, entry: &Entry<'_>) -> Value {
        let Entry { name, endpoint, first, last } = entry;
        let description: String = endpoint.manifest.purpose.as_str().chars().take(DESCRIPTION_CHARS_MAX).collect();
        let url = format!("{}/{}/mcp", self.base, endpoint.name);
        json!({
            "server": {
                "$schema": SCHEMA,
                "name": name,
                "description": description,
                "version": entry.version(),
                "remotes": [{ "type": "streamable-http", "url": url }],
            },
            "_meta": {
                OFFICIAL: {
                    "status": "active",
                    "publishedAt": written(*first),
                    "updatedAt": written(*last),
                    "isLatest": true,
                },
            },
        })
    }
}

impl Entry<'_> {
    /// Year, month and day, time: three numbers that grow, as semantic versions do.
    fn version(&self) -> String {
        let at = jiff::Timestamp::from_millisecond(i64::try_from(self.last.0).unwrap_or(i64::MAX)).unwrap_or_default();
        let at = at.to_zoned(jiff::tz::TimeZone::UTC);
        let day = i32::from(at.month()) * 100 + i32::from(at.day());
        let time = i32::from(at.hour()) * 10_000 + i32::from(at.minute()) * 100 + i32::from(at.second());
        format!("{}.{day}.{time}", at.year())
    }
}

/// A moment, as RFC 3339 writes it.
fn written(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(at.0).unwrap_or(i64::MAX)).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn moment(text: &str) -> Result<u64, QueryError> {
    let at: jiff::Timestamp = text.parse().map_err(|_| QueryError::Since)?;
    Ok(u64::try_from(at.as_millisecond()).unwrap_or_default())
}

fn sealed(cursor: &Cursor) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
}

fn opened(cursor: &str) -> Result<Cursor, QueryError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| QueryError::Cursor)?;
    serde_json::from_slice(&bytes).map_err(|_| QueryError::Cursor)
}

#[cfg(test)]
mod tests;
