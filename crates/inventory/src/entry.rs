//! One server in a client's settings, whichever client wrote it.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::package::{self, Run};
use crate::plaintext::{self, MASK};
use crate::{Client, Package, Scope, Spot};

/// One server in a client's settings. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The client.
    pub client: Client,
    /// Whom the entry is for.
    pub scope: Scope,
    /// The file it stands in.
    pub file: String,
    /// The project it is for, where the file has entries of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Its name there.
    pub name: String,
    /// What the client connects to.
    pub target: Target,
    /// Whether the client has it switched on.
    pub enabled: bool,
    /// Where it holds secrets in plain text: `environment GITHUB_TOKEN`, `argument 3`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plaintext: Vec<String>,
}

/// What a client connects to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Target {
    /// A server somewhere.
    Remote {
        /// Its URL, without user, query and fragment.
        url: String,
        /// The program that carries the messages there, where the client does not do that itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A program that the client starts.
    Local {
        /// The program.
        program: String,
        /// Its arguments, with secrets masked.
        arguments: Vec<String>,
        /// The package that it fetches and runs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        package: Option<Package>,
    },
    /// The entry says neither, or not so that it could be read.
    Unclear,
}

impl Target {
    /// A server at a URL.
    pub fn at(url: &str) -> Self {
        plain_url(url).map_or(Self::Unclear, |url| Self::Remote { url, by: None })
    }

    /// What a command leads to. Secrets in its arguments are masked.
    pub fn of_command(program: &str, arguments: &[String]) -> Self {
        let base = package::base(program);
        if let ("portcullis", Some("connect")) = (base.as_str(), arguments.first().map(String::as_str)) {
            let url = arguments.iter().find_map(|argument| plain_url(argument));
            return url.map_or(Self::Unclear, |url| Self::Remote { url, by: Some("portcullis connect".to_owned()) });
        }
        let run = package::run(program, arguments);
        if let Some(Run { package, arguments }) = run.as_ref().filter(|run| run.package.name == "mcp-remote") {
            let url = arguments.iter().find_map(|argument| plain_url(argument));
            return url.map_or(Self::Unclear, |url| Self::Remote { url, by: Some(package.name.clone()) });
        }
        Self::Local {
            program: plaintext::masked_value("", program).unwrap_or_else(|| program.to_owned()),
            arguments: plaintext::masked(arguments).0,
            package: run.map(|run| run.package),
        }
    }

    /// Whether both lead to the same server, whatever version of it.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Remote { url, .. }, Self::Remote { url: others, .. }) => url == others,
            (
                Self::Local { program, arguments, package },
                Self::Local { program: other, arguments: others, package: fetched },
            ) => match (package, fetched) {
                (Some(one), Some(two)) => (one.ecosystem, &one.name) == (two.ecosystem, &two.name),
                (None, None) => package::base(program) == package::base(other) && arguments == others,
                (Some(_), None) | (None, Some(_)) => false,
            },
            (Self::Remote { .. } | Self::Local { .. } | Self::Unclear, _) => false,
        }
    }
}

/// A URL by which two entries can be compared: without user, query, fragment and a slash at its end.
pub(crate) fn plain_url(text: &str) -> Option<String> {
    let text = plaintext::masked_url(text).map_or_else(|| text.to_owned(), |masked| masked.replace(MASK, "-"));
    let mut url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    url.set_query(None);
    url.set_fragment(None);
    let _kept = (url.set_username(""), url.set_password(None));
    Some(url.as_str().trim_end_matches('/').to_owned())
}

/// An entry as it was read, with the secrets masked in what it said.
pub(crate) fn entry(spot: &Spot, project: Option<&str>, name: &str, said: &Value) -> (Entry, Value) {
    let mut shown = said.clone();
    let mut plaintext = Vec::new();
    let target = match said.as_object() {
        None => Target::Unclear,
        Some(members) => {
            if let Value::Object(shown) = &mut shown {
                mask(shown, &mut plaintext);
            }
            target(members)
        }
    };
    let flag = |key: &str| said.get(key).and_then(Value::as_bool);
    let enabled = flag("enabled").unwrap_or(true) && !flag("disabled").unwrap_or(false);
    let entry = Entry {
        client: spot.client,
        scope: spot.scope,
        file: shown_path(&spot.path),
        project: project.map(str::to_owned),
        name: name.to_owned(),
        target,
        enabled,
        plaintext,
    };
    (entry, shown)
}

pub(crate) fn shown_path(path: &Path) -> String {
    path.display().to_string()
}

fn target(members: &Map<String, Value>) -> Target {
    let text = |key: &str| members.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    // Zed once wrote the whole command as one object.
    let inner = members.get("command").and_then(Value::as_object);
    let program = text("command").or_else(|| inner.and_then(|inner| inner.get("path")).and_then(Value::as_str));
    if let Some(program) = program {
        let arguments = inner.unwrap_or(members).get("args");
        return Target::of_command(program, &words(arguments));
    }
    let url = ["url", "serverUrl", "httpUrl", "uri"].into_iter().find_map(text);
    url.map_or(Target::Unclear, Target::at)
}

fn words(arguments: Option<&Value>) -> Vec<String> {
    match arguments {
        Some(Value::Array(list)) => list.iter().map(word).collect(),
        // What is in quotes is masked before it is taken apart.
        Some(Value::String(line)) => {
            let line = plaintext::masked_value("", line).unwrap_or_else(|| line.clone());
            line.split_whitespace().map(str::to_owned).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    }
}

fn word(one: &Value) -> String {
    one.as_str().map_or_else(|| one.to_string(), str::to_owned)
}

/// Masks the secrets in an entry, wherever in it they are, and tells their places.
fn mask(members: &mut Map<String, Value>, places: &mut Vec<String>) {
    for (key, value) in members {
        match value {
            Value::Object(inner) => {
                let kind = match key.as_str() {
                    "env" | "environment" => "environment",
                    "headers" | "http_headers" => "header",
                    _ => key.as_str(),
                };
                mask_pairs(kind, inner, places);
            }
            Value::Array(list) => mask_list(if key == "args" { "argument" } else { key }, list, places),
            Value::String(text) => {
                if let Some(clean) = plaintext::masked_value(key, text) {
                    *text = clean;
                    places.push(key.clone());
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn mask_pairs(kind: &str, pairs: &mut Map<String, Value>, places: &mut Vec<String>) {
    // Zed's command, with its arguments and environment inside.
    if kind == "command" {
        return mask(pairs, places);
    }
    for (name, value) in pairs {
        match value {
            Value::String(text) if plaintext::is_secret(name, text) || plaintext::masked_url(text).is_some() => {
                MASK.clone_into(text);
                places.push(format!("{kind} {name}"));
            }
            Value::Object(inner) => mask(inner, places),
            Value::Array(list) => mask_list(&format!("{kind} {name}"), list, places),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Masks the secrets in a list that is called `label`. What follows an option is told by it.
fn mask_list(label: &str, list: &mut [Value], places: &mut Vec<String>) {
    let clean = plaintext::masked(&list.iter().map(word).collect::<Vec<_>>()).0;
    for ((place, one), clean) in list.iter_mut().enumerate().zip(clean) {
        match one {
            Value::Object(inner) => mask(inner, places),
            Value::Array(inner) => mask_list(label, inner, places),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
                let said = word(one);
                let is_named = plaintext::names_a_secret(label) && plaintext::is_secret(label, &said);
                let clean = if is_named { MASK.to_owned() } else { clean };
                if clean != said {
                    *one = Value::String(clean);
                    places.push(format!("{label} {}", place + 1));
                }
            }
        }
    }
}
