//! The clients whose settings are known: what they are called, and what an entry looks like there.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A program that connects agents to servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// Claude Desktop.
    ClaudeDesktop,
    /// Claude Code.
    ClaudeCode,
    /// Cursor.
    Cursor,
    /// Visual Studio Code, its insiders' build and `VSCodium`.
    Vscode,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Windsurf.
    Windsurf,
    /// Zed.
    Zed,
    /// Cline, in an editor or on its own.
    Cline,
    /// `JetBrains` IDEs: AI Assistant, Junie, and Copilot in them.
    Jetbrains,
    /// Continue.
    Continue,
}

impl Client {
    /// Every client.
    pub const ALL: [Self; 11] = [
        Self::ClaudeDesktop,
        Self::ClaudeCode,
        Self::Cursor,
        Self::Vscode,
        Self::Codex,
        Self::Gemini,
        Self::Windsurf,
        Self::Zed,
        Self::Cline,
        Self::Jetbrains,
        Self::Continue,
    ];

    /// Its name in commands and documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "claude-desktop",
            Self::ClaudeCode => "claude-code",
            Self::Cursor => "cursor",
            Self::Vscode => "vscode",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Windsurf => "windsurf",
            Self::Zed => "zed",
            Self::Cline => "cline",
            Self::Jetbrains => "jetbrains",
            Self::Continue => "continue",
        }
    }

    /// The entry that starts `command` with `arguments`.
    pub fn entry(self, command: &str, arguments: &[String]) -> Map<String, Value> {
        let mut entry = Map::new();
        match self {
            Self::ClaudeCode | Self::Cursor | Self::Vscode => drop(entry.insert("type".to_owned(), json!("stdio"))),
            Self::Zed => drop(entry.insert("source".to_owned(), json!("custom"))),
            // These know a local server by its command; Gemini's `type` is for remote ones.
            Self::ClaudeDesktop
            | Self::Codex
            | Self::Gemini
            | Self::Windsurf
            | Self::Cline
            | Self::Jetbrains
            | Self::Continue => {}
        }
        entry.insert("command".to_owned(), json!(command));
        entry.insert("args".to_owned(), json!(arguments));
        entry
    }

    /// What makes it read its settings again.
    pub fn then(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "quit Claude Desktop and start it again",
            Self::ClaudeCode => "start a new session of Claude Code; `/mcp` shows its servers",
            Self::Cursor => "restart Cursor; its settings list the servers under MCP",
            Self::Vscode => "run `MCP: List Servers` in Visual Studio Code and start it there",
            Self::Codex => "start a new session of Codex; `/mcp` shows its servers",
            Self::Gemini => "start a new session of Gemini CLI; `/mcp` shows its servers",
            Self::Windsurf => "refresh the servers in Windsurf's MCP panel",
            Self::Zed => "look at Zed's agent panel; it starts the server by itself",
            Self::Cline => "look at the MCP servers in Cline; it reads the file again by itself",
            Self::Jetbrains => "restart the IDE; its settings list the servers under AI Assistant",
            Self::Continue => "reload Continue; its settings list the servers under Tools",
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
            Self::Windsurf => "Windsurf",
            Self::Zed => "Zed",
            Self::Cline => "Cline",
            Self::Jetbrains => "JetBrains",
            Self::Continue => "Continue",
        })
    }
}
