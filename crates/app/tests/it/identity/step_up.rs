//! Endpoints and policies that ask for more than a good token: a class or a method of sign-in, a fresh one, agents that are
//! registered at all and stay so. Streams end when the token does.

use serde_json::json;

use super::issuer::{TestIssuer, now};
use super::{Company, challenge, parameter};
use crate::gate::files::{ANA, endpoint};
use crate::verdict::{ENDPOINT_NOT_FOUND, HALTED, No, STEP_UP_REQUIRED, UNAUTHENTICATED, passes, receipt_id, words};

fn demanding(demands: &str) -> Vec<(String, String)> {
    let desk = endpoint("desk", "desk") + "\n[authentication]\n" + demands;
    vec![("endpoints/desk.toml".to_owned(), desk)]
}

#[tokio::test]
async fn an_endpoint_asks_for_a_sign_in_and_the_person_goes_on_with_it() {
    let demands = "acr = [\"urn:mfa\", \"urn:hardware\"]\namr = [\"hwk\"]\nmax_age_seconds = 600\n";
    let company = Company::with(demanding(demands)).await;
    let good = json!({ "acr": "urn:mfa", "amr": ["pwd", "hwk"], "auth_time": now() - 60 });
    passes(&company.read(&company.issuer.token(&good)).await);
    for (claim, less) in [
        ("acr", json!("urn:password")),
        ("acr", json!(null)),
        ("amr", json!(["pwd"])),
        ("amr", json!(null)),
        ("auth_time", json!(now() - 700)),
        ("auth_time", json!(null)),
    ] {
        let mut edits = good.clone();
        edits[claim] = less;
        let reply = company.read(&company.issuer.token(&edits)).await;
        company.gate.refuses(&reply, STEP_UP_REQUIRED).await;
        let told = challenge(&reply);
        assert_eq!(parameter(&told, "error").as_deref(), Some("insufficient_user_authentication"), "{told}");
        assert_eq!(parameter(&told, "acr_values").as_deref(), Some("urn:mfa urn:hardware"), "{told}");
        assert_eq!(parameter(&told, "max_age").as_deref(), Some("600"), "{told}");
    }
    // An agent that works for nobody never signed in; neither did a development token.
    let alone =
        json!({ "client_id": "client-of-reconciler", "sub": "client-of-reconciler", "groups": null, "acr": "urn:mfa" });
    company.gate.refuses(&company.read(&company.issuer.token(&alone)).await, STEP_UP_REQUIRED).await;
    let reply = company.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    company.gate.refuses(&reply, STEP_UP_REQUIRED).await;
    // Who may not connect is not told that there is anything to sign in for.
    let guest = json!({ "client_id": "client-of-visitor", "sub": "carl", "groups": ["guests"] });
    company.gate.refuses(&company.read(&company.issuer.token(&guest)).await, ENDPOINT_NOT_FOUND).await;
}

#[tokio::test]
async fn a_policy_asks_for_a_sign_in_for_one_tool() {
    let policy = "@id(\"refunds-need-mfa\")\n@stepup(\"mfa\")\nforbid (principal, action == Action::\"call\", \
                  resource == Tool::\"desk/refund\");\n";
    let company = Company::with(vec![("policies/stepup.cedar".to_owned(), policy.to_owned())]).await;
    let refund =
        async |token: &str| company.client(token).call("refund", json!({ "order": "1", "amount": 1 })).await.unwrap();
    let plain = company.issuer.token(&json!({ "amr": ["pwd"] }));
    passes(&company.read(&plain).await);
    let reply = refund(&plain).await;
    company.gate.refuses(&reply, No { control: "connect", ..STEP_UP_REQUIRED }).await;
    assert_eq!(parameter(&challenge(&reply), "acr_values").as_deref(), Some("mfa"));
    passes(&refund(&company.issuer.token(&json!({ "amr": ["pwd", "mfa"] }))).await);
    passes(&refund(&company.issuer.token(&json!({ "acr": "mfa" }))).await);
    // What is forbidden anyway is not for sale.
    let bob = company.issuer.token(&json!({ "sub": "bob", "groups": ["interns"], "acr": "mfa" }));
    company.gate.refuses(&refund(&bob).await, crate::verdict::POLICY_FORBIDS).await;
}

