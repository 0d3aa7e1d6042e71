//! TLS of the gate's own listeners: what is wrong is told at its line, and what is new counts without a restart.

use std::process::{Command, Stdio};

use serde_json::json;
use testkit::Authority;

use super::secure::{NAMES, Secure, Trust, breaks_off};
use crate::client::PATIENCE;
use crate::gate::files::write_private;
use crate::gate::{Gate, Setup, bearer, does_not_start};
use crate::verdict::passes;

/// Waits until new connections are shown another certificate than before.
async fn shows_another(client: &Secure, before: &[u8]) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while client.connect().await.unwrap().shown == before {
        assert!(std::time::Instant::now() < deadline, "the old certificate is still shown");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn new_certificates_count_without_a_restart_and_sessions_go_on() {
    let trust = Trust::new();
    let company = trust.company(Vec::new()).await;
    let token = company.issuer.token(&json!({}));
    let (own, secrets) = (trust.clients.issue(&["a.example"]), company.gate.directory().join("secrets"));
    let client = trust.client(&company.gate, Some(&own));
    let mut open = client.connect().await.unwrap();
    let about = json!({ "name": "it", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about });
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
    let hello = open.say(&token, None, hello).await.unwrap();
    let session = hello.headers["mcp-session-id"].to_str().unwrap().to_owned();
    let begun = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(open.say(&token, Some(&session), begun).await.unwrap().status, 202);
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {} });

    // A new certificate in place of the old one: nobody said a word.
    let before = open.shown.clone();
    let newer = trust.ours.issue(&NAMES);
    write_private(&secrets.join("gate.key"), &newer.key);
    write_private(&secrets.join("gate.pem"), &newer.certificate);
    shows_another(&client, &before).await;
    for connection in [&mut open, &mut client.connect().await.unwrap()] {
        let heard = connection.say(&token, Some(&session), list.clone()).await.unwrap();
        assert_eq!(heard.status, 200, "{}", heard.text());
    }
    // One whose key is missing changes nothing, whoever asks.
    let alone = trust.ours.issue(&NAMES);
    write_private(&secrets.join("gate.pem"), &alone.certificate);
    company.gate.has_said("the old ones stay").await;
    company.gate.reload();
    company.gate.has_said("the settings were not reloaded, nothing changed").await;
    assert_eq!(client.connect().await.unwrap().shown, newer.der);
    write_private(&secrets.join("gate.pem"), &newer.certificate);

    // Another authority of clients: who came with a certificate of the old one goes, connection and all.
    let (others, heard) = (Authority::new(), open.watch(&token).await.unwrap());
    write_private(&secrets.join("clients.pem"), &others.pem());
    breaks_off(heard).await;
    client.is_not_served(&token).await;
    let known = others.issue(&["a.example"]);
    passes(&trust.client(&company.gate, Some(&known)).read_with(&token).await);
}

/// What was said, however its lines were broken.
fn words(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_is_wrong_with_certificates_is_told_at_its_line() {
    let trust = Trust::new();
    let company = trust.company(Vec::new()).await;
    let (file, secrets) = (company.gate.directory().join("portcullis.toml"), company.gate.directory().join("secrets"));
    let good = std::fs::read_to_string(&file).unwrap();
    let line = good.lines().position(|line| line.starts_with("tls =")).unwrap() + 1;
    company.gate.end().await;
    write_private(&secrets.join("other.key"), &trust.ours.issue(&NAMES).key);
    write_private(&secrets.join("empty.pem"), "nothing");
    for (change, to, told) in [
        ("secrets/gate.pem", "secrets/nowhere.pem", "cannot be read"),
        ("secrets/gate.pem", "secrets/empty.pem", "holds no certificates in PEM"),
        ("secrets/gate.key", "secrets/other.key", "the key is not the certificate's"),
        ("secrets/gate.key", "secrets/empty.pem", "holds no private key"),
        ("secrets/clients.pem", "secrets/empty.pem", "holds no certificates in PEM"),
    ] {
        std::fs::write(&file, good.replace(change, to)).unwrap();
        let said = words(&does_not_start(company.gate.directory()).await);
        assert!(said.contains(told) && said.contains(&format!("portcullis.toml:{line}:")), "{change} → {to}: {said}");
    }
    let open = good.replace("[admin]\nlisten = \"127.0.0.1:0\"", "[admin]\nlisten = \"0.0.0.0:0\"");
    let open = open.split("[[development.token]]").next().unwrap().to_owned();
    std::fs::write(&file, open).unwrap();
    let said = words(&does_not_start(company.gate.directory()).await);
    assert!(said.contains("without TLS") && said.contains("[admin.tls]"), "{said}");
}

#[tokio::test]
async fn people_reach_the_admin_listener_over_tls() {
    let authority = Authority::new();
    let own = authority.issue(&NAMES);
    let secrets = vec![("admin.pem", own.certificate), ("admin.key", own.key), ("authority.pem", authority.pem())];
    let gate = Gate::with(Setup { secrets, ..Setup::default() }).await;
    let file = gate.directory().join("portcullis.toml");
    let plain = std::fs::read_to_string(&file).unwrap();
    let tls = "[admin]\nhosts = [\"localhost\"]\ntls = { certificate = \"secrets/admin.pem\", key = \"file:secrets/admin.key\", \
               authority = \"secrets/authority.pem\" }\n";
    gate.end().await;
    std::fs::write(&file, plain.replace("[admin]\n", tls)).unwrap();
    gate.again().await;
    let run = async |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(arguments).stdin(Stdio::null()).current_dir(gate.directory());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
    };
    let admin = format!("https://localhost:{}", gate.admin().port());
    let named = ["server", "list", "--admin", &admin, "--token-file", "data/admin.token"];
    let (ok, said) = run(&[&named[..], &["--authority", "secrets/authority.pem"]].concat()).await;
    assert!(ok && said.contains("desk"), "{said}");
    // Whoever does not know the authority sends no token; and without TLS nobody is heard.
    let (ok, said) = run(&named).await;
    assert!(!ok, "{said}");
    let clear = format!("http://localhost:{}", gate.admin().port());
    let (ok, said) = run(&["server", "list", "--admin", &clear, "--token-file", "data/admin.token"]).await;
    assert!(!ok, "{said}");
    let secure = Secure::new(gate.admin(), &authority, None);
    let heard = secure.ask("gate.example", "/api/v1/servers", bearer("nobody's-token-0123456789"), "").await.unwrap();
    assert!(heard.status.is_client_error(), "{}", heard.text());
}
