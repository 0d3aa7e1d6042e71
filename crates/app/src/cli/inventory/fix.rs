//! `--fix`: entries that go around the gate are rewritten to go through it, after they were shown and agreed to.

use std::path::{Path, PathBuf};

use admin::{Action, Edit};
use clap::Args;
use inventory::{Client, Compared, Form, Found as Entry, Judged, Survey, Target, Verdict};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::cli::failure::Failure;
use crate::cli::paint::{self, FAINT, GOOD, WARN, visible, wrapped};
use crate::cli::{Gate, ask, show};
use crate::connect::install;
use crate::connect::install::file::Found;

/// What rewriting takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rewrite what goes around the gate")]
pub(super) struct Fix {
    /// Show what would change, ask, keep a backup, write
    #[arg(long)]
    fix: bool,
    /// The endpoint to go through, where several offer a server
    #[arg(long, value_name = "NAME", requires = "fix")]
    endpoint: Option<String>,
    /// The file with the token that the clients show to the gate
    #[arg(long, value_name = "FILE", requires = "fix")]
    caller_token: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long, requires = "fix")]
    yes: bool,
}

/// A file, with what is to change in it.
struct Rewrite {
    client: Client,
    form: Form,
    found: Found,
    text: String,
    edits: Vec<Edit>,
    /// Endpoints that the file has an entry for, so that none gets two.
    reached: Vec<String>,
    had_secrets: bool,
}

impl Fix {
    pub(super) fn is_asked(&self) -> bool {
        self.fix
    }

    pub(super) fn run(&self, survey: &Survey, compared: &Compared, gate: &Gate) -> Result<(), Failure> {
        let (rewrites, left) = self.planned(survey, compared)?;
        let edits: Vec<_> = rewrites.iter().flat_map(|rewrite| rewrite.edits.clone()).collect();
        let mut page = show::edits(&edits);
        page.extend(left.iter().map(|why| format!("\n{WARN}left as it is:{WARN:#} {}\n", wrapped(&visible(why), 15))));
        if edits.is_empty() {
            page.push_str(&format!("\n{GOOD}nothing to rewrite{GOOD:#}\n"));
            return paint::out(page.trim_start_matches('\n'));
        }
        if self.caller_token.is_none() {
            let text = "without --caller-token the clients themselves have to run with PORTCULLIS_TOKEN in their \
                        environment and to hand it on; most do not";
            page.push_str(&format!("\n{WARN}warning:{WARN:#} {}\n", wrapped(text, 9)));
        }
        match gate.json {
            true => paint::err(&page),
            false => paint::out(&format!("{page}\n"))?,
        }
        self.consent(edits.len(), rewrites.len())?;
        rewrites.iter().try_for_each(Rewrite::written)
    }

    fn consent(&self, entries: usize, files: usize) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !ask::anybody() {
            return Err(Failure::usage("there is nobody to ask whether to write this")
                .with_next("look at it above, then write it with --yes"));
        }
        ask::confirm(&format!("Write {} in {}?", paint::count(entries, "entry"), paint::count(files, "file")))
    }

    /// What is to change, file by file, and why the rest of what goes around is left alone.
    fn planned(&self, survey: &Survey, compared: &Compared) -> Result<(Vec<Rewrite>, Vec<String>), Failure> {
        let (mut rewrites, mut left): (Vec<Rewrite>, Vec<String>) = (Vec::new(), Vec::new());
        let pairs: Vec<_> = survey.found.iter().zip(&compared.entries).collect();
        for (entry, judged) in pairs.iter().filter(|(_, judged)| judged.verdict == Some(Verdict::AroundGate)) {
            let name = format!("`{}` in {}", entry.entry.name, entry.entry.file);
            let url = match self.way(judged) {
                Ok(url) => url,
                Err(why) => {
                    left.push(format!("{name}: {why}"));
                    continue;
                }
            };
            let path = &entry.spot.path;
            let known = rewrites.iter().position(|rewrite| rewrite.found.is_at(path));
            let place = match known {
                Some(place) => place,
                None => {
                    rewrites.push(Rewrite::of(entry, reached(&pairs, path))?);
                    rewrites.len() - 1
                }
            };
            let Some(rewrite) = rewrites.get_mut(place) else { continue };
            if let Err(why) = rewrite.add(entry, &url, self.caller_token.as_deref())? {
                left.push(format!("{name}: {why}"));
            }
        }
        rewrites.retain(|rewrite| !rewrite.edits.is_empty());
        Ok((rewrites, left))
    }

    /// The endpoint that an entry is to go through, or why there is none.
    fn way(&self, judged: &Judged) -> Result<String, String> {
        let wanted = |url: &&String| match &self.endpoint {
            Some(name) => url.ends_with(&format!("/{name}/mcp")),
            None => true,
        };
        let ways: Vec<_> = judged.endpoints.iter().filter(wanted).collect();
        match (ways.as_slice(), judged.endpoints.is_empty()) {
            ([one], _) => Ok((*one).clone()),
            ([], true) => Err("no endpoint offers its server".to_owned()),
            ([], false) => Err("the endpoint you named does not offer its server".to_owned()),
            ([..], _) => Err("several endpoints offer its server: choose one with --endpoint".to_owned()),
        }
    }
}

