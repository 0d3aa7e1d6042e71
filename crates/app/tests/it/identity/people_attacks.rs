//! What must not let anybody in on the admin side, or have them do what they did not.

use http::{HeaderMap, header};
use serde_json::json;

use super::office::{Browser, Office, ROLES, halt, sealed};
use super::person::encoded;
use crate::gate::{bearer, value};

#[tokio::test]
async fn a_browser_s_writes_need_what_only_a_page_of_the_gate_knows() {
    let office = Office::start().await;
    let ana = office.browser("ana", &["security"]).await;
    let bob = office.browser("bob", &["security"]).await;
    let (own, other) = (ana.csrf(&office).await, bob.csrf(&office).await);
    for csrf in [None, Some(""), Some("guessed"), Some(other.as_str()), Some(own.split_at(1).1)] {
        let heard = ana.call(&office, "/halts", &halt(), csrf).await;
        assert_eq!(
            (heard.status.as_u16(), &heard.json()["error"]["code"]),
            (403, &json!("csrf-token-missing")),
            "{csrf:?}"
        );
    }
    // A page of another site, even with the right one.
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, value("application/json"));
    headers.insert(header::ORIGIN, value("https://evil.example"));
    headers.insert("x-portcullis-csrf", value(&own));
    let heard = ana.send(&office, "POST", "/api/v1/halts", headers, halt().to_string()).await;
    assert_eq!((heard.status.as_u16(), &heard.json()["error"]["code"]), (403, &json!("origin-refused")));
    // Nor does one sign anybody out.
    for (origin, csrf) in
        [("https://evil.example", own.as_str()), (office.url().as_str(), "guessed"), (office.url().as_str(), "")]
    {
        let heard = ana.post_from(&office, origin, "/sign-in/out", &[("csrf", csrf)]).await;
        assert_eq!(heard.status, 403, "{origin} {csrf}");
    }
    assert!(ana.whoami(&office).await.is_some());
    assert_eq!(office.gate.read("/halts").await, json!([]));
}

#[tokio::test]
async fn a_cookie_is_no_token_and_a_token_is_no_cookie() {
    let office = Office::start().await;
    let ana = office.browser("ana", &["staff"]).await;
    let (name, secret) = ana.0.lock().unwrap().iter().next().map(|(a, b)| (a.clone(), b.clone())).unwrap();
    assert_eq!(name, "portcullis-session");
    for token in [secret.clone(), format!("portcullis-session-{secret}")] {
        let heard = office.gate.send(office.gate.admin(), "GET", "/api/v1/whoami", bearer(&token), "").await;
        assert_eq!(heard.status, 401, "a cookie as a token");
    }
    // A bad token beside a good cookie is a bad token.
    let heard = ana.send(&office, "GET", "/api/v1/whoami", bearer("x"), String::new()).await;
    assert_eq!(heard.status, 401);
    // Nor is an agent's token worth anything here, nor this at an agents' door.
    let caller = crate::gate::files::caller_token("ana");
    let heard = office.gate.send(office.gate.admin(), "GET", "/api/v1/whoami", bearer(&caller), "").await;
    assert_eq!(heard.status, 401);
    for cookie in
        [format!("{name}={secret}; {name}={secret}"), format!("{name}={}", secret.split_at(1).1), format!("{name}=")]
    {
        let headers = HeaderMap::from_iter([(header::COOKIE, value(&cookie))]);
        let heard = office.gate.send(office.gate.admin(), "GET", "/api/v1/whoami", headers, "").await;
        assert_eq!(heard.status, 401, "{cookie}");
    }
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
    let office = Office::start().await;
    office.is("ana", &["staff"]);
    let ana = Browser::default();
    let back = ana.leaves(&office).await;
    let heard = ana.get(&office, &back).await;
    let cookies: Vec<_> = heard.headers.get_all(header::SET_COOKIE).iter().map(|one| one.to_str().unwrap()).collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("portcullis-session=")).unwrap();
    assert!(session.contains("; HttpOnly") && session.contains("; SameSite=Strict") && session.contains("; Path=/"));
    assert!(!session.contains("Secure"), "over plain loopback browsers would not keep it");
    // Over TLS, no other host sets one of its name and none goes in the clear.
    let office = Office::with(ROLES, "public_url = \"https://gate.test\"\n").await;
    office.is("ana", &["staff"]);
    let ask = async |target: &str, cookie: &str| {
        let mut headers = HeaderMap::from_iter([(header::HOST, value("gate.test"))]);
        if !cookie.is_empty() {
            headers.insert(header::COOKIE, value(cookie));
        }
        office.gate.send(office.gate.admin(), "GET", target, headers, "").await
    };
    let sent = ask("/sign-in", "").await;
    let trip = sent.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(trip.starts_with("__Host-"), "{trip}");
    let link = sent.headers[header::LOCATION].to_str().unwrap();
    let back = Browser::default().at_the_provider(&office, link).await;
    let target = back.strip_prefix("https://gate.test").unwrap();
    let heard = ask(target, &trip).await;
    let cookies = heard.headers.get_all(header::SET_COOKIE).iter().map(|one| one.to_str().unwrap().to_owned());
    let session = cookies.into_iter().find(|cookie| cookie.starts_with("__Host-portcullis-session=")).unwrap();
    assert!(session.contains("; Secure") && session.contains("; SameSite=Strict"), "{session}");
}

