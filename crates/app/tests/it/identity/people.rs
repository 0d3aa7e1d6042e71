//! People on the admin side: they sign in, are known by a session, and each change says who made it.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use http::{HeaderMap, header};
use serde_json::json;

use super::office::{Browser, Office, ROLES, halt};
use crate::client::PATIENCE;
use crate::gate::{bearer, does_not_start};

#[tokio::test]
async fn a_person_signs_in_and_each_change_says_whose_account_made_it() {
    let office = Office::start().await;
    let ana = office.browser("ana", &["staff", "security"]).await;
    let who = ana.whoami(&office).await.unwrap();
    assert_eq!((&who["name"], &who["subject"], &who["known_by"]), (&json!("ana"), &json!("s-ana"), &json!("browser")));
    assert_eq!(who["roles"], json!(["viewer", "responder"]));
    let heard = ana.call(&office, "/halts", &halt(), who["csrf"].as_str()).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    let made = office.changes("halt", 1).await.remove(0);
    let account = json!({ "issuer": office.provider.issuer(), "subject": "s-ana", "name": "ana" });
    assert_eq!(made["actor"], json!({ "type": "signed-in", "name": account }));
    let began = office.changes("people.sign-in", 1).await.remove(0);
    assert_eq!((&began["actor"]["name"]["subject"], &began["subject"]), (&json!("s-ana"), &json!("browser")));
    assert_eq!(began["detail"]["roles"], json!(["viewer", "responder"]));
    // What is beyond their roles is refused as to anybody.
    let heard = ana.call(&office, "/servers/desk/approve", &json!({}), who["csrf"].as_str()).await;
    assert_eq!((heard.status.as_u16(), &heard.json()["error"]["code"]), (403, &json!("role-missing")));
    let page = ana.get(&office, "/sign-in").await;
    assert!(page.text().contains("ana (s-ana at") && page.text().contains("viewer, responder"), "{}", page.text());
}

#[tokio::test]
async fn whoever_is_called_like_a_token_or_a_role_is_somebody_else() {
    let office = Office::start().await;
    let namesake = office.browser("admin", &["staff", "admin", "bootstrap"]).await;
    assert_eq!(namesake.whoami(&office).await.unwrap()["roles"], json!(["viewer"]));
    let began = office.changes("people.sign-in", 1).await.remove(0);
    let halted = office.gate.send(
        office.gate.admin(),
        "POST",
        "/api/v1/halts",
        {
            let mut headers = bearer(&crate::gate::files::person_token("admin"));
            headers.insert(header::CONTENT_TYPE, crate::gate::value("application/json"));
            headers
        },
        halt().to_string(),
    );
    assert_eq!(halted.await.status, 200);
    let halted = office.changes("halt", 1).await.remove(0);
    assert_eq!(halted["actor"], json!({ "type": "person", "name": "admin" }));
    assert_ne!(began["actor"], halted["actor"]);
}

