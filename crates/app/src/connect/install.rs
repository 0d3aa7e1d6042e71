//! `portcullis connect --install CLIENT URL`: an entry in a client's settings that starts `portcullis connect URL`.
//!
//! The file is its user's: what is to change is shown and asked for, everything else in it stays byte for byte, what it
//! was is kept beside it, and a file that is not understood is not touched. `inventory` knows where the files are and
//! what an entry looks like, and changes texts; [`file`] reads and replaces.

pub(crate) mod file;

use std::path::{Path, PathBuf};

use admin::{Action, Edit};
use inventory::jsonc::Changed;
use inventory::{Client, Form, Scope, Surroundings, System, codex, jsonc};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cli::failure::Failure;
use crate::cli::paint::{self, FAINT, GOOD, WARN, visible, wrapped};
use crate::cli::{ask, show};

use file::Found;

/// Bytes in an entry's name.
const NAME_BYTES_MAX: usize = 63;

/// What is to be done with a client's settings.
pub(super) struct Install {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) deed: Deed,
    /// The file, where it is not the one that the client reads by itself.
    pub(super) file: Option<PathBuf>,
    pub(super) project: bool,
    pub(super) yes: bool,
}

pub(super) enum Deed {
    /// Puts this entry in.
    Put { url: String, token_file: Option<PathBuf> },
    /// Takes the entry out.
    Take,
}

impl Install {
    /// Prints the entry, and changes nothing.
    pub(super) fn print(&self) -> Result<(), Failure> {
        let Deed::Put { url, token_file } = &self.deed else { return Ok(()) };
        let entry = self.entry(url, token_file.as_deref())?;
        let text = match self.client.form() {
            Form::Toml => codex::pretty(&self.name, &entry),
            Form::Json { section } => {
                jsonc::pretty(&serde_json::json!({ section: { self.name.as_str(): entry } }), "  ")
            }
            form @ (Form::JsonWithin { .. } | Form::Projects | Form::Yaml | Form::Xml) => return Err(unwritten(form)),
        };
        paint::err(&format!("{FAINT}for {}: {}{FAINT:#}\n", self.client, self.path()?.display()));
        paint::out(&format!("{text}\n"))
    }

    /// Shows what would change, asks, and does it.
    pub(super) fn run(self) -> Result<(), Failure> {
        let found = Found::read(&self.path()?).map_err(|error| Failure::of(&error))?;
        let put = match &self.deed {
            Deed::Put { url, token_file } => Some(self.entry(url, token_file.as_deref())?),
            Deed::Take => None,
        };
        let Some(changed) = self.changed(&found, put.as_ref())? else {
            let state = if put.is_some() { "is there already" } else { "is not there" };
            return paint::out(&format!(
                "{GOOD}nothing to change{GOOD:#}: {}\n",
                wrapped(&format!("`{}` {state}, in {}", self.name, visible(&found.path().display().to_string())), 2)
            ));
        };
        paint::out(&self.shown(&found, put.as_ref(), changed.before.as_deref()))?;
        self.consent()?;
        let backup = found.write(&changed.text, Timestamp::now()).map_err(|error| {
            Failure::of(&error).with_next("look at the file, then run this again; nothing was changed by this command")
        })?;
        self.told(&found, backup.as_deref())
    }

    fn changed(&self, found: &Found, put: Option<&Map<String, Value>>) -> Result<Option<Changed>, Failure> {
        let (text, name) = (found.text(), self.name.as_str());
        changed(self.client.form(), text, name, put).map_err(|why| {
            Failure::new(format!("`{}` was left as it is: {why}", found.path().display()))
                .with_next("mend the file, or add by hand what `--print` shows")
        })
    }

    /// The entry, line by line against what stands there; of the rest of the file nothing is shown, because nothing
    /// in it changes, and because other entries may hold other people's keys.
    fn shown(&self, found: &Found, put: Option<&Map<String, Value>>, before: Option<&str>) -> String {
        let after = put.map(|entry| shown(self.client.form(), &self.name, entry));
        let action = match (before, &after) {
            (_, None) => Action::Delete,
            (None, Some(_)) => Action::Create,
            (Some(_), Some(_)) => Action::Update,
        };
        let edit = Edit {
            kind: "server".to_owned(),
            name: self.name.clone(),
            action,
            note: Some(format!("in {}", found.path().display())),
            lines: admin::lines(before.unwrap_or_default(), after.as_deref().unwrap_or_default()),
        };
        let mut page = show::edits(&[edit]);
        if let Deed::Put { token_file: None, .. } = &self.deed {
            let text = "without --token-file the client itself has to run with PORTCULLIS_TOKEN in its environment and \
                        to hand it on; most do not";
            page.push_str(&format!("\n{WARN}warning:{WARN:#} {}\n", wrapped(text, 9)));
        }
        page.push('\n');
        page
    }

