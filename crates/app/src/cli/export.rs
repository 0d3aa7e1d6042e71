//! `portcullis server export`: settings for clients that administrators manage, so that what they may connect to is what goes
//! through the gate.
//!
//! Each client has files of its own; which, and what each key means, stands beside it below. What they hold are URLs of this
//! gate and nothing else. They are a help: a client that ignores them gets no further, because servers are reached through the
//! gate or not at all.

use std::path::{Path, PathBuf};

use admin::view::EndpointRow;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::Gate;
use super::failure::Failure;
use super::paint::{self, FAINT, NAME, visible, wrapped};

/// What is to be written, and for which client.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The client
    #[arg(long = "for", value_name = "CLIENT")]
    client: Managed,
    /// Only this endpoint; may be given several times. Without it, every endpoint in service
    #[arg(long, value_name = "ENDPOINT")]
    endpoint: Vec<String>,
    /// Write the files into this directory instead of showing them
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// The clients whose settings can be managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Managed {
    /// Claude Code: `managed-mcp.json` and `managed-settings.json`
    ClaudeCode,
    /// Visual Studio Code: `mcp.json` and `policy.json`
    Vscode,
    /// Cursor: `mcp.json`
    Cursor,
    /// GitHub Copilot: `managed-settings.json`
    Copilot,
}

/// A file to be put somewhere.
struct File {
    name: &'static str,
    /// Where it belongs.
    place: &'static str,
    content: Value,
}

/// An endpoint: its name, and where agents reach it.
type Reached = (String, String);

impl Export {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let rows: Vec<EndpointRow> = gate.client()?.get("/endpoints").await?;
        let (reached, base) = self.chosen(&rows)?;
        // A registry that lists nothing would leave everybody without anything.
        let is_listed = rows.iter().any(|row| row.manifest.catalogue);
        let files = files(self.client, &reached, &base, is_listed);
        match &self.into {
            Some(directory) => write(directory, &files),
            None => {
                let named = files.iter().map(|file| (file.name.to_owned(), file.content.clone()));
                let all: Value = named.collect::<Map<_, _>>().into();
                gate.print(&all, |_| files.iter().map(shown).collect())
            }
        }
    }

    /// The endpoints that were asked for, and what their URLs begin with.
    fn chosen(&self, rows: &[EndpointRow]) -> Result<(Vec<Reached>, String), Failure> {
        let named = |row: &&EndpointRow| match self.endpoint.is_empty() {
            true => row.in_service,
            false => self.endpoint.iter().any(|name| name == row.manifest.name.as_str()),
        };
        if let Some(name) =
            self.endpoint.iter().find(|name| !rows.iter().any(|row| row.manifest.name.as_str() == **name))
        {
            return Err(Failure::usage(format!("there is no endpoint `{name}`")).with_next("portcullis endpoint list"));
        }
        let chosen: Vec<_> = rows.iter().filter(named).collect();
        let reached: Vec<Reached> =
            chosen.iter().filter_map(|row| Some((row.manifest.name.to_string(), row.url.clone()?))).collect();
        let base = reached.first().and_then(|(name, url)| url.strip_suffix(&format!("/{name}/mcp")));
        let Some(base) = base.map(str::to_owned) else {
            return Err(Failure::new("no endpoint is in service, or nobody knows how agents reach the gate")
                .with_next("approve a server behind one, and name `public_url` in `[agents]`"));
        };
        Ok((reached, base))
    }
}

/// The files of a client.
fn files(client: Managed, reached: &[Reached], base: &str, is_listed: bool) -> Vec<File> {
    let servers = |entry: fn(&str) -> Value| -> Value {
        reached.iter().map(|(name, url)| (name.clone(), entry(url))).collect::<Map<_, _>>().into()
    };
    let typed = |url: &str| json!({ "type": "http", "url": url });
    // The host and every path of it: what stands behind `/` is this gate's to decide.
    let everything_here = json!([{ "serverUrl": format!("{base}/*") }]);
    match client {
        Managed::ClaudeCode => vec![
            File {
                name: "managed-mcp.json",
                place: "/etc/claude-code/ on Linux, /Library/Application Support/ClaudeCode/ on macOS, \
                        C:\\Program Files\\ClaudeCode\\ on Windows: these servers, and no others",
                content: json!({ "mcpServers": servers(typed) }),
            },
            File {
                name: "managed-settings.json",
                place: "the same folder, or settings that a server manages: for people who add servers themselves, only \
                        those of the gate",
                content: json!({ "allowManagedMcpServersOnly": true, "allowedMcpServers": everything_here }),
            },
        ],
        Managed::Vscode => {
            let mut policy = Map::new();
            if is_listed {
                // `chat.mcp.gallery.serviceUrl` and `chat.mcp.access`, under the names that policies have for them.
                policy.insert("McpGalleryServiceUrl".to_owned(), base.into());
                policy.insert("ChatMCP".to_owned(), "registry".into());
            }
            let mut files = vec![File {
                name: "mcp.json",
                place: "a profile's folder, or .vscode/ of a project",
                content: json!({ "servers": servers(typed) }),
            }];
            if !policy.is_empty() {
                files.push(File {
                    name: "policy.json",
                    place: "/etc/vscode/ on Linux; on Windows and macOS the same names by group policy or profile. \
                            `[catalogue]` must be open for it",
                    content: policy.into(),
                });
            }
            files
        }
        Managed::Cursor => vec![File {
            name: "mcp.json",
            place: "~/.cursor/ or .cursor/ of a project; what else may be connected to is kept in the team's dashboard",
            content: json!({ "mcpServers": servers(|url| json!({ "url": url })) }),
        }],
        Managed::Copilot => vec![File {
            name: "managed-settings.json",
            place: "the enterprise's .github-private repository, or users' machines: only servers of the gate. Leave \
                    the restriction to a registry off beside it",
            content: json!({ "allowedMcpServers": everything_here }),
        }],
    }
}

fn text(content: &Value) -> String {
    // A value of strings always has a text.
    format!("{}\n", serde_json::to_string_pretty(content).unwrap_or_default())
}

fn shown(file: &File) -> String {
    let place = wrapped(&visible(file.place), 2);
    format!("{NAME}{}{NAME:#}\n  {FAINT}{place}{FAINT:#}\n{}\n", file.name, text(&file.content))
}

fn write(directory: &Path, files: &[File]) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)
        .map_err(|error| Failure::new(format!("cannot make `{}`: {error}", directory.display())))?;
    for file in files {
        let path = directory.join(file.name);
        // What is there is somebody's, and may hold more than this.
        let mut options = std::fs::OpenOptions::new();
        let opened = options.write(true).create_new(true).open(&path);
        let written =
            opened.and_then(|mut opened| std::io::Write::write_all(&mut opened, text(&file.content).as_bytes()));
        written.map_err(|error| {
            Failure::new(format!("cannot write `{}`: {error}", path.display()))
                .with_next("name a directory without these files")
        })?;
        paint::out(&format!("{NAME}{}{NAME:#}\n  {FAINT}{}{FAINT:#}\n", path.display(), wrapped(file.place, 2)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