#[tokio::test]
async fn a_way_back_is_of_one_browser_one_provider_and_one_moment() {
    let office = Office::start().await;
    office.is("ana", &["platform"]);
    // Somebody else's link, in a browser that never left, and in one that left by itself.
    let (mallory, victim) = (Browser::default(), Browser::default());
    let link = mallory.leaves(&office).await;
    assert_eq!(victim.get(&office, &link).await.status, 403);
    victim.leaves(&office).await;
    assert_eq!(victim.get(&office, &link).await.status, 403);
    assert_eq!(victim.whoami(&office).await, None);
    // Twice: the provider's code is spent and so is the cookie of the way.
    let ana = Browser::default();
    let back = ana.leaves(&office).await;
    assert_eq!(ana.get(&office, &back).await.status, 200);
    ana.0.lock().unwrap().clear();
    assert_eq!(ana.get(&office, &back).await.status, 403);
    let issuer = office.provider.issuer().to_owned();
    for (name, said, right) in [
        ("iss", "https://evil.example", issuer.as_str()),
        ("iss", "", &issuer),
        ("error", "access_denied", ""),
        ("state", "guessed", ""),
    ] {
        let ana = Browser::default();
        office.provider.sends_back(name, said);
        let heard = ana.signs_in(&office).await;
        assert_eq!(heard.status, 403, "{name}={said}: {}", heard.text());
        assert_eq!(ana.whoami(&office).await, None);
        office.provider.sends_back(name, right);
    }
}

#[tokio::test]
async fn a_token_of_the_provider_that_does_not_fit_lets_nobody_in() {
    let refuses = async |office: &Office, claim: &str, said: serde_json::Value| {
        office.provider.says(claim, said.clone());
        let ana = Browser::default();
        let heard = ana.signs_in(office).await;
        assert_eq!(heard.status, 403, "{claim} {said}: {}", heard.text());
        assert_eq!(ana.whoami(office).await, None);
    };
    let office = Office::start().await;
    for (claim, said) in [
        ("azp", json!("another-client")),
        ("sub", json!("")),
        ("groups", json!("platform,staff")),
        ("groups", json!({ "admin": true })),
        ("_claim_names", json!({ "groups": "elsewhere" })),
    ] {
        office.is("ana", &["platform"]);
        refuses(&office, claim, said).await;
        office.provider.says(claim, json!(null));
    }
    office.browser("ana", &["platform"]).await;
    // What the provider says for every token cannot be taken back, so that each of these is a place of its own.
    for (claim, said) in [("nonce", json!("another's")), ("aud", json!("another-client")), ("exp", json!(1))] {
        let office = Office::start().await;
        office.is("ana", &["platform"]);
        refuses(&office, claim, said).await;
    }
}

#[tokio::test]
async fn who_has_no_role_is_told_so_and_it_is_written_down() {
    let office = Office::start().await;
    office.is("eve", &["others"]);
    let eve = Browser::default();
    let heard = eve.signs_in(&office).await;
    assert!(heard.status == 403 && heard.text().contains("Nobody gave you a role"), "{}", heard.text());
    assert!(!heard.text().contains("platform"), "it does not say which groups have one");
    assert_eq!(eve.whoami(&office).await, None);
    let refused = office.changes("people.refuse", 1).await.remove(0);
    assert_eq!(refused["actor"]["name"]["subject"], "s-eve");
}