    fn consent(&self) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !ask::anybody() {
            return Err(Failure::usage("there is nobody to ask whether to write this")
                .with_next("look at it with --print, then write it with --yes"));
        }
        ask::confirm("Write it?")
    }

    fn told(&self, found: &Found, backup: Option<&Path>) -> Result<(), Failure> {
        let path = |path: &Path| visible(&path.display().to_string()).into_owned();
        let mut page = format!("{GOOD}written{GOOD:#}: {}\n", path(found.path()));
        if let Some(backup) = backup {
            page.push_str(&format!("{FAINT}before:{FAINT:#}  {}\n", path(backup)));
        }
        page.push_str(&format!("{FAINT}next:{FAINT:#}    {}\n", wrapped(self.client.then(), 9)));
        paint::out(&page)
    }

    fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let home = home().ok_or_else(|| {
            Failure::new("your home folder is not known").with_next("name the client's file with --config-file")
        })?;
        let around = Surroundings { system: System::this(), home, variable: &variable };
        let scope = if self.project { Scope::Project } else { Scope::User };
        self.client.file(scope, &around).ok_or_else(|| {
            Failure::usage(format!("{} keeps no settings for a project", self.client))
                .with_next("leave --project out to write its user's")
        })
    }

    fn entry(&self, url: &str, token_file: Option<&Path>) -> Result<Map<String, Value>, Failure> {
        entry(self.client, url, token_file)
    }
}

/// The user's home, if it is known.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

/// What the environment says, if it says something.
pub(crate) fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The text with the entry of this name replaced, or taken out; `None` if that changes nothing. The error says why the
/// text is left alone.
pub(crate) fn changed(
    form: Form,
    text: &str,
    name: &str,
    put: Option<&Map<String, Value>>,
) -> Result<Option<Changed>, String> {
    match (form, put) {
        (Form::Json { section }, Some(entry)) => {
            jsonc::put(text, section, name, &Value::Object(entry.clone())).map_err(|error| error.to_string())
        }
        (Form::Json { section }, None) => jsonc::take(text, section, name).map_err(|error| error.to_string()),
        (Form::Toml, Some(entry)) => codex::put(text, name, entry).map_err(|error| error.to_string()),
        (Form::Toml, None) => codex::take(text, name).map_err(|error| error.to_string()),
        (form @ (Form::JsonWithin { .. } | Form::Projects | Form::Yaml | Form::Xml), _) => {
            Err(unwritten(form).to_string())
        }
    }
}

/// An entry as its file would have it.
pub(crate) fn shown(form: Form, name: &str, entry: &Map<String, Value>) -> String {
    match form {
        Form::Toml => codex::pretty(name, entry),
        Form::Json { .. } | Form::JsonWithin { .. } | Form::Projects | Form::Yaml | Form::Xml => {
            jsonc::pretty(&Value::Object(entry.clone()), "  ")
        }
    }
}

fn unwritten(form: Form) -> Failure {
    let what = match form {
        Form::Yaml => "YAML",
        Form::Xml => "an IDE's options",
        Form::Projects | Form::JsonWithin { .. } | Form::Json { .. } | Form::Toml => "settings inside settings",
    };
    Failure::new(format!("{what} can be read here, and not written"))
}

/// The entry: this program, wherever the client is started from.
pub(crate) fn entry(client: Client, url: &str, token_file: Option<&Path>) -> Result<Map<String, Value>, Failure> {
    let program = std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned));
    let program = program.ok_or_else(|| Failure::new("the path of this program is not known, or is no text"))?;
    let mut arguments = vec!["connect".to_owned(), url.to_owned()];
    if let Some(file) = token_file {
        let file = std::path::absolute(file).ok().and_then(|path| path.to_str().map(str::to_owned));
        let file = file.ok_or_else(|| Failure::new("the path of the token's file is no text"))?;
        arguments.extend(["--token-file".to_owned(), file]);
    }
    Ok(client.entry(&program, &arguments))
}

/// An entry's name, which every client can read.
pub(super) fn name(text: &str) -> Result<String, Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err(Failure::usage("a name has letters, digits, `-` and `_`, and at most 63 of them")
        .with_next("choose one with --name"))
}
