//! Where the clients keep their servers: for everybody on a machine, for one user, for one project.
//!
//! [`Client::file`] is the one file that an entry is written into; [`spots`] is everything that is read. Folders of one
//! user's applications differ by system and by environment, which come in as [`Surroundings`].

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Client, Files};

/// How a file is written, and where in it servers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON, perhaps with comments; servers are members of this section.
    Json {
        /// The section's name.
        section: &'static str,
    },
    /// JSON, perhaps with comments; servers are members of what is found on this path.
    JsonWithin {
        /// Names, from the outside.
        path: [&'static str; 2],
    },
    /// Claude Code's own file, which has a section for each project beside the user's.
    Projects,
    /// Codex's TOML.
    Toml,
    /// Continue's YAML.
    Yaml,
    /// The options of a `JetBrains` IDE.
    Xml,
}

/// The systems whose folders are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux, and what is like it.
    Unix,
    /// macOS.
    Mac,
    /// Windows.
    Windows,
}

impl System {
    /// The one this program was built for.
    pub fn this() -> Self {
        if cfg!(target_os = "macos") {
            Self::Mac
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::Unix
        }
    }

    /// Its name in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unix => "linux",
            Self::Mac => "macos",
            Self::Windows => "windows",
        }
    }
}

/// Whom settings are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everybody on the machine.
    Machine,
    /// One user, everywhere.
    User,
    /// Whoever works in one folder.
    Project,
}

/// What the folders of settings depend on.
pub struct Surroundings<'a> {
    /// The system.
    pub system: System,
    /// The user's home.
    pub home: PathBuf,
    /// The value of an environment variable, if it is set and not empty.
    pub variable: &'a dyn Fn(&str) -> Option<PathBuf>,
}

/// A file that a client reads, if it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The client.
    pub client: Client,
    /// Whom it is for.
    pub scope: Scope,
    /// Where it is.
    pub path: PathBuf,
    /// How it is written.
    pub form: Form,
}

const SERVERS: Form = Form::Json { section: "servers" };
const MCP_SERVERS: Form = Form::Json { section: "mcpServers" };
const CONTEXT_SERVERS: Form = Form::Json { section: "context_servers" };
const MCP_IN_SETTINGS: Form = Form::JsonWithin { path: ["mcp", "servers"] };
/// Editors that are Visual Studio Code under another name, by their folder.
const CODES: [&str; 3] = ["Code", "Code - Insiders", "VSCodium"];
/// Editors that are made from Visual Studio Code and take its extensions, by their folder.
const EDITORS: [&str; 5] = ["Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf"];

impl Client {
    /// The clients into whose settings an entry can be written without one being there.
    pub const WRITTEN: [Self; 6] =
        [Self::ClaudeDesktop, Self::ClaudeCode, Self::Cursor, Self::Vscode, Self::Codex, Self::Gemini];

    /// How its own file is written.
    pub fn form(self) -> Form {
        match self {
            Self::ClaudeDesktop
            | Self::ClaudeCode
            | Self::Cursor
            | Self::Gemini
            | Self::Windsurf
            | Self::Cline
            | Self::Jetbrains => MCP_SERVERS,
            Self::Vscode => SERVERS,
            Self::Zed => CONTEXT_SERVERS,
            Self::Codex => Form::Toml,
            Self::Continue => Form::Yaml,
        }
    }

    /// The file that holds its servers; `None` for a client that has none for a project, or no single one.
    pub fn file(self, scope: Scope, around: &Surroundings<'_>) -> Option<PathBuf> {
        match scope {
            Scope::User => self.user_file(around),
            Scope::Project => self.project_file().map(PathBuf::from),
            Scope::Machine => None,
        }
    }