#[tokio::test]
async fn where_a_second_factor_is_asked_for_a_password_is_not_enough() {
    let office = Office::with(&format!("{ROLES}acr_values = [\"mfa\"]\n"), "").await;
    office.is("ana", &["platform"]);
    for acr in [json!(null), json!("password")] {
        office.provider.says("acr", acr);
        let ana = Browser::default();
        assert_eq!(ana.signs_in(&office).await.status, 403);
        assert_eq!(ana.whoami(&office).await, None);
    }
    assert_eq!(office.provider.begun()[0]["acr_values"], "mfa");
    office.provider.says("acr", json!("mfa"));
    assert!(office.browser("ana", &["platform"]).await.whoami(&office).await.is_some());
}

/// A way to the page of a command line.
fn page(port: &str, state: &str, challenge: &str) -> String {
    format!("/sign-in/command-line?{}", encoded(&[("port", port), ("state", state), ("code_challenge", challenge)]))
}

const STATE: &str = "0123456789abcdef0123";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[tokio::test]
async fn a_command_line_s_code_is_good_once_for_whoever_asked() {
    let office = Office::start().await;
    office.is("ana", &["staff"]);
    let challenge = super::provider::challenge(VERIFIER);
    let redeem = async |code: &str, verifier: &str| {
        let form = [("code", code), ("code_verifier", verifier)];
        Browser::default().post(&office, "/sign-in/command-line/token", &form).await
    };
    let code = async || {
        let back = Browser::default().lets_in(&office, &page("4711", STATE, &challenge)).await;
        assert!(back.starts_with("http://127.0.0.1:4711/signed-in?"), "{back}");
        let back: std::collections::HashMap<_, _> =
            url::Url::parse(&back).unwrap().query_pairs().into_owned().collect();
        assert_eq!((back["state"].as_str(), back["iss"].as_str()), (STATE, office.url().as_str()));
        back["code"].clone()
    };
    // Whoever listened at the port has the code and not the verifier; and trying spends it.
    let stolen = code().await;
    for verifier in ["", "guessed", &VERIFIER.replace('d', "e"), VERIFIER] {
        assert_eq!(redeem(&stolen, verifier).await.status, 400, "{verifier}");
    }
    let good = code().await;
    let heard = redeem(&good, VERIFIER).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    // What it gets is a token, and no browser's cookie.
    let token = heard.json()["token"].as_str().unwrap().to_owned();
    let whoami = async |headers: HeaderMap| {
        office.gate.send(office.gate.admin(), "GET", "/api/v1/whoami", headers, "").await.status.as_u16()
    };
    assert_eq!(whoami(bearer(&token)).await, 200);
    let cookie = HeaderMap::from_iter([(header::COOKIE, value(&format!("portcullis-session={token}")))]);
    assert_eq!(whoami(cookie).await, 401);
    assert_eq!(redeem(&good, VERIFIER).await.status, 400, "once more");
    let form = [("code", "x"), ("code_verifier", VERIFIER), ("first_code", "first-0")];
    assert_eq!(Browser::default().post(&office, "/sign-in/command-line/token", &form).await.status, 400);
    // No code makes anybody administrator that the gate did not write down.
    let guessed = code().await;
    let form = [("code", guessed.as_str()), ("code_verifier", VERIFIER), ("first_code", "first-00000000")];
    let heard = Browser::default().post(&office, "/sign-in/command-line/token", &form).await;
    assert_eq!((heard.status.as_u16(), &heard.json()["error"]), (400, &json!("access_denied")));
}

