//! Certificates of clients (RFC 8705): what tokens are bound to, what agents are known by, and what nobody can pretend.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use model::Digest;
use serde_json::{Value, json};
use testkit::{Authority, Good, Issued};

use super::Company;
use super::person::{Browser, GATE, Page as _, Place, REDIRECT, VERIFIER, claims, encoded, parameters, resource};
use super::secure::{Secure, Trust, breaks_off};
use super::{challenge, parameter};
use crate::client::PATIENCE;
use crate::gate::files::{endpoint, write_private};
use crate::gate::{Heard, bearer, name, value};
use crate::verdict::{STEP_UP_REQUIRED, UNAUTHENTICATED, passes};

/// What a token says that is bound to a certificate.
pub(crate) fn bound(certificate: &Issued) -> Value {
    let thumbprint = URL_SAFE_NO_PAD.encode(Digest::of(&certificate.der).as_bytes());
    json!({ "cnf": { "x5t#S256": thumbprint } })
}

fn demanding() -> (String, String) {
    let desk = endpoint("desk", "desk") + "\n[authentication]\nassurance = \"mutual-tls\"\n";
    ("endpoints/desk.toml".to_owned(), desk)
}

/// An agent that is registered with a certificate.
fn registered(agent: &str, kind: &str, certificate: &str, client: &str) -> (String, String) {
    let text = format!(
        "name = \"{agent}\"\nkind = \"{kind}\"\nowner = \"the desk\"\npurpose = \"Helps\"\nendpoints = [\"desk\"]\n\
         certificate = {certificate}\n\n[[clients]]\n{client}\n"
    );
    (format!("agents/{agent}.toml"), text)
}

#[tokio::test]
async fn a_token_of_a_certificate_counts_over_connections_with_that_certificate_alone() {
    let trust = Trust::new();
    let company = trust.company(vec![demanding()]).await;
    let (own, others) = (trust.clients.issue(&["a.example"]), trust.clients.issue(&["a.example"]));
    let token = company.issuer.token(&bound(&own));
    passes(&trust.client(&company.gate, Some(&own)).read_with(&token).await);
    for thief in [Some(&others), None] {
        let reply = trust.client(&company.gate, thief).read_with(&token).await;
        company.gate.turns_away(&reply, UNAUTHENTICATED).await;
        assert_eq!(parameter(&challenge(&reply), "error").as_deref(), Some("invalid_token"));
    }
    // Bound to a key as well, it needs both; bound in a way that nobody here knows, it is no good.
    let mut both = bound(&own);
    both["cnf"]["jkt"] = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into();
    let unknown = json!({ "cnf": { "x5t": "AAAA" } });
    for edits in [both, unknown, json!({ "cnf": {} })] {
        let reply = trust.client(&company.gate, Some(&own)).read_with(&company.issuer.token(&edits)).await;
        company.gate.says(&reply, UNAUTHENTICATED);
    }
    assert_eq!(company.gate.desk.calls(), 1);
}

#[tokio::test]
async fn an_endpoint_that_asks_for_certificates_says_so_to_whoever_may_connect() {
    let trust = Trust::new();
    let company = trust.company(vec![demanding()]).await;
    let own = trust.clients.issue(&["a.example"]);
    // A certificate beside a token that is not bound to it proves nothing of the agent.
    for certificate in [None, Some(&own)] {
        let reply = trust.client(&company.gate, certificate).read_with(&company.issuer.token(&json!({}))).await;
        company.gate.refuses(&reply, STEP_UP_REQUIRED).await;
        let told = challenge(&reply);
        assert_eq!(parameter(&told, "error").as_deref(), Some("invalid_token"), "{told}");
        assert!(parameter(&told, "error_description").is_some_and(|said| said.contains("certificate")), "{told}");
    }
    let path = "/.well-known/oauth-protected-resource/desk/mcp";
    let client = trust.client(&company.gate, None);
    let said = client.ask("gate.example", path, HeaderMap::new(), "").await.unwrap().json();
    assert_eq!(said["tls_client_certificate_bound_access_tokens"], true, "{said}");
}

