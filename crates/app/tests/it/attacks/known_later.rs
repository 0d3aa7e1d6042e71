//! What becomes known after a server was approved: a weakness of something that it is made of, a signature that does not hold any
//! more, a manifest that asks for more. And ways not to hear of it: another package examined meanwhile, advisories that cannot be
//! read, a gate that was down.

use std::fs;
use std::path::{Path, PathBuf};

use admin::port::Packages as _;
use dossier::advisories::Importer;
use model::{Actor, Change, Expected, Timestamp};
use registry::port::Registry as _;
use registry::{Approval, Eyes};
use serde_json::{Value, json};

use crate::gate::files::{self, ANA, person_token};
use crate::gate::{Gate, Setup, bearer};
use crate::packages::tgz;
use crate::verdict::{ENDPOINT_NOT_FOUND, passes};

const WEAK: (&str, &str, &str) = ("GHSA-weak", "lodash", "HIGH");
const OTHER: (&str, &str, &str) = ("GHSA-other", "somebody-elses", "LOW");
/// A package with one other in it, at one version.
const PACKAGE: &[u8] =
    br#"{ "name": "acme-desk", "version": "1.0.0", "license": "MIT", "repository": "github:acme/desk",
    "dependencies": { "lodash": "4.17.20" } }"#;
const HARMLESS: &[u8] =
    br#"{ "name": "acme-desk", "version": "2.0.0", "license": "MIT", "repository": "github:acme/desk" }"#;

/// An index of these advisories, each with its package and how bad it is, imported at a second.
pub(super) fn index(advisories: &[(&str, &str, &str)], at: i64) -> Vec<u8> {
    let mut importer = Importer::default();
    for (id, name, severity) in advisories {
        let range = json!({ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "9.0.0" }] });
        let affected = json!([{ "package": { "ecosystem": "npm", "name": name }, "ranges": [range] }]);
        let advisory = json!({ "id": id, "modified": "2026", "summary": "it is weak", "affected": affected,
            "database_specific": { "severity": severity } });
        importer.advisory(advisory.to_string().as_bytes()).unwrap();
    }
    importer.index(at)
}

pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Puts other advisories in place of those there, as an import does.
pub(super) fn replace(gate: &Gate, bytes: &[u8]) {
    let beside = gate.directory().join("advisories.new");
    fs::write(&beside, bytes).unwrap();
    fs::rename(beside, gate.directory().join("advisories.index")).unwrap();
}

/// A gate that compares servers with advisories, and a desk, with more in its manifest, that is made of a package.
async fn gate(more: &str) -> Gate {
    let settings = "\n[vetting]\nadvisories = \"advisories.index\"\n".to_owned();
    let gate = Gate::unapproved(Setup { settings, ..Setup::default() }).await;
    replace(&gate, &index(&[OTHER], now()));
    let file = gate.directory().join("state/servers/desk.toml");
    let manifest = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{manifest}\n{more}\n")).unwrap();
    gate.apply().await;
    scan(&gate, "one.tgz", PACKAGE).await;
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    passes(&call(&gate).await);
    gate
}

pub(super) async fn scan(gate: &Gate, name: &str, manifest: &[u8]) {
    let package = tgz(gate.directory(), name, &[("package/package.json", b'0', "", manifest)]);
    gate.must(&["server", "scan", package.to_str().unwrap(), "--server", "desk"]).await;
}

async fn call(gate: &Gate) -> drill::mcp::Reply {
    gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
}

/// Waits until all servers were looked at once more.
async fn looked_again(gate: &Gate) {
    let looked = |status: &Value| status["vetting"]["looked_at"].as_u64().unwrap_or_default();
    let before = looked(&gate.read("/status").await);
    gate.until("/status", |status| looked(status) > before).await;
}

async fn in_effect(gate: &Gate) {
    gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
}

/// The receipts of what became known, the newest first, once there are so many.
async fn reopened(gate: &Gate, number: usize) -> Vec<Value> {
    let all = |page: &Value| page["receipts"].as_array().is_some_and(|all| all.len() >= number);
    let page = gate.until("/receipts?kind=changed&text=server.reopen", all).await;
    let receipts = page["receipts"].as_array().unwrap().iter();
    receipts.map(|receipt| receipt["record"]["event"].clone()).collect()
}

async fn metrics(gate: &Gate) -> String {
    gate.send(gate.admin(), "GET", "/metrics", bearer(&person_token("viewer")), "").await.text()
}

