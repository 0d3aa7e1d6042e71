//! A token that somebody else uses: from another network, with other software, or bound to another key than the first one of
//! its sign-in. Nothing of the token itself tells; what tells is how the sign-in began, and a policy that minds.

use std::net::Ipv4Addr;

use bytes::Bytes;
use drill::mcp::{Client, Reply};
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::gate::{Gate, Heard, value};
use crate::identity::Company;
use crate::identity::issuer::now;
use crate::identity::mutual_tls::bound;
use crate::identity::secure::Trust;
use crate::verdict::{POLICY_FORBIDS, passes, receipt_id};

const MINDS: &str = "@id(\"stay-as-you-signed-in\")\n@message(\"sign in again from where you are\")\n\
                     forbid (principal, action == Action::\"call\", resource)\n\
                     when { context.session.changed.containsAny([\"network\", \"client\", \"key\"]) };\n";

fn minding() -> Vec<(String, String)> {
    vec![("policies/moved.cedar".to_owned(), MINDS.to_owned())]
}

/// Somebody with a token.
#[derive(Clone, Copy)]
struct Somebody<'a> {
    address: [u8; 4],
    software: &'a str,
    introduces: &'a str,
}

const OWNER: Somebody<'static> = Somebody { address: [127, 0, 0, 1], software: "editor/1", introduces: "editor" };

impl Somebody<'_> {
    async fn reads(self, gate: &Gate, token: &str) -> Reply {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(Ipv4Addr::from(self.address).into()));
        #[expect(clippy::disallowed_methods, reason = "a test is somebody who connects from elsewhere")]
        let http: legacy::Client<_, Full<Bytes>> = legacy::Client::builder(TokioExecutor::new()).build(connector);
        let url = format!("http://{}/desk/mcp", gate.agents());
        let client = Client::new(&url, Some(token)).unwrap();
        let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
        let mut headers = client.headers("tools/call", &params);
        headers.insert(header::USER_AGENT, value(self.software));
        let mut body = client.body("tools/call", params);
        body["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] =
            json!({ "name": self.introduces, "version": "1" });
        let mut request = Request::post(url).body(Full::from(body.to_string())).unwrap();
        *request.headers_mut() = headers;
        let (head, body) = http.request(request).await.unwrap().into_parts();
        Heard { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }.into()
    }
}

fn changed(event: &Value) -> &Value {
    &event["who"]["changed"]
}

#[tokio::test]
async fn a_policy_refuses_a_token_that_moved_and_the_receipt_says_how() {
    let company = Company::with(minding()).await;
    let token = company.issuer.token(&json!({ "auth_time": now() - 60 }));
    passes(&OWNER.reads(&company.gate, &token).await);
    for (thief, signal) in [
        (Somebody { address: [127, 1, 0, 1], ..OWNER }, "network"),
        (Somebody { software: "curl/8", ..OWNER }, "client"),
        (Somebody { introduces: "curl", ..OWNER }, "client"),
    ] {
        let event = company.gate.refuses(&thief.reads(&company.gate, &token).await, POLICY_FORBIDS).await;
        assert_eq!(*changed(&event), json!([signal]), "{event:#}");
        assert_eq!(event["policies"], json!(["stay-as-you-signed-in"]));
    }
    // Whoever was first is bothered by none of it, also from another address of the network and with a newer token.
    let near = Somebody { address: [127, 0, 0, 9], ..OWNER };
    let newer = company.issuer.token(&json!({ "auth_time": now() - 60, "jti": "another" }));
    for own in [near.reads(&company.gate, &newer).await, OWNER.reads(&company.gate, &token).await] {
        passes(&own);
        let receipt = company.gate.receipt(receipt_id(&own)).await;
        assert_eq!(*changed(&receipt["record"]["event"]), Value::Null, "{receipt:#}");
    }
    // Who signs in anew begins anew, wherever that is.
    let elsewhere = Somebody { address: [127, 1, 0, 1], software: "editor/2", introduces: "editor" };
    passes(&elsewhere.reads(&company.gate, &company.issuer.token(&json!({ "auth_time": now() }))).await);
    assert_eq!(company.gate.desk.calls(), 4);
}

#[tokio::test]
async fn a_policy_refuses_a_token_of_another_key_in_one_sign_in() {
    let trust = Trust::new();
    let company = trust.company(minding()).await;
    let (own, other) = (trust.clients.issue(&["a.example"]), trust.clients.issue(&["b.example"]));
    let of = |certificate| {
        let mut edits = bound(certificate);
        edits["auth_time"] = (now() - 60).into();
        company.issuer.token(&edits)
    };
    let (first, second) = (of(&own), of(&other));
    passes(&trust.client(&company.gate, Some(&own)).read_with(&first).await);
    let event =
        company.gate.refuses(&trust.client(&company.gate, Some(&other)).read_with(&second).await, POLICY_FORBIDS).await;
    assert_eq!(*changed(&event), json!(["key"]), "{event:#}");
    passes(&trust.client(&company.gate, Some(&own)).read_with(&first).await);
}

#[tokio::test]
async fn without_a_policy_it_is_evidence() {
    let company = Company::start().await;
    let token = company.issuer.token(&json!({}));
    passes(&OWNER.reads(&company.gate, &token).await);
    let moved = Somebody { address: [127, 1, 0, 1], software: "curl/8", introduces: "curl" };
    let reply = moved.reads(&company.gate, &token).await;
    passes(&reply);
    let receipt = company.gate.receipt(receipt_id(&reply)).await;
    assert_eq!(*changed(&receipt["record"]["event"]), json!(["network", "client"]), "{receipt:#}");
}