#[tokio::test]
async fn a_certificate_in_a_header_is_a_header() {
    let trust = Trust::new();
    let company = trust.company(vec![demanding()]).await;
    let own = trust.clients.issue(&["a.example"]);
    let token = company.issuer.token(&bound(&own));
    let pem = own.certificate.replace('\n', "%0A");
    let hash: String = Digest::of(&own.der).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&own.der);
    for (header, said) in [
        ("x-forwarded-client-cert", format!("Hash={hash};Cert=\"{pem}\";URI=spiffe://acme.example/desk")),
        ("client-cert", format!(":{base64}:")),
        ("x-client-cert", pem.clone()),
        ("x-ssl-client-cert", pem.clone()),
        ("ssl-client-cert", pem.clone()),
        ("x-ssl-client-verify", "SUCCESS".to_owned()),
        ("x-amzn-mtls-clientcert", pem.clone()),
        ("x-arr-clientcert", base64.clone()),
    ] {
        let mut who = bearer(&token);
        who.insert(name(header), value(&said));
        let reply = trust.client(&company.gate, None).read("desk", who).await.unwrap();
        company.gate.says(&reply, UNAUTHENTICATED);
    }
    assert_eq!(company.gate.desk.calls(), 0);
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_not_served_at_all() {
    let trust = Trust::new();
    let company = trust.company(Vec::new()).await;
    let token = company.issuer.token(&json!({}));
    let strangers = Authority::new();
    for bad in [
        strangers.issue(&["a.example"]),
        trust.ours.issue(&["a.example"]),
        trust.clients.issue_for(&["a.example"], Good::Before),
        trust.clients.issue_for(&["a.example"], Good::Later),
    ] {
        trust.client(&company.gate, Some(&bad)).is_not_served(&token).await;
    }
    // Nor is one who speaks no TLS; and the others do not notice.
    let plain = async { company.client(&token).call("read_ticket", json!({ "ticket": "1" })).await };
    assert!(plain.await.is_err());
    passes(&trust.client(&company.gate, None).read_with(&token).await);
    assert_eq!(company.gate.desk.calls(), 1);
}

#[tokio::test]
async fn an_agent_that_is_registered_with_a_certificate_comes_with_it() {
    let trust = Trust::new();
    let issuer = |client: &str| format!("issuer = \"ISSUER\"\nid = \"{client}\"");
    let company = trust.company(vec![demanding()]).await;
    let url = company.issuer.url();
    for (file, text) in [
        registered(
            "helpdesk",
            "delegated",
            "{ spiffe = \"spiffe://acme.example/desk\" }",
            &issuer("client-of-helpdesk"),
        ),
        registered("reconciler", "autonomous", "{ dns = \"Nightly.Example\" }", &issuer("client-of-reconciler")),
    ] {
        std::fs::write(company.gate.directory().join("state").join(file), text.replace("ISSUER", &url)).unwrap();
    }
    company.gate.apply().await;
    company.gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
    let desk = trust.clients.issue(&["spiffe://acme.example/desk"]);
    let nightly = trust.clients.issue(&["other.example", "nightly.example"]);
    let ana = company.issuer.token(&json!({}));
    let alone = json!({ "client_id": "client-of-reconciler", "sub": "client-of-reconciler", "groups": null });
    let alone = company.issuer.token(&alone);
    // Its token need not be bound: the registration binds it.
    passes(&trust.client(&company.gate, Some(&desk)).read_with(&ana).await);
    passes(&trust.client(&company.gate, Some(&nightly)).read_with(&alone).await);
    let wide = trust.clients.issue(&["*.example"]);
    let lookalike = trust.clients.issue(&["spiffe://acme.example/desk/x"]);
    let twofold = trust.clients.issue(&["spiffe://acme.example/desk", "spiffe://acme.example/other"]);
    for (token, other) in [
        (&ana, Some(&nightly)),
        (&ana, Some(&lookalike)),
        (&ana, Some(&twofold)),
        (&ana, None),
        (&alone, Some(&desk)),
        (&alone, Some(&wide)),
        (&alone, None),
    ] {
        let reply = trust.client(&company.gate, other).read_with(token).await;
        company.gate.turns_away(&reply, UNAUTHENTICATED).await;
    }
    // A token of another agent's certificate is no good with this one's, nor with that one's.
    let crossed = company.issuer.token(&bound(&nightly));
    for certificate in [&desk, &nightly] {
        let reply = trust.client(&company.gate, Some(certificate)).read_with(&crossed).await;
        company.gate.says(&reply, UNAUTHENTICATED);
    }
    // And nobody is let in by a certificate without a token.
    let reply = trust.client(&company.gate, Some(&desk)).read("desk", HeaderMap::new()).await.unwrap();
    company.gate.says(&reply, UNAUTHENTICATED);
    assert_eq!(company.gate.desk.calls(), 2);

    // Two agents cannot be one certificate.
    let twice = registered("scout", "delegated", "{ dns = \"nightly.example\" }", &issuer("client-of-scout"));
    std::fs::write(company.gate.directory().join("state").join(twice.0), twice.1.replace("ISSUER", &url)).unwrap();
    let folder = company.gate.directory().join("state");
    let said = company.gate.cli(&["apply", "-f", folder.to_str().unwrap(), "--yes"]).await;
    assert!(!said.ok && said.err.contains("have one certificate"), "{}{}", said.out, said.err);
}