#[tokio::test]
async fn an_advisory_that_appears_later_takes_the_server_out_of_service() {
    let gate = gate("[lifecycle]\nadvisory = \"suspend\"").await;
    // Somebody has another package examined meanwhile. What was approved is what runs.
    scan(&gate, "two.tgz", HARMLESS).await;
    replace(&gate, &index(&[OTHER, WEAK], now()));
    let dossier = gate.until("/servers/desk", |dossier| dossier["standing"] == "suspended").await;
    let warning = &dossier["warnings"][0];
    assert_eq!((&warning["cause"], &warning["settled"]), (&json!("advisory"), &json!(false)), "{dossier:#}");
    let told =
        json!([{ "id": "GHSA-weak", "component": "pkg:npm/lodash@4.17.20", "severity": "high", "mended": "9.0.0" }]);
    assert_eq!(warning["advisories"], told);
    in_effect(&gate).await;
    let before = gate.desk.calls();
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    assert_eq!(gate.desk.calls(), before);
    let receipts = reopened(&gate, 1).await;
    let told = receipts[0].to_string();
    assert_eq!(receipts.len(), 1);
    for part in ["GHSA-weak", "pkg:npm/lodash@4.17.20", "high", "suspended", "advisory"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let shown = gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("GHSA-weak (high) in pkg:npm/lodash@4.17.20"), "{shown}");
    let listed = gate.must(&["server", "list"]).await;
    assert!(listed.contains("suspended: advisory"), "{listed}");
    assert!(metrics(&gate).await.contains("portcullis_server_warnings{server=\"desk\",cause=\"advisory\"} 1"));

    // It stays so, and is told once, whatever happens to the gate.
    gate.kill();
    gate.again().await;
    gate.until("/status", |status| status["vetting"]["looked_at"].is_u64()).await;
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    assert_eq!(reopened(&gate, 1).await.len(), 1);

    // Who approves it has read that. The same does not come again, and another one does.
    scan(&gate, "three.tgz", PACKAGE).await;
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    passes(&call(&gate).await);
    replace(&gate, &index(&[WEAK, OTHER], now()));
    looked_again(&gate).await;
    assert_eq!(gate.read("/servers/desk").await["standing"], "approved");
    assert_eq!(reopened(&gate, 1).await.len(), 1);
    replace(&gate, &index(&[WEAK, ("GHSA-more", "lodash", "CRITICAL")], now()));
    gate.until("/servers/desk", |dossier| dossier["standing"] == "suspended").await;
    let receipts = reopened(&gate, 2).await;
    assert_eq!(receipts.len(), 2);
    assert!(!receipts[0].to_string().contains("GHSA-weak"), "only what is new: {}", receipts[0]);
}

#[tokio::test]
async fn an_advisory_that_appeared_while_the_gate_was_down_is_found_when_it_is_back() {
    let gate = gate("[lifecycle]\nadvisory = \"suspend\"").await;
    gate.kill();
    replace(&gate, &index(&[WEAK], now()));
    gate.again().await;
    gate.until("/servers/desk", |dossier| dossier["standing"] == "suspended").await;
    in_effect(&gate).await;
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
}

#[tokio::test]
async fn a_server_whose_manifest_does_not_say_so_goes_on_and_people_are_told() {
    let gate = gate("").await;
    replace(&gate, &index(&[WEAK], now()));
    gate.until("/servers/desk", |dossier| dossier["warnings"].is_array()).await;
    in_effect(&gate).await;
    passes(&call(&gate).await);
    let listed = gate.must(&["server", "list"]).await;
    assert!(listed.contains("approved, but advisory"), "{listed}");
    assert!(gate.must(&["status"]).await.contains("1 with a warning since their approval"));
    assert!(reopened(&gate, 1).await[0].to_string().contains("warned"));
}

#[tokio::test]
async fn advisories_that_cannot_be_read_are_told_and_never_taken_for_none() {
    let gate = gate("[lifecycle]\nadvisory = \"suspend\"").await;
    let trouble = |status: &Value| status["vetting"]["advisories"]["trouble"].as_str().map(str::to_owned);
    assert_eq!(trouble(&gate.read("/status").await), None);
    let whole = index(&[OTHER, WEAK], now());
    // The line of the weakness is cut off, or says another name.
    let cut = whole[..whole.iter().rposition(|byte| *byte == b'\t').unwrap()].to_vec();
    let altered = String::from_utf8(whole.clone()).unwrap().replace("lodash", "lodish").into_bytes();
    for (bytes, why) in [(cut, "damaged"), (altered, "damaged"), (b"{}".to_vec(), "no index of advisories")] {
        replace(&gate, &bytes);
        gate.until("/status", |status| trouble(status).is_some_and(|told| told.contains(why))).await;
        replace(&gate, &index(&[OTHER], now()));
        gate.until("/status", |status| trouble(status).is_none()).await;
    }
    fs::remove_file(gate.directory().join("advisories.index")).unwrap();
    let status = gate.until("/status", |status| trouble(status).is_some()).await;
    assert_eq!(status["ready"], json!(true), "calls do not end for it: {status:#}");
    gate.has_said("servers are not compared with advisories").await;
    let told = gate.must(&["status"]).await.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("no advisories: the file cannot be read"), "{told}");
    assert!(metrics(&gate).await.contains("portcullis_advisories_readable 0"));

    // Old ones are compared with, and that they are old is told.
    replace(&gate, &index(&[WEAK], now() - 15 * 24 * 60 * 60));
    gate.until("/servers/desk", |dossier| dossier["standing"] == "suspended").await;
    let status = gate.read("/status").await;
    assert_eq!(status["vetting"]["advisories"]["stale"], json!(true), "{status:#}");
    assert!(gate.must(&["status"]).await.contains("long ago"));
    gate.has_said("the advisories are old").await;
}

