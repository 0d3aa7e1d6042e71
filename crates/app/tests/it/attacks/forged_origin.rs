//! A package that is not what its publisher made: other bytes, another maker, no maker where there was one, or a reviewer's
//! mere word that all is well. The signatures are real, and nothing here reaches a network.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::gate::files::{self, person_token};
use crate::gate::{Gate, Setup, bearer, value};

const NAME: &str = "gitlab_oidc_project-0.0.3.tar.gz";
const ISSUER: &str = "https://gitlab.com";
const MAKER: &str = "https://gitlab.com/facutuesca/gitlab-oidc-project";

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dossier/samples").join(name)
}

/// Submits a server that asks this of its package.
async fn submit(gate: &Gate, name: &str, package: &str) {
    let manifest = format!("{}{package}\n", files::server(name, &gate.desk.url(), false));
    let file = gate.directory().join(format!("{name}.toml"));
    fs::write(&file, manifest).unwrap();
    gate.must(&["server", "submit", file.to_str().unwrap()]).await;
}

fn built_by(repository: &str) -> String {
    format!("[package.provenance]\nissuer = \"{ISSUER}\"\nrepository = \"{repository}\"")
}

async fn scan(gate: &Gate, name: &str, package: &Path, attestation: Option<&Path>) -> String {
    let mut arguments = vec!["server", "scan", package.to_str().unwrap(), "--server", name];
    arguments.extend(attestation.iter().flat_map(|path| ["--attestations", path.to_str().unwrap()]));
    gate.must(&arguments).await
}

/// Tries to approve; why not.
async fn refused(gate: &Gate, name: &str) -> String {
    let said = gate.cli(&["server", "approve", name, "--yes"]).await;
    assert!(!said.ok, "{name} was approved: {}", said.out);
    let dossier = gate.read(&format!("/servers/{name}")).await;
    assert_eq!(dossier["in_service"], json!(false));
    // As it is wrapped for a terminal.
    said.err.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_package_of_other_bytes_or_by_somebody_else_is_not_approved() {
    let gate = Gate::unapproved(Setup::default()).await;
    let (package, attestation) = (sample(NAME), sample(&format!("{NAME}.publish.attestation")));
    submit(&gate, "made", &built_by(MAKER)).await;
    assert!(refused(&gate, "made").await.contains("nothing shows who made it"));

    // One bit of the time in its header: it unpacks to the same files.
    let mut bytes = fs::read(&package).unwrap();
    bytes[4] ^= 1;
    let tampered = gate.directory().join(NAME);
    fs::write(&tampered, bytes).unwrap();
    let said = scan(&gate, "made", &tampered, Some(&attestation)).await;
    assert!(said.contains("has an attestation that does not hold") && said.contains("other bytes"), "{said}");
    assert!(refused(&gate, "made").await.contains("what was shown does not hold"));

    submit(&gate, "mistaken", &built_by("https://gitlab.com/facutuesca/another")).await;
    let said = scan(&gate, "mistaken", &package, None).await;
    assert!(said.contains("published by") && said.contains(MAKER) && said.contains("not good enough"), "{said}");
    let why = refused(&gate, "mistaken").await;
    assert!(why.contains(MAKER) && why.contains("facutuesca/another is asked for"), "{why}");

    let digest = "0".repeat(64);
    submit(&gate, "exact", &format!("[package]\nsha256 = \"{digest}\"")).await;
    scan(&gate, "exact", &package, None).await;
    assert!(refused(&gate, "exact").await.contains(&format!("sha256 {digest} is asked for")));

    // The file of its name beside it is found.
    scan(&gate, "made", &package, None).await;
    gate.must(&["server", "approve", "made", "--yes"]).await;
    let dossier = gate.read("/servers/made").await;
    assert_eq!(dossier["package"]["examination"]["provenance"]["proven"][0]["signer"]["repository"], MAKER);
}

#[tokio::test]
async fn a_name_of_another_place_s_owner_is_not_proven_by_a_package_of_the_same_owner_s_elsewhere() {
    let gate = Gate::unapproved(Setup::default()).await;
    let manifest = files::server("named", &gate.desk.url(), false);
    let file = gate.directory().join("named.toml");
    fs::write(&file, format!("published_as = \"io.github.facutuesca/desk\"\n{manifest}")).unwrap();
    gate.must(&["server", "submit", file.to_str().unwrap()]).await;
    let said = scan(&gate, "named", &sample(NAME), None).await;
    assert!(said.contains("published by") && said.contains(MAKER), "{said}");
    let why = refused(&gate, "named").await;
    assert!(why.contains("publisher") && why.contains("which is not facutuesca's at GitHub"), "{why}");
}

#[tokio::test]
async fn a_reviewer_s_word_for_who_made_a_package_is_none() {
    let gate = Gate::unapproved(Setup::default()).await;
    submit(&gate, "made", &built_by(MAKER)).await;
    scan(&gate, "made", &sample(NAME), None).await;
    let mut examination = gate.read("/servers/made").await["package"]["examination"].clone();
    // The same words without evidence, and with the evidence of another package.
    let evidence = examination["provenance"]["evidence"].take();
    examination["provenance"]["evidence"] = json!([]);
    for (change, why) in [(None, "nothing shows who made it"), (Some(evidence), "other bytes")] {
        if let Some(evidence) = change {
            examination["provenance"]["evidence"] = evidence;
            examination["sha256"] = Value::from("1".repeat(64));
        }
        let mut headers = bearer(&person_token("admin"));
        headers.insert(http::header::CONTENT_TYPE, value("application/json"));
        let path = "/api/v1/servers/made/package";
        let heard = gate.send(gate.admin(), "POST", path, headers, examination.to_string()).await;
        assert!(heard.status.is_success(), "{heard:?}");
        assert_eq!(heard.json()["examination"]["provenance"]["proven"], Value::Null);
        let refused = refused(&gate, "made").await;
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test]
async fn a_package_that_is_attested_less_than_the_one_before_is_not_approved() {
    let gate = Gate::unapproved(Setup::default()).await;
    submit(&gate, "made", "").await;
    scan(&gate, "made", &sample(NAME), None).await;
    let bare = gate.directory().join("bare.tar.gz");
    fs::copy(sample(NAME), &bare).unwrap();
    let said = scan(&gate, "made", &bare, None).await;
    assert!(said.contains("is not proven to come from where it came from before"), "{said}");
    for _ in 0..2 {
        let why = refused(&gate, "made").await;
        assert!(why.contains(MAKER) && why.contains("nobody shows who made this one"), "{why}");
        // Having it examined once more does not wash it.
        scan(&gate, "made", &bare, None).await;
    }
    // Only a person who says so in the manifest.
    submit(&gate, "made", "[package.provenance]\nrequired = false").await;
    gate.must(&["server", "approve", "made", "--yes"]).await;
}
