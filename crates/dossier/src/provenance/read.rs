//! The forms in which attestations are given out, each made one: a sigstore bundle, as text.

use model::limits;
use serde_json::{Value, json};

/// The type of the bundles that are made here.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const STATEMENT: &str = "application/vnd.in-toto+json";

/// Every attestation in a file: npm's list, a package index's provenance object (PEP 740), a single attestation, a bundle, or
/// bundles line by line.
pub(super) fn attestations(text: &str) -> Result<Vec<String>, String> {
    if text.len() > limits::ATTESTATION_FILE_BYTES_MAX {
        return Err(format!("a file of attestations has more than {} bytes", limits::ATTESTATION_FILE_BYTES_MAX));
    }
    let whole = serde_json::from_str::<Value>(text);
    let values = match whole {
        Ok(value) => vec![value],
        Err(_) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
            lines.collect::<Result<Vec<Value>, _>>().map_err(|_| "a file of attestations is no JSON")?
        }
    };
    let mut found = Vec::new();
    values.into_iter().for_each(|value| each(value, &mut found));
    if found.is_empty() {
        return Err("a file of attestations holds none of a known form".to_owned());
    }
    // What does not fit is one that no registry makes.
    found.iter().take(limits::ATTESTATIONS_MAX + 1).map(short_enough).collect()
}

fn short_enough(value: &Value) -> Result<String, String> {
    let text = value.to_string();
    if text.len() > limits::ATTESTATION_BYTES_MAX {
        return Err(format!("an attestation has more than {} bytes", limits::ATTESTATION_BYTES_MAX));
    }
    Ok(text)
}

fn each(mut value: Value, found: &mut Vec<Value>) {
    let list = |value: &mut Value, name: &str| match value.get_mut(name).map(Value::take) {
        Some(Value::Array(list)) => Some(list),
        Some(_) | None => None,
    };
    if value.get("verificationMaterial").is_some() {
        found.push(value);
    } else if value.get("verification_material").is_some() {
        found.push(bundle(&value));
    } else if let Some(bundles) = list(&mut value, "attestation_bundles") {
        for mut one in bundles {
            list(&mut one, "attestations").into_iter().flatten().for_each(|one| found.push(bundle(&one)));
        }
    } else if let Some(attestations) = list(&mut value, "attestations") {
        let bundles = attestations.into_iter().map(|mut one| one.get_mut("bundle").map(Value::take).unwrap_or(one));
        found.extend(bundles);
    }
}

/// A PEP 740 attestation says the same as a bundle, in other words. What it lacks stays null, and is refused later.
fn bundle(attestation: &Value) -> Value {
    let at = |pointer: &str| attestation.pointer(pointer).cloned().unwrap_or(Value::Null);
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {
            "certificate": { "rawBytes": at("/verification_material/certificate") },
            "tlogEntries": at("/verification_material/transparency_entries"),
        },
        "dsseEnvelope": {
            "payload": at("/envelope/statement"),
            "payloadType": STATEMENT,
            "signatures": [{ "sig": at("/envelope/signature") }],
        },
    })
}