#[tokio::test]
async fn roles_are_those_of_the_groups_as_they_are_now() {
    let sessions = "sessions = { check_seconds = 1 }\n";
    let office = Office::with(&format!("{ROLES}{sessions}"), "").await;
    let ana = office.browser("ana", &["staff", "security"]).await;
    office.is("ana", &["staff"]);
    let deadline = std::time::Instant::now() + PATIENCE;
    while ana.whoami(&office).await.unwrap()["roles"] != json!(["viewer"]) {
        assert!(std::time::Instant::now() < deadline, "she still has the role");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // In no group that has one, she is not in at all, and that does not come back by itself.
    office.is("ana", &["others"]);
    ana.is_out(&office).await;
    office.is("ana", &["staff"]);
    assert_eq!(ana.whoami(&office).await, None);
    let ended = office.changes("people.sign-out", 1).await.remove(0);
    assert_eq!(ended["actor"]["type"], "gate");
    assert_eq!(ended["detail"]["of"]["account"]["subject"], "s-ana");
}

#[tokio::test]
async fn whom_the_provider_knows_no_more_is_out_and_while_it_is_away_people_are_in() {
    let office = Office::with(&format!("{ROLES}sessions = {{ check_seconds = 1 }}\n"), "").await;
    let ana = office.browser("ana", &["staff"]).await;
    office.provider.is_away(true);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(ana.whoami(&office).await.is_some(), "the provider was asked and did not answer");
    let bob = Browser::default();
    let heard = bob.get(&office, "/sign-in").await;
    assert_eq!(heard.status, 303, "its metadata are known");
    office.provider.is_away(false);
    office.provider.forgets_everybody();
    ana.is_out(&office).await;
}

#[tokio::test]
async fn other_roles_of_groups_count_when_the_settings_are_read_again() {
    let office = Office::start().await;
    let ana = office.browser("ana", &["security"]).await;
    let file = office.gate.directory().join("portcullis.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("responder = [\"security\"]", "auditor = [\"security\"]")).unwrap();
    office.gate.reload();
    office.gate.has_said("the settings were reloaded").await;
    assert_eq!(ana.whoami(&office).await.unwrap()["roles"], json!(["auditor"]));
}

#[tokio::test]
async fn a_session_ends_by_its_person_by_rest_and_by_the_provider() {
    let office = Office::start().await;
    let ana = office.browser("ana", &["staff"]).await;
    let page = ana.get(&office, "/sign-in").await.text();
    let csrf = page.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let before = ana.0.lock().unwrap().clone();
    let out = ana.post(&office, "/sign-in/out", &[("csrf", &csrf)]).await;
    assert_eq!(out.status, 200, "{}", out.text());
    assert!(ana.0.lock().unwrap().keys().all(|name| !name.contains("session")));
    *ana.0.lock().unwrap() = before;
    assert_eq!(ana.whoami(&office).await, None, "a cookie that somebody kept");

    let (bob, carl) = (office.browser("bob", &["staff"]).await, office.browser("carl", &["staff"]).await);
    let logout = json!({
        "aud": super::provider::CLIENT, "sub": "s-bob", "jti": "1",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    let logout = office.provider.signs("logout+jwt", &logout);
    let told = Browser::default();
    let heard = told.post(&office, "/sign-in/backchannel-logout", &[("logout_token", &logout)]).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(bob.whoami(&office).await, None);
    assert!(carl.whoami(&office).await.is_some());
    // The same message once more ends nothing.
    let bob = office.browser("bob", &["staff"]).await;
    let heard = told.post(&office, "/sign-in/backchannel-logout", &[("logout_token", &logout)]).await;
    assert_eq!(heard.status, 400);
    assert!(bob.whoami(&office).await.is_some());
}

#[tokio::test]
async fn a_responder_sees_who_is_in_and_sends_somebody_out() {
    let office = Office::start().await;
    let (ana, bob) = (office.browser("ana", &["staff", "security"]).await, office.browser("bob", &["staff"]).await);
    let bob_too = office.browser("bob", &["staff"]).await;
    let heard = ana.get(&office, "/api/v1/people").await;
    let rows = heard.json();
    let row = |at: usize| (rows[at]["subject"].clone(), rows[at]["roles"].clone(), rows[at]["own"].clone());
    assert_eq!(row(0), (json!("s-bob"), json!(["viewer"]), json!(false)), "{rows}");
    assert_eq!(row(2), (json!("s-ana"), json!(["viewer", "responder"]), json!(true)), "{rows}");
    assert_eq!(rows[2]["known_by"], json!("browser"));

    // A viewer learns of nobody, and sends nobody out.
    let account = json!({ "issuer": office.provider.issuer(), "subject": "s-ana", "reason": "I like it so" });
    assert_eq!(bob.get(&office, "/api/v1/people").await.status, 403);
    let csrf = bob.csrf(&office).await;
    assert_eq!(bob.call(&office, "/people/sign-out", &account, Some(&csrf)).await.status, 403);
    assert!(ana.whoami(&office).await.is_some());

    let csrf = ana.csrf(&office).await;
    let account = json!({ "issuer": office.provider.issuer(), "subject": "s-bob", "reason": "left the company" });
    let heard = ana.call(&office, "/people/sign-out", &account, Some(&csrf)).await;
    assert_eq!((heard.status.as_u16(), heard.json()), (200, json!({ "ended": 2 })));
    assert_eq!((bob.whoami(&office).await, bob_too.whoami(&office).await), (None, None));
    let out = office.changes("people.sign-out", 1).await.remove(0);
    assert_eq!(
        (&out["actor"]["name"]["subject"], &out["detail"]["reason"]),
        (&json!("s-ana"), &json!("left the company"))
    );
    let heard = ana.call(&office, "/people/sign-out", &account, Some(&csrf)).await;
    assert_eq!((heard.status.as_u16(), &heard.json()["error"]["code"]), (404, &json!("not-found")));
}

#[tokio::test]
async fn the_command_line_lists_who_is_in_and_sends_them_out_by_name() {
    let office = Office::start().await;
    let bob = office.browser("bob", &["staff"]).await;
    let token = crate::gate::files::person_token("responder");
    let file = office.gate.directory().join("responder.token");
    std::fs::write(&file, token).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let shown = ["--token-file", file.to_str().unwrap()];
    let (ok, said) = office.run(&[&["people", "list"][..], &shown].concat()).await;
    assert!(ok && said.contains("bob") && said.contains("browser") && said.contains("s-bob"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let (ok, said) = office.run(&[&["people", "sign-out", "eve"][..], &shown].concat()).await;
    assert!(!ok && said.contains("nobody called `eve` is signed in"), "{said}");
    let (ok, said) =
        office.run(&[&["people", "sign-out", "bob", "--reason", "lost a laptop"][..], &shown].concat()).await;
    assert!(ok && said.contains("1 session"), "{said}");
    assert_eq!(bob.whoami(&office).await, None);
    let (ok, said) = office.run(&[&["people", "list"][..], &shown].concat()).await;
    assert!(ok && said.contains("nobody is signed in"), "{said}");
}

#[tokio::test]
async fn a_browser_that_rests_is_out_and_one_that_goes_on_ends_all_the_same() {
    let office = Office::with(&format!("{ROLES}sessions = {{ idle_seconds = 1 }}\n"), "").await;
    let ana = office.browser("ana", &["staff"]).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(ana.whoami(&office).await, None);
    let office = Office::with(&format!("{ROLES}sessions = {{ seconds = 2 }}\n"), "").await;
    office.browser("ana", &["staff"]).await.is_out(&office).await;
}

#[tokio::test]
async fn a_command_line_is_signed_in_by_a_browser_of_the_same_machine() {
    let office = Office::start().await;
    office.is("ana", &["staff"]);
    let (mut process, page) = office.login(&[]).await;
    let browser = Browser::default();
    let target = browser.lets_in(&office, &page).await;
    let port = target.strip_prefix("http://127.0.0.1:").unwrap().split('/').next().unwrap();
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let path = target.split_once(port).unwrap().1;
    let heard = office.gate.send(address, "GET", path, HeaderMap::new(), "").await;
    assert!(heard.status == 200 && heard.text().contains("You are signed in"), "{}", heard.text());
    let ended = tokio::task::spawn_blocking(move || (process.wait(PATIENCE).unwrap().success(), process.output()));
    let (ok, said) = ended.await.unwrap();
    assert!(ok && said.contains("s-ana") && said.contains("viewer"), "{said}");

    let files: Vec<_> = std::fs::read_dir(office.gate.directory().join("sessions")).unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (ok, said) = office.run(&["whoami"]).await;
    assert!(ok && said.contains("ana") && said.contains("session of the command line"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let (ok, said) = office.run(&["server", "list"]).await;
    assert!(ok && said.contains("desk"), "{said}");
    let (ok, said) = office.run(&["halt", "user", "nobody", "--reason", "a test"]).await;
    assert!(!ok && said.contains("has none of the roles"), "{said}");

    let token = std::fs::read_to_string(files[0].path()).unwrap();
    let (ok, said) = office.run(&["logout"]).await;
    assert!(ok, "{said}");
    assert!(!files[0].path().exists());
    let heard = office.gate.send(office.gate.admin(), "GET", "/api/v1/whoami", bearer(&token), "").await;
    assert_eq!(heard.status, 401, "a token that somebody kept");
    let (ok, said) = office.run(&["whoami"]).await;
    assert!(!ok && said.contains("portcullis login"), "{said}");
}

#[tokio::test]
async fn the_first_administrator_comes_in_with_a_code_that_is_good_once() {
    let admin = "bootstrap = \"code\"\n";
    let office = Office::with("roles = { viewer = [\"staff\"] }\n", admin).await;
    let file = office.gate.directory().join("data/first.code");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let code = std::fs::read_to_string(&file).unwrap();
    assert!(!office.gate.output().contains(&code), "the code is in the log");
    assert!(!office.gate.directory().join("data/admin.token").exists(), "there is no standing token");
    office.is("ana", &["others"]);
    let (mut process, page) = office.login(&["--first", file.to_str().unwrap()]).await;
    let target = Browser::default().lets_in(&office, &page).await;
    let url = url::Url::parse(&target).unwrap();
    let address = format!("127.0.0.1:{}", url.port().unwrap()).parse().unwrap();
    let path = format!("{}?{}", url.path(), url.query().unwrap());
    office.gate.send(address, "GET", &path, HeaderMap::new(), "").await;
    let ended = tokio::task::spawn_blocking(move || (process.wait(PATIENCE).unwrap().success(), process.output()));
    let (ok, said) = ended.await.unwrap();
    assert!(ok && said.contains("admin"), "{said}");
    assert!(!file.exists(), "the code was used");
    let began = office.changes("people.sign-in", 1).await.remove(0);
    assert_eq!((&began["detail"]["first"], &began["detail"]["roles"]), (&json!(true), &json!(["admin"])));
    let (ok, said) = office.run(&["server", "approve", "desk", "--yes"]).await;
    assert!(ok, "{said}");
}

#[tokio::test]
async fn what_is_wrong_with_the_settings_of_people_is_told_at_its_line() {
    let office = Office::start().await;
    let file = office.gate.directory().join("portcullis.toml");
    let right = std::fs::read_to_string(&file).unwrap();
    office.gate.end().await;
    let issuer = format!("issuer = \"{}\"", office.provider.issuer());
    for (from, to, line, told) in [
        (issuer.as_str(), "issuer = \"id.example\"", issuer.as_str(), "is no issuer"),
        (ROLES, "", "[people]", "nobody who signs in would have a role"),
        ("viewer = [\"staff\"]", "viewer = []", "+roles", "no group has this role"),
        ("viewer = [\"staff\"]", "owner = [\"staff\"]", "+roles", "unknown variant `owner`"),
        (ROLES, &format!("{ROLES}sessions = {{ seconds = 0 }}\n"), "+sessions", "from 1 to 86400"),
        (ROLES, &format!("{ROLES}sessions = {{ check_seconds = 7200 }}\n"), "+sessions", "from 1 to 3600"),
        (ROLES, &format!("{ROLES}acr_values = [\"a b\"]\n"), "+acr_values", "no word of visible letters"),
        ("claims = { user", "claims = { user_prefix = \"x\", user", "claims = {", "need no prefix"),
        (
            "client_secret = \"file:secrets/provider\"\n",
            "authentication = \"client_secret_post\"\n",
            "+authentication",
            "no `client_secret`",
        ),
        ("[admin]\n", "[admin]\npublic_url = \"https://gate.example/x\"\n", "+public_url", "no path"),
        ("[admin]\n", "[admin]\nbootstrap = \"password\"\n", "+bootstrap", "unknown variant `password`"),
    ] {
        let wrong = right.replace(from, to);
        assert_ne!(wrong, right, "{from}");
        std::fs::write(&file, &wrong).unwrap();
        let said = does_not_start(office.gate.directory()).await;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = line.strip_prefix('+').unwrap_or(if wrong.contains(line) { line } else { to });
        let wanted = wanted.lines().next().unwrap();
        // Other tables have keys of the same name; this one is the last.
        let number = wrong.lines().collect::<Vec<_>>().iter().rposition(|one| one.starts_with(wanted)).unwrap() + 1;
        assert!(said.contains(told) && said.contains(&format!("portcullis.toml:{number}:")), "{to}: {number}: {said}");
    }
    let people = right.find("\n[people]").unwrap();
    let wrong = right.split_at(people).0.replace("[admin]\n", "[admin]\nbootstrap = \"code\"\n");
    std::fs::write(&file, wrong).unwrap();
    let said = does_not_start(office.gate.directory()).await.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("a code is for somebody who signs in"), "{said}");
}

#[tokio::test]
async fn nothing_of_a_session_is_kept_or_told() {
    let office = Office::start().await;
    let ana = office.browser("ana", &["staff", "security"]).await;
    let csrf = ana.csrf(&office).await;
    ana.call(&office, "/halts", &halt(), Some(&csrf)).await;
    office.changes("halt", 1).await;
    // The rest is looked at when the gate goes, as in every test.
    for secret in ana.0.lock().unwrap().values().chain(&office.provider.secrets()) {
        office.gate.sweep.secret(secret);
    }
    office.gate.read("/receipts?limit=100").await;
}
