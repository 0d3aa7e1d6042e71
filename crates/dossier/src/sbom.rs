//! The package and what runs with it, as a list that other programs read: `CycloneDX` 1.6.

use serde_json::{Value, json};

use crate::components::{Component, SourcePackage, escaped};
use crate::image::Image;
use crate::scan::Examination;

/// A bill of materials of a package that was examined. The same package has the same one.
pub fn cyclone_dx(examination: &Examination) -> Value {
    let Examination { metadata, sha256, sha512, image, components, vulnerabilities, .. } = examination;
    let name = metadata.name.as_deref().unwrap_or(&examination.name);
    let is_itself =
        |one: &&Component| one.from.is_empty() && one.wanted.is_none() && metadata.name.as_deref() == Some(&one.name);
    let itself = components.iter().find(is_itself);
    let image = image.as_ref().map(|image| of_image(image, name));
    let purl = itself.map(Component::purl).or(image);
    let reference = purl.clone().unwrap_or_else(|| name.to_owned());
    let digests = [("SHA-256", sha256), ("SHA-512", sha512)].into_iter();
    let hashes = digests.filter_map(|(kind, digest)| Some(json!({ "alg": kind, "content": digest.as_ref()? })));
    let mut own = json!({
        "type": if examination.image.is_some() { "container" } else { "application" },
        "bom-ref": reference,
        "name": name,
        "hashes": hashes.collect::<Vec<_>>(),
    });
    let mut say = |key: &str, value: Option<Value>| {
        if let (Some(own), Some(value)) = (own.as_object_mut(), value) {
            own.insert(key.to_owned(), value);
        }
    };
    say("version", metadata.version.clone().map(Value::from));
    say("purl", purl.map(Value::from));
    say("licenses", metadata.licence.as_ref().map(|name| json!([{ "license": { "name": name } }])));
    let others: Vec<&Component> = components.iter().filter(|one| Some(*one) != itself).collect();
    let listed = others.iter().map(|one| component(one));
    let references: Vec<String> = others.iter().map(|one| one.purl()).collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": { "components": [{ "type": "application", "name": "portcullis", "version": env!("CARGO_PKG_VERSION") }] },
            "component": own,
        },
        "components": listed.collect::<Vec<_>>(),
        "dependencies": [{ "ref": reference, "dependsOn": references }],
        // Lock files that are not read, and versions that nobody fixed, may be missing.
        "compositions": [{ "aggregate": "incomplete", "assemblies": [reference] }],
        "vulnerabilities": vulnerabilities.iter().map(vulnerability).collect::<Vec<_>>(),
    })
}

/// An image's package URL: the last of its name, and the digest by which registries know it.
fn of_image(image: &Image, name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let digest = image.manifest.as_ref().unwrap_or(&image.id);
    format!("pkg:oci/{}@{}", escaped(&last), escaped(digest))
}

fn component(one: &Component) -> Value {
    let mut value = json!({ "type": "library", "bom-ref": one.purl(), "name": one.name, "purl": one.purl() });
    if let Some(value) = value.as_object_mut() {
        if one.version.is_empty() {
            let wanted = one.wanted.as_deref().unwrap_or_default();
            value.insert("properties".to_owned(), json!([{ "name": "portcullis:wanted", "value": wanted }]));
        } else {
            value.insert("version".to_owned(), one.version.clone().into());
            if let Some(SourcePackage { name, version }) = &one.source {
                let source = json!([{ "name": "portcullis:source", "value": format!("{name} {version}") }]);
                value.insert("properties".to_owned(), source);
            }
        }
    }
    value
}

fn vulnerability(one: &crate::advisories::Vulnerability) -> Value {
    use crate::rules::Severity;
    let severity = match one.severity {
        Severity::Note => "info",
        Severity::Low | Severity::Medium | Severity::High | Severity::Critical => one.severity.word(),
    };
    let mended = one.mended.as_ref().map(|version| format!("mended in {version}")).unwrap_or_default();
    json!({
        "id": one.id,
        "source": { "name": "OSV" },
        "ratings": [{ "severity": severity }],
        "description": one.summary,
        "recommendation": mended,
        "affects": [{ "ref": one.purl }],
    })
}