    fn user_file(self, around: &Surroundings<'_>) -> Option<PathBuf> {
        let variable = around.variable;
        let home = &around.home;
        match self {
            Self::ClaudeDesktop => Some(around.settings().join("Claude").join("claude_desktop_config.json")),
            Self::ClaudeCode => {
                Some(variable("CLAUDE_CONFIG_DIR").unwrap_or_else(|| home.clone()).join(".claude.json"))
            }
            Self::Cursor => Some(home.join(".cursor").join("mcp.json")),
            Self::Vscode => Some(around.settings().join("Code").join("User").join("mcp.json")),
            Self::Codex => Some(variable("CODEX_HOME").unwrap_or_else(|| home.join(".codex")).join("config.toml")),
            Self::Gemini => Some(home.join(".gemini").join("settings.json")),
            Self::Windsurf => Some(home.join(".codeium").join("windsurf").join("mcp_config.json")),
            Self::Zed => Some(match around.system {
                System::Windows => around.settings().join("Zed").join("settings.json"),
                System::Unix | System::Mac => around.dotted_settings().join("zed").join("settings.json"),
            }),
            Self::Continue => Some(home.join(".continue").join("config.yaml")),
            Self::Cline | Self::Jetbrains => None,
        }
    }

    fn project_file(self) -> Option<&'static str> {
        match self {
            Self::ClaudeCode => Some(".mcp.json"),
            Self::Cursor => Some(".cursor/mcp.json"),
            Self::Vscode => Some(".vscode/mcp.json"),
            Self::Codex => Some(".codex/config.toml"),
            Self::Gemini => Some(".gemini/settings.json"),
            Self::Zed => Some(".zed/settings.json"),
            Self::Jetbrains => Some(".ai/mcp/mcp.json"),
            Self::ClaudeDesktop | Self::Windsurf | Self::Cline | Self::Continue => None,
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
            System::Unix => self.dotted_settings(),
        }
    }

    /// Where programs of Unix keep theirs, on whatever system.
    fn dotted_settings(&self) -> PathBuf {
        (self.variable)("XDG_CONFIG_HOME").unwrap_or_else(|| self.home.join(".config"))
    }

    /// Where applications on Windows keep what stays on one machine.
    fn local_settings(&self) -> PathBuf {
        let set = (self.variable)("LOCALAPPDATA");
        set.unwrap_or_else(|| self.home.join("AppData").join("Local"))
    }
}

/// Every file that a client would read for this user; those of projects are [`project_spots`].
pub fn spots(around: &Surroundings<'_>, files: &dyn Files) -> Vec<Spot> {
    let mut spots = Vec::new();
    let mut add = |client, scope, path, form| spots.push(Spot { client, scope, path, form });
    for client in Client::ALL {
        if let Some(path) = client.file(Scope::User, around) {
            add(client, Scope::User, path, client.form());
        }
    }
    if let Some(path) = Client::ClaudeCode.file(Scope::User, around) {
        add(Client::ClaudeCode, Scope::Project, path, Form::Projects);
    }
    let settings = around.settings();
    for code in CODES {
        let user = settings.join(code).join("User");
        if code != "Code" {
            add(Client::Vscode, Scope::User, user.join("mcp.json"), SERVERS);
        }
        add(Client::Vscode, Scope::User, user.join("settings.json"), MCP_IN_SETTINGS);
        for profile in files.list(&user.join("profiles")) {
            add(Client::Vscode, Scope::User, profile.join("mcp.json"), SERVERS);
        }
    }
    for host in EDITORS {
        let extension = settings.join(host).join("User").join("globalStorage").join("saoudrizwan.claude-dev");
        add(Client::Cline, Scope::User, extension.join("settings").join("cline_mcp_settings.json"), MCP_SERVERS);
    }
    let alone = around.home.join(".cline").join("data").join("settings").join("cline_mcp_settings.json");
    add(Client::Cline, Scope::User, alone, MCP_SERVERS);
    for ide in files.list(&settings.join("JetBrains")) {
        add(Client::Jetbrains, Scope::User, ide.join("options").join("llm.mcpServers.xml"), Form::Xml);
    }
    add(Client::Jetbrains, Scope::User, around.home.join(".ai").join("mcp").join("mcp.json"), MCP_SERVERS);
    for junie in with_ending(files, &around.home.join(".junie").join("mcp"), &["json"]) {
        add(Client::Jetbrains, Scope::User, junie, MCP_SERVERS);
    }
    let copilot = match around.system {
        System::Windows => around.local_settings(),
        System::Unix | System::Mac => around.dotted_settings(),
    };
    add(Client::Jetbrains, Scope::User, copilot.join("github-copilot").join("intellij").join("mcp.json"), SERVERS);
    spots.extend(blocks(&around.home, Scope::User, files));
    spots.extend(machine_spots(around));
    spots
}