#[tokio::test]
async fn a_stream_ends_when_the_token_does_and_a_newer_one_opens_another() {
    let company = Company::of(TestIssuer::start().await, "", Vec::new()).await;
    let settings = company.gate.directory().join("portcullis.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("networks =", "clock_skew_seconds = 0\nnetworks =")).unwrap();
    company.gate.reload();
    company.gate.has_said("the settings were reloaded").await;
    let short = company.issuer.token(&json!({ "exp": now() + 5 }));
    let client = company.client(&short);
    let mut call = client.open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
    assert_eq!(call.status, 200);
    assert!(call.next().await.unwrap().unwrap().get("method").is_some());
    let receipt = call.headers["portcullis-receipt"].to_str().unwrap().to_owned();
    words(&call.next().await.unwrap().unwrap(), UNAUTHENTICATED);
    assert_eq!(call.next().await.unwrap(), None);
    assert_eq!(company.gate.outcome(&receipt).await["end"], json!({ "type": "cut", "why": "unauthenticated" }));
    company.gate.turns_away(&company.read(&short).await, UNAUTHENTICATED).await;
    passes(&company.read(&company.issuer.token(&json!({}))).await);
}

#[tokio::test]
async fn every_agent_of_a_chain_is_registered_permitted_recorded_and_halted() {
    let company = Company::start().await;
    let through = |clients: serde_json::Value| company.issuer.token(&json!({ "act": clients }));
    let desktop = through(json!({ "sub": "client-of-desktop" }));
    let reply = company.read(&desktop).await;
    passes(&reply);
    let who = company.gate.receipt(receipt_id(&reply)).await["record"]["event"]["who"].clone();
    assert_eq!(who, json!({ "agent": "helpdesk", "kind": "delegated", "user": "ana", "through": ["desktop"] }));
    // The scout may look and not refund, so that nobody refunds through it.
    let refund =
        async |token: &str| company.client(token).call("refund", json!({ "order": "1", "amount": 1 })).await.unwrap();
    passes(&refund(&desktop).await);
    let scout = through(json!({ "sub": "client-of-scout" }));
    passes(&company.read(&scout).await);
    company.gate.refuses(&refund(&scout).await, crate::verdict::POLICY_FORBIDS).await;
    let both = through(json!({ "sub": "client-of-desktop", "act": { "sub": "client-of-scout" } }));
    company.gate.refuses(&refund(&both).await, crate::verdict::POLICY_FORBIDS).await;
    // One that nobody registered is nobody, and one that may not use the endpoint takes it from all of them.
    company.gate.turns_away(&company.read(&through(json!({ "sub": "client-of-nobody" }))).await, UNAUTHENTICATED).await;
    company.gate.refuses(&company.read(&through(json!({ "sub": "client-of-crowd" }))).await, ENDPOINT_NOT_FOUND).await;
    // Nor is one of those that may, where the chain is longer than can be decided on.
    let long = (0..5).fold(json!(null), |within, _| match within.is_null() {
        true => json!({ "sub": "client-of-desktop" }),
        false => json!({ "sub": "client-of-desktop", "act": within }),
    });
    company.gate.turns_away(&company.read(&through(long)).await, UNAUTHENTICATED).await;

    // A halt of an agent stops what comes through it, streams too.
    let mut stream =
        company.client(&desktop).open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    company.gate.must(&["halt", "agent", "desktop", "--reason", "a drill"]).await;
    words(&stream.next().await.unwrap().unwrap(), HALTED);
    company.gate.refuses(&company.read(&desktop).await, HALTED).await;
    passes(&company.read(&company.issuer.token(&json!({}))).await);
}

#[tokio::test]
async fn an_agent_whose_registration_ends_is_a_stranger_and_its_streams_end() {
    let company = Company::start().await;
    let token = company.issuer.token(&json!({}));
    let mut stream =
        company.client(&token).open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    std::fs::remove_file(company.gate.directory().join("state/agents/helpdesk.toml")).unwrap();
    company.gate.apply().await;
    words(&stream.next().await.unwrap().unwrap(), UNAUTHENTICATED);
    company.gate.turns_away(&company.read(&token).await, UNAUTHENTICATED).await;
    // The development token of the same agent is another matter: settings alone say who that is.
    passes(&company.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
}