#[tokio::test]
async fn a_certificate_that_was_taken_back_is_not_served_from_then_on_and_its_connections_end() {
    let trust = Trust::new();
    let (kept, lost) = (trust.clients.issue(&["a.example"]), trust.clients.issue(&["b.example"]));
    let company = trust.company_with(
        "client_crl = \"secrets/clients.crl\"",
        vec![("clients.crl", trust.clients.revokes(&[], Good::Now))],
    );
    let company = company.await;
    let [of_kept, of_lost] = [&kept, &lost].map(|one| company.issuer.token(&bound(one)));
    passes(&trust.client(&company.gate, Some(&kept)).read_with(&of_kept).await);
    passes(&trust.client(&company.gate, Some(&lost)).read_with(&of_lost).await);
    let heard = trust.client(&company.gate, Some(&lost)).connect().await.unwrap().watch(&of_lost).await.unwrap();

    let file = company.gate.directory().join("secrets/clients.crl");
    write_private(&file, &trust.clients.revokes(&[&lost], Good::Now));
    breaks_off(heard).await;
    trust.client(&company.gate, Some(&lost)).is_not_served(&of_lost).await;
    passes(&trust.client(&company.gate, Some(&kept)).read_with(&of_kept).await);
    // Without a certificate a token that is bound to none is served as before.
    passes(&trust.client(&company.gate, None).read_with(&company.issuer.token(&json!({}))).await);

    // A list that is over says nothing of anybody any more, and neither does one of another authority.
    for list in [trust.clients.revokes(&[], Good::Before), Authority::new().revokes(&[], Good::Now)] {
        write_private(&file, &trust.clients.revokes(&[&lost], Good::Now));
        eventually_served(&trust, &company, &kept, &of_kept, true).await;
        write_private(&file, &list);
        eventually_served(&trust, &company, &kept, &of_kept, false).await;
    }
    // What is no list at all changes nothing.
    write_private(&file, &trust.clients.revokes(&[&lost], Good::Now));
    eventually_served(&trust, &company, &kept, &of_kept, true).await;
    write_private(&file, "no list");
    company.gate.has_said("the certificates changed and cannot be used").await;
    passes(&trust.client(&company.gate, Some(&kept)).read_with(&of_kept).await);
    trust.client(&company.gate, Some(&lost)).is_not_served(&of_lost).await;
}