const SAMPLE: &str = "gitlab_oidc_project-0.0.3.tar.gz";
const MAKER: &str = "https://gitlab.com/facutuesca/gitlab-oidc-project";

fn built_by(repository: &str) -> String {
    format!("[package.provenance]\nissuer = \"https://gitlab.com\"\nrepository = \"{repository}\"")
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dossier/samples").join(SAMPLE)
}

/// A gate with a desk whose package somebody is proven to have made.
async fn attested(more: &str) -> Gate {
    let gate = Gate::unapproved(Setup::default()).await;
    let file = gate.directory().join("state/servers/desk.toml");
    fs::write(&file, format!("{}{more}\n", files::server("desk", &gate.desk.url(), false))).unwrap();
    gate.apply().await;
    gate.must(&["server", "scan", sample().to_str().unwrap(), "--server", "desk"]).await;
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    passes(&call(&gate).await);
    gate
}

#[tokio::test]
async fn a_kept_attestation_that_does_not_hold_any_more_takes_the_server_out_of_service() {
    let gate = attested("").await;
    gate.end().await;
    // What was proven was proven; and the gate that starts now cannot verify it, as after its maker's key was taken back.
    let store = store::Sqlite::open(&gate.directory().join("data/state.db")).await.unwrap();
    let desk = "desk".parse().unwrap();
    let mut examination = store.package(&desk).await.unwrap().unwrap().examination;
    for evidence in &mut examination.provenance.evidence {
        let mut bundle: Value = serde_json::from_str(evidence).unwrap();
        let signature = bundle.pointer_mut("/dsseEnvelope/signatures/0/sig").expect("a signature");
        let text = signature.as_str().unwrap();
        let (head, tail) = text.split_at(text.len() / 2);
        let (other, rest) = match tail.strip_prefix('A') {
            Some(rest) => ('B', rest),
            None => ('A', tail.split_at(1).1),
        };
        *signature = format!("{head}{other}{rest}").into();
        *evidence = bundle.to_string();
    }
    let change = || Change { actor: Actor::Gate, expected: Expected::Any, at: Timestamp(1), reason: None };
    store.keep_package(&desk, examination, change()).await.unwrap();
    let package = store.package(&desk).await.unwrap().map(|kept| kept.digest);
    let seen = store.server(&desk).await.unwrap().observed.unwrap().digest;
    store.approve(&desk, Approval { package, ..Approval::of(seen, Eyes::Two) }, change()).await.unwrap();
    store.close().await;

    gate.again().await;
    let dossier = gate.until("/servers/desk", |dossier| dossier["standing"] == "suspended").await;
    let about = dossier["warnings"][0]["about"].as_str().unwrap();
    assert!(about.contains(MAKER) && about.contains("does not hold any more"), "{about}");
    in_effect(&gate).await;
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    assert!(reopened(&gate, 1).await[0].to_string().contains("signature"));
}

#[tokio::test]
async fn a_manifest_that_asks_for_another_maker_takes_the_server_out_of_service() {
    for (lifecycle, standing) in [("", "suspended"), ("[lifecycle]\nsignature = \"warn\"\n", "approved")] {
        let gate = attested(&format!("{lifecycle}{}", built_by(MAKER))).await;
        let file = gate.directory().join("state/servers/desk.toml");
        let manifest = fs::read_to_string(&file).unwrap();
        fs::write(&file, manifest.replace(MAKER, "https://gitlab.com/facutuesca/another")).unwrap();
        gate.apply().await;
        let dossier = gate.until("/servers/desk", |dossier| dossier["warnings"].is_array()).await;
        assert_eq!((&dossier["standing"], &dossier["warnings"][0]["cause"]), (&json!(standing), &json!("signature")));
        assert!(dossier["warnings"][0]["about"].as_str().unwrap().contains("facutuesca/another"), "{dossier:#}");
        in_effect(&gate).await;
        match standing {
            "approved" => passes(&call(&gate).await),
            _ => drop(gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await),
        }
    }
}
