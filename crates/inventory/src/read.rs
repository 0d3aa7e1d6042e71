//! From a file's text to its entries, as JSON whatever it was written in.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use crate::{Form, jsonc};

/// One entry, and the project it is for where the file has entries of several.
pub(crate) struct Said {
    pub(crate) project: Option<String>,
    pub(crate) name: String,
    pub(crate) value: Value,
}

/// Elements inside one another in an IDE's options.
const DEPTH_MAX: usize = 64;

/// Every entry of a text. The error says what the file is not.
pub(crate) fn entries(form: Form, text: &str) -> Result<Vec<Said>, String> {
    match form {
        Form::Json { section } => Ok(named(json(text)?.get(section))),
        Form::JsonWithin { path: [outer, inner] } => {
            let whole = json(text)?;
            let flat = whole.get(format!("{outer}.{inner}"));
            Ok(named(whole.get(outer).and_then(|outer| outer.get(inner)).or(flat)))
        }
        Form::Projects => Ok(of_projects(&json(text)?)),
        Form::Toml => {
            let whole: Value = toml::from_str(text).map_err(|error| format!("it is no TOML: {}", error.message()))?;
            Ok(named(whole.get("mcp_servers")))
        }
        Form::Yaml => {
            // What the reader says of a mistake may quote the line.
            let whole: Value = serde_saphyr::from_str(text).map_err(|_| "it is no YAML".to_owned())?;
            Ok(named(whole.get("mcpServers")))
        }
        Form::Xml => options(text),
    }
}

/// Folders that a client has worked in, as it notes them in its own settings.
pub(crate) fn projects(form: Form, text: &str) -> Vec<String> {
    let whole = match form {
        Form::Projects => json(text).ok(),
        Form::Toml => toml::from_str(text).ok(),
        Form::Json { .. } | Form::JsonWithin { .. } | Form::Yaml | Form::Xml => None,
    };
    let projects = whole.as_ref().and_then(|whole| whole.get("projects")).and_then(Value::as_object);
    projects.into_iter().flat_map(Map::keys).cloned().collect()
}

/// The folder that an editor's workspace is of.
pub(crate) fn workspace(text: &str) -> Option<String> {
    let whole = json(text).ok()?;
    let url = url::Url::parse(whole.get("folder")?.as_str()?).ok()?;
    url.to_file_path().ok()?.to_str().map(str::to_owned)
}

fn json(text: &str) -> Result<Value, String> {
    jsonc::read(text).map_err(|error| error.to_string())
}

/// Servers by name, as members or as a list of things that have one.
fn named(section: Option<&Value>) -> Vec<Said> {
    let said = |name: &str, value: &Value| Said { project: None, name: name.to_owned(), value: value.clone() };
    match section {
        Some(Value::Object(members)) => members.iter().map(|(name, value)| said(name, value)).collect(),
        Some(Value::Array(list)) => {
            let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
            list.iter().map(|value| said(&name(value).unwrap_or_else(|| "without a name".to_owned()), value)).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => Vec::new(),
    }
}

fn of_projects(whole: &Value) -> Vec<Said> {
    let projects = whole.get("projects").and_then(Value::as_object);
    let of_one = |(project, settings): (&String, &Value)| {
        let project = project.clone();
        let entries = named(settings.get("mcpServers")).into_iter();
        entries.map(move |said| Said { project: Some(project.clone()), ..said }).collect::<Vec<_>>()
    };
    projects.into_iter().flatten().flat_map(of_one).collect()
}

/// The servers of AI Assistant: elements below one of two components, whose options and lists of pairs are read at any
/// depth, because versions differ in what stands between. One without a command or URL is only the state of a server that
/// is written elsewhere.
fn options(text: &str) -> Result<Vec<Said>, String> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut said = Vec::new();
    let mut within: Option<Within> = None;
    loop {
        // What the reader says of a mistake may quote the text.
        let event = reader.read_event().map_err(|_| "it is no XML".to_owned())?;
        match event {
            Event::Eof => return if open.is_empty() { Ok(said) } else { Err("it is no XML".to_owned()) },
            Event::Start(element) => {
                if open.len() >= DEPTH_MAX {
                    return Err("it is nested too deep".to_owned());
                }
                begun(&element, open.len(), &mut within);
                open.push(name_of(&element));
            }
            Event::Empty(element) => {
                begun(&element, open.len(), &mut within);
                ended(open.len(), &mut within, &mut said);
            }
            Event::End(_) => {
                open.pop();
                ended(open.len(), &mut within, &mut said);
            }
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

/// A component, and the entry in it that is being read.
struct Within {
    depth: usize,
    entry: Option<Open>,
}

struct Open {
    depth: usize,
    members: Map<String, Value>,
    /// The list of pairs that is open, and how deep it began.
    list: Option<(&'static str, usize)>,
}

fn begun(element: &BytesStart<'_>, depth: usize, within: &mut Option<Within>) {
    let tag = name_of(element);
    let name = attribute(element, "name").or_else(|| attribute(element, "key"));
    let Some(component) = within else {
        let ours = matches!(name.as_deref(), Some("McpApplicationServerCommands" | "McpProjectServerCommands"));
        if tag == "component" && ours {
            *within = Some(Within { depth, entry: None });
        }
        return;
    };
    let Some(entry) = &mut component.entry else {
        // Between the component and its entries there may be a list of those for commands or urls.
        if !matches!(tag.as_str(), "commands" | "urls") {
            component.entry = Some(Open { depth, members: Map::new(), list: None });
        }
        return;
    };
    let label = if tag == "option" { name.clone().unwrap_or_default() } else { tag };
    let value = attribute(element, "value");
    match (entry.list, label.as_str(), name, value) {
        (Some((list, _)), _, Some(name), Some(value)) => {
            let pairs = entry.members.entry(list).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(pairs) = pairs {
                pairs.insert(name, Value::String(value));
            }
        }
        (None, "envs" | "env" | "environment", _, None) => entry.list = Some(("env", depth)),
        (None, "headers", _, None) => entry.list = Some(("headers", depth)),
        (None, _, Some(name), Some(value)) => {
            let (key, value) = match name.as_str() {
                "programPath" => ("command", Value::String(value)),
                "arguments" => ("args", value.split_whitespace().collect()),
                "enabled" => ("enabled", Value::Bool(value == "true")),
                other => (other, Value::String(value)),
            };
            entry.members.entry(key).or_insert(value);
        }
        (Some(_) | None, _, Some(_) | None, _) => {}
    }
}

fn ended(depth: usize, within: &mut Option<Within>, said: &mut Vec<Said>) {
    let Some(component) = within else { return };
    if let Some(entry) = &mut component.entry {
        if entry.list.is_some_and(|(_, began)| began == depth) {
            entry.list = None;
        }
        if entry.depth == depth
            && let Some(entry) = component.entry.take()
        {
            let name = entry.members.get("name").and_then(Value::as_str).map(str::to_owned);
            let leads = ["command", "url", "serverUrl"].iter().any(|key| entry.members.contains_key(*key));
            if let Some(name) = name.filter(|_| leads) {
                said.push(Said { project: None, name, value: Value::Object(entry.members) });
            }
        }
    }
    if component.depth == depth {
        *within = None;
    }
}

fn name_of(element: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(element.local_name().as_ref()).into_owned()
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.attributes().flatten().find(|one| one.key.as_ref() == name.as_bytes())?;
    attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

#[cfg(test)]
mod tests;
