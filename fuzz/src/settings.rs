//! What servers say of their tools, and what people write: schemas, descriptions, manifests, a client's settings.

use std::fmt::Debug;

use inventory::jsonc as jsonc_file;
use model::limits;
use registry::manifest::{self, EndpointManifest, ServerManifest, ZoneManifest};
use registry::{Definition, Definitions, InputSchema, Names, Neighbour};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{json_of, line_and_rest};

/// A manifest that was read is read again from what it is written as; a mistake has a place in the text. The first
/// byte says which manifest it is.
pub(crate) fn manifest(bytes: &[u8]) {
    let Some((kind, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match kind {
        b's' => twice::<ServerManifest>(text),
        b'e' => twice::<EndpointManifest>(text),
        _ => twice::<ZoneManifest>(text),
    }
}

fn twice<T: DeserializeOwned + Serialize + PartialEq + Debug>(text: &str) {
    match manifest::parse::<T>("a.toml", text) {
        Ok(read) => {
            let written = toml::to_string(&read).expect("what was read can be written");
            assert_eq!(manifest::parse::<T>("a.toml", &written).expect("what was written can be read"), read);
        }
        Err(mistake) => {
            assert!(mistake.line >= 1 && mistake.line <= text.lines().count() + 1, "{mistake}");
            assert!(mistake.column >= 1 && mistake.column <= text.len() + 1, "{mistake}");
        }
    }
}

/// A schema of a server's compiles or is refused, and arguments fit it or do not, in words that are bounded. The input
/// is a schema, a line break and arguments.
pub(crate) fn schema(bytes: &[u8]) {
    let (schema, arguments) = line_and_rest(bytes);
    let Ok(schema) = serde_json::from_slice::<Value>(&json_of(schema)) else { return };
    let Ok(compiled) = InputSchema::compile(&schema) else { return };
    assert!(compiled.accepts_undeclared().len() <= limits::SCHEMA_PLACES_MAX);
    for arguments in [&b"{}"[..], arguments] {
        let Ok(arguments) = serde_json::from_slice::<Value>(&json_of(arguments)) else { continue };
        let said = compiled.check(&arguments);
        if let Err(violations) = &said {
            assert!((1..=2 * limits::VIOLATIONS_MAX).contains(&violations.len()));
        }
        assert_eq!(compiled.check(&arguments).is_ok(), said.is_ok());
    }
}

/// A description may say anything about other servers: it is looked through, within bounds. The input is the name of a
/// server, a line break, the name of its tool, a line break, and what another server says.
pub(crate) fn mentions(bytes: &[u8]) {
    let (server, rest) = line_and_rest(bytes);
    let (tool, said) = line_and_rest(rest);
    let (server, tool, said) = (String::from_utf8_lossy(server), String::from_utf8_lossy(tool), json_of(said));
    let said = String::from_utf8_lossy(&said);
    let Ok(server) = server.parse() else { return };
    let described = |name: &str, text: &str| {
        let value = serde_json::from_str(text).unwrap_or_else(|_| json!({ "name": name, "description": text }));
        let tools = Definition::new(name, &value).into_iter().collect();
        Definitions { tools, instructions: Some(text.to_owned()), ..Definitions::default() }
    };
    let theirs = described(&tool, "");
    let own: model::ServerName = "own".parse().unwrap();
    let found = registry::mentions(
        &own,
        &described("own", &said),
        &Names::new(&[Neighbour { name: &server, definitions: &theirs }]),
    );
    assert!(found.len() <= limits::MENTIONS_MAX);
    // What is shown to a person is a part of what was said.
    assert!(found.iter().all(|mention| mention.excerpt.len() <= 4 * 1024));
}

/// An entry put into a client's settings is there, is not put twice, and goes as it came.
pub(crate) fn jsonc(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let entry = json!({ "command": "portcullis", "args": ["connect", "u"] });
    let _ = jsonc_file::pretty(&entry, "\t");
    let (section, name) = ("mcpServers", "gate");
    if let Ok(Some(taken)) = jsonc_file::take(text, section, name) {
        assert!(taken.before.is_some());
        assert_eq!(jsonc_file::take(&taken.text, section, name).expect("it is still well-formed"), None);
    }
    match jsonc_file::put(text, section, name, &entry) {
        Ok(Some(put)) => {
            assert_eq!(jsonc_file::put(&put.text, section, name, &entry).expect("it is still well-formed"), None);
            let taken = jsonc_file::take(&put.text, section, name).expect("it is still well-formed");
            let before = taken.expect("the entry is there").before;
            assert!(before.is_some_and(|before| before.contains("portcullis")));
        }
        Ok(None) => {}
        Err(malformed) => assert!(!malformed.to_string().is_empty()),
    }
}