#[tokio::test]
async fn a_command_line_is_let_in_by_its_person_alone() {
    let office = Office::start().await;
    office.is("ana", &["staff"]);
    let challenge = super::provider::challenge(VERIFIER);
    let good = page("4711", STATE, &challenge);
    let (ana, mallory) = (Browser::default(), Browser::default());
    let (shown, hers) = (ana.get(&office, &good).await, mallory.get(&office, &good).await);
    // Another browser's form, a form of another site, no form at all.
    for (origin, form) in [
        (office.url(), sealed(&hers)),
        ("https://evil.example".to_owned(), sealed(&shown)),
        (office.url(), String::new()),
        (office.url(), sealed(&shown).split_at(1).1.to_owned()),
    ] {
        let answer = [("request", form.as_str()), ("answer", "allow")];
        let heard = ana.post_from(&office, &origin, "/sign-in/command-line", &answer).await;
        assert!(heard.status.is_client_error(), "{origin}: {}", heard.text());
    }
    // A no is told to the command, and nothing else.
    let shown = ana.get(&office, &good).await;
    let said = ana.post(&office, "/sign-in/command-line", &[("request", &sealed(&shown)), ("answer", "deny")]).await;
    assert!(said.text().contains("error=access_denied"), "{}", said.text());
    assert!(office.provider.begun().is_empty());
    // Nowhere but to a port of this machine.
    for (port, state, challenge) in [
        ("22", STATE, challenge.as_str()),
        ("0", STATE, &challenge),
        ("70000", STATE, &challenge),
        ("4711@evil.example", STATE, &challenge),
        ("4711/x", STATE, &challenge),
        ("", STATE, &challenge),
        ("4711", "short", &challenge),
        ("4711", "0123456789abcdef&iss=x", &challenge),
        ("4711", STATE, ""),
        ("4711", STATE, "plain"),
    ] {
        let heard = ana.get(&office, &page(port, state, challenge)).await;
        assert_eq!(heard.status, 400, "{port} {state} {challenge}");
    }
}

#[tokio::test]
async fn where_nobody_signs_in_there_is_no_page_of_it() {
    let gate = crate::gate::Gate::start().await;
    for path in ["/sign-in", "/sign-in/callback?state=x&code=y", "/sign-in/command-line", "/sign-in/style.css"] {
        let heard = gate.send(gate.admin(), "GET", path, HeaderMap::new(), "").await;
        assert_eq!(heard.status, 401, "{path}");
    }
}

/// Submits the server `extra`; what approving it takes.
async fn submits(browser: &Browser, office: &Office) -> serde_json::Value {
    let manifest = json!({
        "name": "extra", "url": office.gate.desk.url(), "zone": "here", "owner": "the desk", "purpose": "A help desk",
    });
    let csrf = browser.csrf(office).await;
    let heard = browser.call(office, "/servers", &json!({ "manifest": manifest }), Some(&csrf)).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    json!({ "seen": heard.json()["observed"]["digest"] })
}

#[tokio::test]
async fn whoever_submitted_a_server_does_not_approve_it_whatever_they_are_called_meanwhile() {
    let office = Office::with("roles = { reviewer = [\"staff\"], approver = [\"staff\"] }\n", "").await;
    let ana = office.browser("ana", &["staff"]).await;
    let approval = submits(&ana, &office).await;
    let approves = async |browser: &Browser| {
        let csrf = browser.csrf(&office).await;
        browser.call(&office, "/servers/extra/approve", &approval, Some(&csrf)).await.status.as_u16()
    };
    assert_eq!(approves(&ana).await, 409);
    let renamed = Browser::default();
    office.provider.says("preferred_username", "ana.maria".into());
    assert_eq!(renamed.signs_in(&office).await.status, 200);
    assert_eq!(renamed.whoami(&office).await.unwrap()["name"], "ana.maria");
    assert_eq!(approves(&renamed).await, 409, "another name is not another person");
    let bob = office.browser("bob", &["staff"]).await;
    assert_eq!(approves(&bob).await, 200);
}

/// Somebody else who signs in could approve it, whether they are in or not.
#[tokio::test]
async fn where_people_sign_in_nobody_approves_alone_although_nobody_has_a_token() {
    let roles = "roles = { reviewer = [\"staff\"], approver = [\"staff\"] }\n";
    let office = Office::with(roles, "bootstrap = \"code\"\n").await;
    let file = office.gate.directory().join("portcullis.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let left: Vec<_> = text.split("\n[[").filter(|table| !table.starts_with("admin.token]]")).collect();
    std::fs::write(&file, left.join("\n[[")).unwrap();
    office.gate.reload();
    office.gate.has_said("the settings were reloaded").await;
    let admin = bearer(&crate::gate::files::person_token("admin"));
    let heard = office.gate.send(office.gate.admin(), "GET", "/api/v1/whoami", admin, "").await;
    assert_eq!(heard.status, 401, "no token is left");
    let ana = office.browser("ana", &["staff"]).await;
    let approval = submits(&ana, &office).await;
    let csrf = ana.csrf(&office).await;
    let heard = ana.call(&office, "/servers/extra/approve", &approval, Some(&csrf)).await;
    assert_eq!(heard.status, 409, "{}", heard.text());
}