/// The URLs that a file's entries already reach the gate by.
fn reached(pairs: &[(&Entry, &Judged)], path: &Path) -> Vec<String> {
    let here = pairs.iter().filter(|(entry, judged)| {
        entry.spot.path == path && judged.verdict == Some(Verdict::ThroughGate) && entry.entry.project.is_none()
    });
    let urls = here.filter_map(|(entry, _)| match &entry.entry.target {
        Target::Remote { url, .. } => Some(url.clone()),
        Target::Local { .. } | Target::Unclear => None,
    });
    urls.collect()
}

impl Rewrite {
    fn of(entry: &Entry, reached: Vec<String>) -> Result<Self, Failure> {
        let found = Found::read(&entry.spot.path).map_err(|error| Failure::of(&error))?;
        let (client, form, text) = (entry.spot.client, entry.spot.form, found.text().to_owned());
        Ok(Self { client, form, found, text, edits: Vec::new(), reached, had_secrets: false })
    }

    /// Adds a change of one entry. The inner error says why the entry is left alone.
    fn add(&mut self, entry: &Entry, url: &str, token_file: Option<&Path>) -> Result<Result<(), String>, Failure> {
        if entry.spot.form != self.form {
            return Ok(Err("another part of the file is rewritten first: run this again".to_owned()));
        }
        let name = &entry.entry.name;
        // One entry is enough for an endpoint: a client with two would have every tool twice.
        let put = match self.reached.iter().any(|reached| reached == url) {
            true => None,
            false => Some(install::entry(self.client, url, token_file)?),
        };
        let changed = match install::changed(self.form, &self.text, name, put.as_ref()) {
            Ok(Some(changed)) => changed,
            Ok(None) => return Ok(Err("it is as it should be".to_owned())),
            Err(why) => return Ok(Err(why)),
        };
        self.text = changed.text;
        self.reached.push(url.to_owned());
        self.had_secrets |= !entry.entry.plaintext.is_empty();
        let after = put.map(|put| install::shown(self.form, name, &put)).unwrap_or_default();
        self.edits.push(Edit {
            kind: "server".to_owned(),
            name: name.clone(),
            action: if after.is_empty() { Action::Delete } else { Action::Update },
            note: Some(format!("in {}", self.found.path().display())),
            lines: admin::lines(&before(self.form, name, &entry.shown), &after),
        });
        Ok(Ok(()))
    }

    fn written(&self) -> Result<(), Failure> {
        let backup = self.found.write(&self.text, Timestamp::now()).map_err(|error| {
            Failure::of(&error).with_next("look at the file, then run this again; it was not changed by this command")
        })?;
        let path = |path: &Path| visible(&path.display().to_string()).into_owned();
        let mut page = format!("{GOOD}written{GOOD:#}: {}\n", path(self.found.path()));
        if let Some(backup) = backup {
            page.push_str(&format!("{FAINT}before:{FAINT:#}  {}\n", path(&backup)));
            if self.had_secrets {
                let text = "the backup still holds the secrets that stood in the file: once the gate has them, replace \
                            them by new ones, and delete it";
                page.push_str(&format!("{WARN}warning:{WARN:#} {}\n", wrapped(text, 9)));
            }
        }
        page.push_str(&format!("{FAINT}next:{FAINT:#}    {}\n", wrapped(self.client.then(), 9)));
        paint::out(&page)
    }
}

/// An entry as it stood, with secrets masked.
fn before(form: Form, name: &str, shown: &Value) -> String {
    match form {
        Form::Toml => {
            let whole = json!({ "mcp_servers": { name: shown } });
            toml::to_string(&whole).unwrap_or_default().trim().to_owned()
        }
        Form::Json { .. } | Form::JsonWithin { .. } | Form::Projects | Form::Yaml | Form::Xml => {
            let members: Map<String, Value> = shown.as_object().cloned().unwrap_or_default();
            install::shown(form, name, &members)
        }
    }
}