/// Waits until a certificate is served, or is not.
async fn eventually_served(trust: &Trust, company: &Company, certificate: &Issued, token: &str, is_served: bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let heard = trust.client(&company.gate, Some(certificate)).read("desk", bearer(token)).await;
        if heard.is_ok() == is_served {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "it is still otherwise");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Ana signs in for the editor, in a browser that shows no certificate; gives the code that its application hears.
async fn signed_in(place: &Place, browser: &Secure) -> String {
    let mut cookie = String::new();
    let mut ask = async |target: String, form: String| {
        let mut headers = HeaderMap::new();
        if !form.is_empty() {
            headers.insert("content-type", value("application/x-www-form-urlencoded"));
            headers.insert("origin", value(GATE));
            headers.insert("sec-fetch-site", value("same-origin"));
        }
        if !cookie.is_empty() {
            headers.insert("cookie", value(&cookie));
        }
        let heard = browser.ask("gate.test", &target, headers, &form).await.unwrap();
        if let Some(given) = heard.headers.get("set-cookie") {
            cookie = given.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        heard
    };
    let page = ask(place.authorize(&[]), String::new()).await;
    let form = encoded(&[("request", &page.sealed()), ("answer", "allow")]);
    let onward = ask("/oauth/consent".to_owned(), form).await;
    let back = Browser::default().at_the_provider(place, &onward.link()).await;
    let heard = ask(back, String::new()).await;
    parameters(&heard.leads_to())["code"].clone()
}

#[tokio::test]
async fn a_refresh_token_is_good_with_the_certificate_that_it_was_given_for_alone() {
    let trust = Trust::new();
    let place = Place::of("", |setup| {
        setup.listener.push_str(Trust::listener());
        setup.secrets.extend(trust.files());
    })
    .await;
    let (own, other) = (trust.clients.issue(&["desk.example"]), trust.clients.issue(&["desk.example"]));
    let stranger = trust.clients.issue(&["other.example"]);
    let at = |certificate: Option<&Issued>| trust.client(&place.gate, certificate);
    let code = signed_in(&place, &at(None)).await;
    let verifier = [("code_verifier", VERIFIER), ("redirect_uri", REDIRECT)];
    let mut form = vec![("grant_type", "authorization_code"), ("client_id", "editor"), ("code", code.as_str())];
    form.extend(verifier);
    let given = post(&at(Some(&own)), &form).await;
    assert_eq!(given.status, 200, "{}", given.text());
    let tokens = given.json();
    assert_eq!(claims(&tokens["access_token"])["cnf"], bound(&own)["cnf"]);
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let form = [("grant_type", "refresh_token"), ("client_id", "editor"), ("refresh_token", refresh.as_str())];
    // It is a public client: nothing else says that it is the one to which it was given (RFC 8705 §7.1).
    for certificate in [Some(&other), Some(&stranger), None] {
        let refused = post(&at(certificate), &form).await;
        assert!(refused.status == 400 || refused.status == 401, "{} {}", refused.status, refused.text());
    }
    let renewed = post(&at(Some(&own)), &form).await;
    assert_eq!(renewed.status, 200, "it was not spent by who could not use it: {}", renewed.text());
    assert_eq!(claims(&renewed.json()["access_token"])["cnf"], bound(&own)["cnf"]);
}

/// A client asks the gate's own authorization server.
async fn post(client: &Secure, form: &[(&str, &str)]) -> Heard {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", value("application/x-www-form-urlencoded"));
    client.ask("gate.test", "/oauth/token", headers, &encoded(form)).await.unwrap()
}

#[tokio::test]
async fn tokens_of_the_gate_are_bound_to_the_certificate_that_they_were_asked_for_with() {
    let trust = Trust::new();
    let client = |id: &str| format!("issuer = \"{GATE}\"\nid = \"{id}\"\nredirect_uris = [\"http://127.0.0.1/cb\"]");
    let place = Place::of("", |setup| {
        setup.listener.push_str(Trust::listener());
        setup.secrets.extend(trust.files());
        setup.state.retain(|(file, _)| file != "agents/reconciler.toml");
        setup.state.push(registered(
            "reconciler",
            "autonomous",
            "{ spiffe = \"spiffe://acme.example/nightly\" }",
            &client("nightly"),
        ));
    })
    .await;
    let (first, second) = (
        trust.clients.issue(&["spiffe://acme.example/nightly"]),
        trust.clients.issue(&["spiffe://acme.example/nightly"]),
    );
    let other = trust.clients.issue(&["spiffe://acme.example/other"]);
    let at = |certificate: Option<&Issued>| trust.client(&place.gate, certificate);
    let desk = resource("desk");
    let form = [("grant_type", "client_credentials"), ("client_id", "nightly"), ("resource", desk.as_str())];

    // Its certificate is what it proves itself by; nobody else's is, and none is not.
    for certificate in [Some(&other), None] {
        assert_eq!(post(&at(certificate), &form).await.error(), "invalid_client");
    }
    let given = post(&at(Some(&first)), &form).await;
    assert_eq!(given.status, 200, "{}", given.text());
    let token = given.json()["access_token"].clone();
    assert_eq!(claims(&token)["cnf"], bound(&first)["cnf"]);
    let read = async |certificate: Option<&Issued>, token: &Value| {
        let path = "/desk/mcp";
        let client = drill::mcp::Client::new("http://127.0.0.1/desk/mcp", None).unwrap();
        let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
        let mut headers = client.headers("tools/call", &params);
        headers.extend(bearer(token.as_str().unwrap()));
        at(certificate).ask("gate.test", path, headers, &client.body("tools/call", params).to_string()).await.unwrap()
    };
    assert_eq!(read(Some(&first), &token).await.status, 200);
    // Another certificate of the same workload is another certificate: it asks for a token of its own.
    for certificate in [Some(&second), Some(&other), None] {
        assert_eq!(read(certificate, &token).await.status, 401);
    }

    let said =
        at(None).ask("gate.test", "/.well-known/oauth-authorization-server", HeaderMap::new(), "").await.unwrap();
    let said = said.json();
    assert_eq!(said["tls_client_certificate_bound_access_tokens"], true, "{said}");
    let methods = said["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("tls_client_auth")), "{said}");
}
