//! `notes`: a team's notebook, kept as files in one directory by a server that its client starts.
//!
//! The other systems of the company listen on sockets; this one speaks on its standard input and output, as servers do
//! that people install on their own machine. [`serve_stdio`] is the whole program. It speaks both revisions, 2025-11-25
//! and 2026-07-28, as its client opens.
//!
//! A note is a file `NAME.md` in the directory. Names are lower-case letters, digits and hyphens, so that none leads
//! anywhere else; what is not a plain file is no note.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{
    Implementation, ListResourceTemplatesResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, ResourceContents, ResourceTemplate, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, Json, RoleServer, ServerHandler, ServiceExt, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::fs;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

/// Longest name of a note, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Longest note, in bytes.
const NOTE_BYTES_MAX: u64 = 64 * 1024;
/// Most notes that are looked at.
const NOTES_MAX: usize = 1_000;
/// Most lines a search returns.
const FOUND_MAX: usize = 50;
/// What stands before a note's name in a resource URI.
const NOTE_URI: &str = "notes://team/";

/// Serves the notebook in `directory` on standard input and output, until the input ends.
///
/// # Errors
/// When the directory is none, or the client breaks off before it has introduced itself.
pub async fn serve_stdio(directory: PathBuf) -> io::Result<()> {
    let (input, output) = rmcp::transport::stdio();
    serve(directory, input, output).await
}

async fn serve(
    directory: PathBuf,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
) -> io::Result<()> {
    if !fs::metadata(&directory).await?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "the notebook is not a directory"));
    }
    let running = Notes::new(directory).serve((input, output)).await.map_err(io::Error::other)?;
    running.waiting().await.map_err(io::Error::other)?;
    Ok(())
}

struct Notes {
    tools: ToolRouter<Self>,
    directory: PathBuf,
}

/// A note in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// The note's name, for example `returns-desk`.
    name: String,
    /// Its first line.
    title: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Entries {
    /// The notes, by name.
    notes: Vec<Entry>,
}

/// A note.
#[derive(Debug, Serialize, JsonSchema)]
struct Note {
    /// The note's name, for example `returns-desk`.
    name: String,
    /// Its text, in Markdown.
    text: String,
}

