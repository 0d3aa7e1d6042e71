//! The clients whose settings are known: where they keep them, and what an entry looks like there.

use std::fmt;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

/// A client that starts local servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// Claude Desktop
    ClaudeDesktop,
    /// Claude Code
    ClaudeCode,
    /// Cursor
    Cursor,
    /// Visual Studio Code
    Vscode,
    /// Codex
    Codex,
    /// Gemini CLI
    Gemini,
}

/// How a client's file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON, perhaps with comments; servers are members of this section.
    Json { section: &'static str },
    /// Codex's TOML.
    Toml,
}

/// The systems whose folders are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Unix,
    Mac,
    Windows,
}

impl System {
    pub(super) fn this() -> Self {
        if cfg!(target_os = "macos") {
            Self::Mac
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::Unix
        }
    }
}

/// Whose settings: the user's everywhere, or those of the folder the command runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    User,
    Project,
}

/// What the folders of settings depend on.
pub(super) struct Surroundings<'a> {
    pub(super) system: System,
    pub(super) home: PathBuf,
    /// The value of an environment variable.
    pub(super) variable: &'a dyn Fn(&str) -> Option<PathBuf>,
}

impl Client {
    pub(super) fn form(self) -> Form {
        match self {
            Self::ClaudeDesktop | Self::ClaudeCode | Self::Cursor | Self::Gemini => {
                Form::Json { section: "mcpServers" }
            }
            Self::Vscode => Form::Json { section: "servers" },
            Self::Codex => Form::Toml,
        }
    }

    /// The entry that starts `command` with `arguments`.
    pub(super) fn entry(self, command: &str, arguments: &[String]) -> Map<String, Value> {
        let mut entry = Map::new();
        match self {
            Self::ClaudeCode | Self::Cursor | Self::Vscode => drop(entry.insert("type".to_owned(), json!("stdio"))),
            // These know a local server by its command; Gemini's `type` is for remote ones.
            Self::ClaudeDesktop | Self::Codex | Self::Gemini => {}
        }
        entry.insert("command".to_owned(), json!(command));
        entry.insert("args".to_owned(), json!(arguments));
        entry
    }

    /// The file that holds its servers; `None` for a client that has none for a project.
    pub(super) fn file(self, scope: Scope, around: &Surroundings<'_>) -> Option<PathBuf> {
        match scope {
            Scope::User => Some(self.user_file(around)),
            Scope::Project => self.project_file().map(PathBuf::from),
        }
    }

    fn user_file(self, around: &Surroundings<'_>) -> PathBuf {
        let variable = around.variable;
        match self {
            Self::ClaudeDesktop => around.settings().join("Claude").join("claude_desktop_config.json"),
            Self::ClaudeCode => {
                variable("CLAUDE_CONFIG_DIR").unwrap_or_else(|| around.home.clone()).join(".claude.json")
            }
            Self::Cursor => around.home.join(".cursor").join("mcp.json"),
            Self::Vscode => around.settings().join("Code").join("User").join("mcp.json"),
            Self::Codex => variable("CODEX_HOME").unwrap_or_else(|| around.home.join(".codex")).join("config.toml"),
            Self::Gemini => around.home.join(".gemini").join("settings.json"),
        }
    }

    fn project_file(self) -> Option<&'static str> {
        match self {
            Self::ClaudeDesktop => None,
            Self::ClaudeCode => Some(".mcp.json"),
            Self::Cursor => Some(".cursor/mcp.json"),
            Self::Vscode => Some(".vscode/mcp.json"),
            Self::Codex => Some(".codex/config.toml"),
            Self::Gemini => Some(".gemini/settings.json"),
        }
    }

    /// What makes it read its settings again.
    pub(super) fn then(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "quit Claude Desktop and start it again",
            Self::ClaudeCode => "start a new session of Claude Code; `/mcp` shows its servers",
            Self::Cursor => "restart Cursor; its settings list the servers under MCP",
            Self::Vscode => "run `MCP: List Servers` in Visual Studio Code and start it there",
            Self::Codex => "start a new session of Codex; `/mcp` shows its servers",
            Self::Gemini => "start a new session of Gemini CLI; `/mcp` shows its servers",
        }
    }
}

impl Surroundings<'_> {
    /// Where applications with windows keep their settings.
    fn settings(&self) -> PathBuf {
        match self.system {
            System::Mac => self.home.join("Library").join("Application Support"),
            System::Windows => {
                let set = (self.variable)("APPDATA");
                set.unwrap_or_else(|| self.home.join("AppData").join("Roaming"))
            }
            System::Unix => (self.variable)("XDG_CONFIG_HOME").unwrap_or_else(|| self.home.join(".config")),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::Vscode => "Visual Studio Code",
            Self::Codex => "Codex",
            Self::Gemini => "Gemini CLI",
        })
    }
}

#[cfg(test)]
mod tests;