/// Files that are for everybody on the machine.
fn machine_spots(around: &Surroundings<'_>) -> Vec<Spot> {
    let (claude, gemini): (PathBuf, PathBuf) = match around.system {
        System::Unix => ("/etc/claude-code/managed-mcp.json".into(), "/etc/gemini-cli/settings.json".into()),
        System::Mac => {
            let shared = Path::new("/Library/Application Support");
            (shared.join("ClaudeCode/managed-mcp.json"), shared.join("GeminiCli/settings.json"))
        }
        System::Windows => {
            let programs = (around.variable)("ProgramFiles").unwrap_or_else(|| "C:\\Program Files".into());
            let shared = (around.variable)("ProgramData").unwrap_or_else(|| "C:\\ProgramData".into());
            (programs.join("ClaudeCode").join("managed-mcp.json"), shared.join("gemini-cli").join("settings.json"))
        }
    };
    vec![
        Spot { client: Client::ClaudeCode, scope: Scope::Machine, path: claude, form: MCP_SERVERS },
        Spot { client: Client::Gemini, scope: Scope::Machine, path: gemini, form: MCP_SERVERS },
    ]
}

/// Every file that a client would read in this folder.
pub fn project_spots(project: &Path, files: &dyn Files) -> Vec<Spot> {
    let mut spots = Vec::new();
    let mut add = |client, path: PathBuf, form| spots.push(Spot { client, scope: Scope::Project, path, form });
    for client in Client::ALL {
        if let Some(file) = client.project_file() {
            add(client, project.join(file), client.form());
        }
    }
    add(Client::Vscode, project.join(".vscode").join("settings.json"), MCP_IN_SETTINGS);
    for junie in with_ending(files, &project.join(".junie").join("mcp"), &["json"]) {
        add(Client::Jetbrains, junie, MCP_SERVERS);
    }
    let idea = project.join(".idea");
    add(Client::Jetbrains, idea.join("workspace.xml"), Form::Xml);
    let solutions = files.list(&idea);
    let solutions = solutions.iter().filter(|path| name(path).starts_with(".idea."));
    for solution in solutions {
        add(Client::Jetbrains, solution.join(".idea").join("workspace.xml"), Form::Xml);
    }
    spots.extend(blocks(project, Scope::Project, files));
    spots
}

/// Files in which editors note the folders they have opened.
pub(crate) fn workspaces(around: &Surroundings<'_>, files: &dyn Files) -> Vec<PathBuf> {
    let settings = around.settings();
    let editors = EDITORS.iter().map(|editor| settings.join(editor).join("User").join("workspaceStorage"));
    let noted = editors.flat_map(|folder| files.list(&folder)).map(|folder| folder.join("workspace.json"));
    noted.collect()
}

/// What lies in a folder's `.continue/mcpServers`: Continue's own form, and files of other clients put there.
fn blocks(folder: &Path, scope: Scope, files: &dyn Files) -> Vec<Spot> {
    let folder = folder.join(".continue").join("mcpServers");
    let spot = |form| move |path| Spot { client: Client::Continue, scope, path, form };
    let yaml = with_ending(files, &folder, &["yaml", "yml"]).into_iter().map(spot(Form::Yaml));
    yaml.chain(with_ending(files, &folder, &["json"]).into_iter().map(spot(MCP_SERVERS))).collect()
}

fn with_ending(files: &dyn Files, folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let ends = |path: &PathBuf| path.extension().is_some_and(|ending| endings.iter().any(|one| ending == *one));
    files.list(folder).into_iter().filter(ends).collect()
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
