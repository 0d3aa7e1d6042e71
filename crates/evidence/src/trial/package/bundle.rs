//! An MCP bundle: a zip with everything in it, and a `manifest.json` that says how it is started.

use dossier::archive::Contents;
use model::limits;
use serde_json::Value;

use super::{Step, quoted};

/// Where it is unpacked to.
const FOLDER: &str = "/home/user/tried";
/// What it finds where somebody would have typed in a secret or a text.
const NOTHING: &str = "portcullis-no-secret";

/// What a bundle says of itself; none if it is no bundle.
pub(super) fn manifest(contents: &Contents) -> Option<Value> {
    let text = contents.files.get("manifest.json")?.content.as_deref()?;
    let whole: Value = serde_json::from_slice(text).ok()?;
    whole.get("server")?.is_object().then_some(whole)
}

/// A bundle is unpacked, and nothing of it is run for that.
pub(super) fn steps(place: &str) -> Vec<Step> {
    let unpack = format!(
        "mkdir -p ~/tried && cd ~/tried && {{ python3 -m zipfile -e {place} . || unzip -oq {place} || bsdtar -xf {place}; }}"
    );
    vec![Step { what: "unpacked".to_owned(), shell: unpack, is_resort: false }]
}

/// Starts it as its manifest says, on Linux, with what nobody typed in replaced by what opens nothing.
pub(super) fn start(manifest: &Value) -> String {
    let server = manifest.get("server").unwrap_or(&Value::Null);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let entry = text(server.get("entry_point")).unwrap_or_default();
    let config = server.get("mcp_config").unwrap_or(&Value::Null);
    let linux = config.pointer("/platform_overrides/linux").unwrap_or(&Value::Null);
    let said = |key: &str| linux.get(key).or_else(|| config.get(key));
    let whole = |text: &str| substituted(text, manifest);

    let mut words: Vec<String> = match text(said("command")) {
        Some(command) => {
            let arguments = said("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            std::iter::once(command).chain(arguments.map(str::to_owned)).map(|word| whole(&word)).collect()
        }
        None => {
            let program = match server.get("type").and_then(Value::as_str) {
                Some("node") => Some("node"),
                Some("python" | "uv") => Some("python3"),
                Some(_) | None => None,
            };
            program.into_iter().map(str::to_owned).chain([format!("{FOLDER}/{entry}")]).collect()
        }
    };
    words.truncate(limits::TRIAL_WORDS_MAX);
    let variables = said("env").and_then(Value::as_object).into_iter().flatten();
    let is_name = |name: &str| {
        let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
        begins && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let variables = variables.filter(|(name, _)| is_name(name)).take(limits::TRIAL_WORDS_MAX);
    let exported: String = variables
        .map(|(name, value)| format!("export {name}={}; ", quoted(&whole(value.as_str().unwrap_or_default()))))
        .collect();
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    // Who unpacks a zip may forget which of it are programs.
    let entry = quoted(&entry);
    format!("cd ~/tried || exit 1; chmod u+x ./{entry} 2>/dev/null; {exported}exec {}", words.join(" "))
}

/// A text with what its bundle leaves open filled in, once: what is filled in is not looked through again for more.
fn substituted(text: &str, manifest: &Value) -> String {
    filled(text, &|name| match name.strip_prefix("user_config.") {
        Some(wish) => manifest.get("user_config")?.get(wish).map(usual),
        None => place(name),
    })
}

/// Where something is in a jail that a bundle may ask for by name.
fn place(name: &str) -> Option<String> {
    let place = match name {
        "__dirname" => FOLDER,
        "HOME" => "/home/user",
        "DESKTOP" => "/home/user/Desktop",
        "DOCUMENTS" => "/home/user/Documents",
        "DOWNLOADS" => "/home/user/Downloads",
        "/" | "pathSeparator" => "/",
        _ => return None,
    };
    Some(place.to_owned())
}

/// What somebody would have typed in: what the bundle takes if nobody does, or what opens nothing.
fn usual(wish: &Value) -> String {
    match wish.get("default") {
        Some(Value::String(text)) => filled(text, &place),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => {
            match wish.get("type").and_then(Value::as_str) {
                Some("directory" | "file") => "/home/user".to_owned(),
                Some("number") => "0".to_owned(),
                Some("boolean") => "false".to_owned(),
                Some(_) | None => NOTHING.to_owned(),
            }
        }
    }
}

/// A text in which each `${name}` is replaced that `by` knows.
fn filled(text: &str, by: &dyn Fn(&str) -> Option<String>) -> String {
    let (mut whole, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        whole.push_str(before);
        match after.split_once('}').and_then(|(name, behind)| Some((by(name)?, behind))) {
            Some((found, behind)) => {
                whole.push_str(&found);
                rest = behind;
            }
            None => {
                whole.push_str("${");
                rest = after;
            }
        }
    }
    whole + rest
}
