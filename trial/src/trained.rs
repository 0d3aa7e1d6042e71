//! Wordings of definitions without choices: poisoned ones, and honest ones that read like them.

use anyhow::Context;
use serde::Deserialize;

use super::corpora::fold;

/// A wording.
#[derive(Clone, Debug)]
pub(crate) struct Wording {
    /// The class it stands under.
    pub(crate) class: String,
    /// What it says, with slots.
    pub(crate) template: String,
    /// The fold it belongs to.
    pub(crate) fold: u8,
}

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct Trained {
    /// Poisoned ones that were written to be trained on.
    pub(crate) poisoned: Vec<Wording>,
    /// Poisoned ones that rules were tried on.
    pub(crate) tried: Vec<Wording>,
    /// Honest ones.
    pub(crate) honest: Vec<Wording>,
}

/// Classes of wordings that are made of the grammar, and trained on as such.
const OF_THE_GRAMMAR: &str = "of the grammar";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    class: Vec<Class>,
    #[serde(default)]
    honest: Vec<Class>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    name: String,
    wordings: Vec<String>,
}

/// Those of the files.
pub(crate) fn read() -> anyhow::Result<Trained> {
    let trained: File = toml::from_str(include_str!("../../bench/definitions/trained.toml"))
        .context("`trained.toml` is no file of wordings")?;
    let tried: File = toml::from_str(include_str!("../../bench/definitions/tried.toml"))
        .context("`tried.toml` is no file of wordings")?;
    let tried = tried.class.into_iter().filter(|class| !class.name.starts_with(OF_THE_GRAMMAR)).collect();
    Ok(Trained { poisoned: wordings(trained.class), tried: wordings(tried), honest: wordings(trained.honest) })
}

fn wordings(classes: Vec<Class>) -> Vec<Wording> {
    let mut found = Vec::new();
    for Class { name, wordings } in classes {
        for (place, text) in wordings.iter().enumerate() {
            found.push(Wording { class: name.clone(), template: template(text), fold: fold(place) });
        }
    }
    found
}

/// A wording as the grammar takes it: brackets are brackets, and only these are slots.
fn template(text: &str) -> String {
    let literal = text.replace('[', "⟦").replace(']', "⟧").replace('{', "{{").replace('}', "}}");
    let slots = [("{{file}}", "{path}"), ("{{sink}}", "{drop}"), ("{{tool}}", "{tool}"), ("{{n}}", "{n}")];
    slots.iter().fold(literal, |text, (written, slot)| text.replace(written, slot))
}