/// One line that a search found.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    /// The note's name, for example `returns-desk`.
    name: String,
    /// The line's number, from 1.
    line: usize,
    /// The line.
    text: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Lines {
    /// The lines found, by note and line; at most 50.
    found: Vec<Line>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByName {
    /// The note's name, for example `returns-desk`.
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Append {
    /// The note's name: lower-case letters, digits and hyphens. A note that is not there yet begins.
    name: String,
    /// What to write below what is there, in Markdown.
    text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// What to look for; case does not matter. At least two characters.
    query: String,
}

impl Notes {
    fn new(directory: PathBuf) -> Self {
        Self { tools: Self::tool_router(), directory }
    }

    /// The names of all notes, in order.
    async fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        let mut directory = fs::read_dir(&self.directory).await?;
        while let Some(entry) = directory.next_entry().await? {
            let file = entry.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".md"));
            if let Some(name) = name.filter(|name| is_name(name))
                && entry.file_type().await?.is_file()
                && names.len() < NOTES_MAX
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Where a note is or would be, and its text if it is.
    async fn find(&self, name: &str) -> Result<(PathBuf, Option<String>), String> {
        if !is_name(name) {
            return Err("A note's name is lower-case letters, digits and hyphens, 64 at most.".to_owned());
        }
        let path = self.directory.join(format!("{name}.md"));
        let text = read(&path).await.map_err(unreadable)?;
        Ok((path, text))
    }

    async fn text(&self, name: &str) -> Result<String, String> {
        let (_, text) = self.find(name).await?;
        text.ok_or_else(|| format!("There is no note `{name}`. Use list_notes to see which there are."))
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain)
}

/// A note's text; `None` where nothing is.
async fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::symlink_metadata(path).await {
        Ok(metadata) if metadata.is_file() && metadata.len() <= NOTE_BYTES_MAX => {
            fs::read_to_string(path).await.map(Some)
        }
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a note")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn unreadable(error: io::Error) -> String {
    format!("The notebook cannot be used: {}.", error.kind())
}

#[tool_router]
impl Notes {
    #[tool(
        description = "Lists the team's notes: names and first lines.",
        annotations(title = "List notes", read_only_hint = true, open_world_hint = false)
    )]
    async fn list_notes(&self) -> Result<Json<Entries>, String> {
        let mut notes = Vec::new();
        for name in self.names().await.map_err(unreadable)? {
            let title = self.text(&name).await?.lines().next().unwrap_or_default().to_owned();
            notes.push(Entry { name, title });
        }
        Ok(Json(Entries { notes }))
    }

    #[tool(
        description = "Returns one of the team's notes, whole.",
        annotations(title = "Read a note", read_only_hint = true, open_world_hint = false)
    )]
    async fn read_note(&self, Parameters(ByName { name }): Parameters<ByName>) -> Result<Json<Note>, String> {
        let text = self.text(&name).await?;
        Ok(Json(Note { name, text }))
    }

    #[tool(
        description = "Finds lines in the team's notes.",
        annotations(title = "Search notes", read_only_hint = true, open_world_hint = false)
    )]
    async fn search_notes(&self, Parameters(Search { query }): Parameters<Search>) -> Result<Json<Lines>, String> {
        let wanted = query.trim().to_lowercase();
        if wanted.chars().count() < 2 {
            return Err("Give at least two characters to look for.".to_owned());
        }
        let mut found = Vec::new();
        for name in self.names().await.map_err(unreadable)? {
            let text = self.text(&name).await?;
            let lines = text.lines().enumerate().filter(|(_, line)| line.to_lowercase().contains(&wanted));
            found.extend(lines.map(|(index, line)| Line {
                name: name.clone(),
                line: index + 1,
                text: line.to_owned(),
            }));
        }
        found.truncate(FOUND_MAX);
        Ok(Json(Lines { found }))
    }

    #[tool(
        description = "Writes below what stands in one of the team's notes. Nothing that is there changes.",
        annotations(
            title = "Append to a note",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn append_note(&self, Parameters(Append { name, text }): Parameters<Append>) -> Result<Json<Note>, String> {
        let (path, there) = self.find(&name).await?;
        let mut there = there.unwrap_or_default();
        let added = format!("{}\n", text.trim_end());
        if there.len() + added.len() > usize::try_from(NOTE_BYTES_MAX).unwrap_or(usize::MAX) {
            return Err(format!("The note `{name}` would become longer than {NOTE_BYTES_MAX} bytes."));
        }
        let mut file = fs::OpenOptions::new().append(true).create(true).open(&path).await.map_err(unreadable)?;
        file.write_all(added.as_bytes()).await.map_err(unreadable)?;
        file.flush().await.map_err(unreadable)?;
        there.push_str(&added);
        Ok(Json(Note { name, text: there }))
    }
}

#[tool_handler(router = self.tools)]
impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_resources().build())
            .with_server_info(Implementation::new("notes", "0.4.1"))
            .with_instructions("The team's notebook. Notes are Markdown; append, never rewrite.")
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&[ProtocolVersion::V_2026_07_28, ProtocolVersion::V_2025_11_25])
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new(format!("{NOTE_URI}{{name}}"), "note")
            .with_title("A note")
            .with_description("One of the team's notes.")
            .with_mime_type("text/markdown");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let missing = || ErrorData::resource_not_found("there is no such note", None);
        let name = request.uri.strip_prefix(NOTE_URI).ok_or_else(missing)?;
        let text = self.text(name).await.map_err(|_told| missing())?;
        let contents = ResourceContents::text(text, request.uri).with_mime_type("text/markdown");
        Ok(ReadResourceResult::new(vec![contents]).into())
    }
}

#[cfg(test)]
mod tests;
