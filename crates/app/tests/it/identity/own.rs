//! Accounts of people's own, and of agents' own, at a server: a person is asked to connect it when a call for them needs it,
//! signs in at the gate, agrees at the server, and the call goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use drill::mcp::{Client, Reply};
use http::{HeaderMap, header};
use serde_json::{Value, json};

use super::authorization::Authorization;
use super::browser::{self, target};
use super::connecting::invitation;
use super::person::encoded;
use super::provider::{CLIENT, FakeProvider, SECRET};
use crate::gate::files::{ANA, ANA_AT_DESKTOP, BOB, Caller, RECONCILER};
use crate::gate::{Gate, Heard, Setup, name, value};
use crate::session::Line;
use crate::verdict::{CREDENTIAL_UNAVAILABLE, NOT_CONNECTED, POLICY_FORBIDS, passes, receipt_id};

/// A gate at which people sign in, before a server that has an account for each person or each agent.
pub(crate) struct Place {
    pub(crate) gate: Gate,
    pub(crate) issuer: Authorization,
    pub(crate) provider: FakeProvider,
}

impl Place {
    /// The server is approved: an approver connected it for the gate's own looks.
    pub(crate) async fn start(holder: &str) -> Self {
        let provider = FakeProvider::start().await;
        let settings = format!(
            "\n[vault]\nkey = \"file:secrets/vault\"\n\n[sign_in]\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n\
             client_secret = \"file:secrets/provider\"\nalgorithms = [\"ES256\"]\nnetworks = [\"127.0.0.1/32\"]\n\
             claims = {{ user = \"preferred_username\" }}\n",
            provider.issuer()
        );
        Self::with(holder, settings, provider).await
    }

    /// Ana has an account of hers there, and has used it once.
    async fn where_ana_is_connected() -> Self {
        let place = Self::start("user").await;
        let page = place.page_for(ANA).await;
        place.connect("ana", &page).await;
        passes(&place.read(ANA).await);
        place
    }

    async fn with(holder: &str, settings: String, provider: FakeProvider) -> Self {
        let issuer = Authorization::start().await;
        let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let credential = issuer.agreed_to().replace("\"shared\"", &format!("\"{holder}\""));
        let guard = Some((issuer.guard(&wants), credential));
        let mut secrets = Authorization::secrets();
        secrets.extend([("vault", "0f".repeat(32)), ("provider", SECRET.to_owned())]);
        let gate = Gate::unapproved(Setup { guard, secrets, settings, ..Setup::default() }).await;
        let page = browser::Browser::default().connect(&gate, &issuer, &invitation(&gate).await).await;
        assert_eq!(page.status, 200, "{}", page.text());
        gate.must(&["server", "check", "desk"]).await;
        gate.must(&["server", "approve", "desk", "--yes"]).await;
        Self { gate, issuer, provider }
    }

    /// A caller whose client opens pages.
    pub(crate) fn client(&self, caller: Caller) -> Client {
        self.gate.client(caller).with_capabilities(json!({ "elicitation": { "url": {} } }))
    }

    pub(crate) async fn read(&self, caller: Caller) -> Reply {
        self.gate.client(caller).call("read_ticket", ticket()).await.unwrap()
    }

    /// A browser in which this person will sign in.
    pub(crate) fn person(&self, user: &'static str) -> Person {
        Person { user, cookies: Mutex::default() }
    }

    /// The person connects the desk for themselves, from the page that they were told of.
    pub(crate) async fn connect(&self, user: &'static str, page: &str) {
        let person = self.person(user);
        let shown = person.opens(self, page).await;
        assert!(shown.status == 200 && shown.text().contains(user), "{} {}", shown.status, shown.text());
        let back = person.goes(self).await;
        let done = person.get(self, &back).await;
        assert!(done.status == 200 && done.text().contains("desk is connected"), "{}", done.text());
    }

    /// The tokens that calls of agents brought to the desk, in order.
    pub(crate) fn presented(&self) -> Vec<String> {
        let seen = self.gate.desk.seen().into_iter().filter(|seen| seen.method == "tools/call");
        seen.map(|seen| seen.headers["authorization"].to_str().unwrap().to_owned()).collect()
    }

    /// Where this caller is asked to go, by a call that is refused with words.
    pub(crate) async fn page_for(&self, caller: Caller) -> String {
        let reply = self.read(caller).await;
        self.gate.ends(&reply, NOT_CONNECTED, "not-sent").await;
        let text = reply.text();
        let page = text.split(' ').find(|word| word.starts_with("http://")).unwrap_or_else(|| panic!("{text}"));
        page.to_owned()
    }
}

/// A person at a browser, which keeps its cookies.
pub(crate) struct Person {
    user: &'static str,
    pub(crate) cookies: Mutex<BTreeMap<String, String>>,
}

impl Person {
    pub(crate) async fn get(&self, place: &Place, target: &str) -> Heard {
        self.send(place, "GET", target, HeaderMap::new(), String::new()).await
    }

    pub(crate) async fn post(&self, place: &Place, path: &str, origin: &str, form: &[(&str, &str)]) -> Heard {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, value("application/x-www-form-urlencoded"));
        headers.insert(name("origin"), value(origin));
        self.send(place, "POST", path, headers, encoded(form)).await
    }

    async fn send(&self, place: &Place, method: &str, target: &str, mut headers: HeaderMap, body: String) -> Heard {
        let cookies: Vec<_> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, value(&cookies.join("; ")));
        }
        let heard = place.gate.send(place.gate.agents(), method, target, headers, body).await;
        for given in heard.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = given.to_str().unwrap().split_once('=').unwrap();
            let kept = rest.split(';').next().unwrap().to_owned();
            self.cookies.lock().unwrap().insert(name.to_owned(), kept);
        }
        heard
    }

    /// Where the provider sends this person back, whom the gate sent there.
    pub(crate) async fn at_the_provider(&self, place: &Place, sent: &Heard) -> String {
        assert_eq!(sent.status, 303, "{}", sent.text());
        place.provider.says("preferred_username", self.user.into());
        place.provider.says("sub", format!("s-{}", self.user).into());
        let link = sent.headers[header::LOCATION].to_str().unwrap();
        let address = place.provider.issuer().strip_prefix("http://").unwrap().parse().unwrap();
        let heard = place.gate.send(address, "GET", target(link), HeaderMap::new(), "").await;
        target(heard.headers[header::LOCATION].to_str().unwrap()).to_owned()
    }

    /// Opens a page of the gate's and signs in, if that is asked for: the page.
    pub(crate) async fn opens(&self, place: &Place, page: &str) -> Heard {
        let shown = self.get(place, target(page)).await;
        if shown.status != 303 {
            return shown;
        }
        let back = self.at_the_provider(place, &shown).await;
        let arrived = self.get(place, &back).await;
        assert_eq!(arrived.status, 303, "{}", arrived.text());
        self.get(place, arrived.headers[header::LOCATION].to_str().unwrap()).await
    }

    /// Sends the form of the page.
    pub(crate) async fn begins(&self, place: &Place) -> Heard {
        let home = format!("http://{}", place.gate.agents());
        self.post(place, "/connect/begin", &home, &[("server", "desk")]).await
    }

    /// Sends the form of the page and agrees at the server: where that sends the browser back to.
    pub(crate) async fn goes(&self, place: &Place) -> String {
        let sent = self.begins(place).await;
        assert_eq!(sent.status, 200, "{}", sent.text());
        let text = sent.text();
        let url = text.split_once("href=\"http").unwrap().1.split('"').next().unwrap().replace("&amp;", "&");
        browser::Browser::default().agree(&place.gate, &place.issuer, &format!("http{url}")).await
    }
}

pub(crate) fn ticket() -> Value {
    json!({ "ticket": "1" })
}

/// The page and the state of an answer that asks for a connection.
pub(crate) fn asked(reply: &Reply) -> (String, String) {
    let result = reply.result().unwrap_or_else(|| panic!("{}", reply.json));
    assert_eq!(result["resultType"], "input_required", "{result:#}");
    let question = &result["inputRequests"]["portcullis-connect"];
    assert_eq!(
        (question["method"].as_str(), question["params"]["mode"].as_str()),
        (Some("elicitation/create"), Some("url"))
    );
    (question["params"]["url"].as_str().unwrap().to_owned(), result["requestState"].as_str().unwrap().to_owned())
}

/// The same call, with what the client answers.
pub(crate) fn again(state: &str, action: &str) -> Value {
    let given = json!({ "portcullis-connect": { "action": action } });
    json!({ "name": "read_ticket", "arguments": ticket(), "inputResponses": given, "requestState": state })
}

#[tokio::test]
async fn a_person_is_asked_to_connect_a_server_and_the_call_goes_on() {
    let place = Place::start("user").await;
    let client = Arc::new(place.client(ANA));
    let reply = client.call("read_ticket", ticket()).await.unwrap();
    let (page, state) = asked(&reply);
    assert_eq!(page, format!("http://{}/connect/desk", place.gate.agents()), "it tells nothing of anybody");
    let outcome = place.gate.outcome(receipt_id(&reply)).await;
    assert_eq!((&outcome["end"]["type"], &outcome["end"]["why"]), (&json!("not-sent"), &json!("not-connected")));
    assert_eq!(place.presented(), Vec::<String>::new());

    // The client says at once that the page was opened; the call waits for its person.
    let waiting = {
        let (client, params) = (Arc::clone(&client), again(&state, "accept"));
        tokio::spawn(async move { client.post("tools/call", params).await.unwrap() })
    };
    place.connect("ana", &page).await;
    // In the receipt they are nobody of the admin side who is called the same.
    let connects = |page: &Value| {
        let receipts = page["receipts"].as_array().cloned().unwrap_or_default();
        receipts.iter().any(|one| {
            let event = &one["record"]["event"];
            event["what"] == "credential.connect" && event["actor"] == json!({ "type": "user", "name": "ana" })
        })
    };
    place.gate.until("/receipts?kind=changed", connects).await;
    let mut reply = waiting.await.unwrap();
    // On a slow machine the patience of the gate may be over before the person is back: then they are asked once more.
    while reply.result().is_some_and(|result| result["resultType"] == "input_required") {
        let (_, state) = asked(&reply);
        reply = client.post("tools/call", again(&state, "accept")).await.unwrap();
    }
    passes(&reply);
    let seen = place.gate.desk.seen().into_iter().rfind(|seen| seen.method == "tools/call").unwrap();
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert!(body["params"].get("requestState").or(body["params"].get("inputResponses")).is_none(), "{body:#}");
    place.issuer.found_no_fault();
}

#[tokio::test]
async fn a_session_is_asked_to_open_the_page_and_told_when_it_was_left() {
    let place = Place::start("user").await;
    let session = Line::new(&place.gate, "desk", ANA).begin(json!({ "elicitation": { "url": {} } })).await;
    let mut heard = session.listen().await;
    let reply = session.read_ticket().await;
    assert_eq!((reply.status.as_u16(), reply.error_code()), (200, Some(-32042)), "{}", reply.json);
    let pages = reply.error().unwrap()["data"]["elicitations"].clone();
    let page = &pages[0];
    assert_eq!((pages.as_array().unwrap().len(), page["mode"].as_str()), (1, Some("url")));
    place.connect("ana", page["url"].as_str().unwrap()).await;
    let told = loop {
        let message = heard.message().await;
        if message["method"] == "notifications/elicitation/complete" {
            break message;
        }
    };
    assert_eq!(told["params"]["elicitationId"], page["elicitationId"]);
    passes(&session.read_ticket().await);
}

#[tokio::test]
async fn a_client_that_opens_no_pages_is_told_what_to_do() {
    let place = Place::where_ana_is_connected().await;
    passes(&place.read(ANA_AT_DESKTOP).await);
}

#[tokio::test]
async fn a_token_that_the_gate_holds_for_somebody_is_in_none_of_their_messages() {
    let place = Place::where_ana_is_connected().await;
    let presented = place.presented().pop().unwrap();
    let token = presented.strip_prefix("Bearer ").unwrap();
    let client = place.gate.client(ANA);
    let reply = client.call("read_ticket", json!({ "ticket": format!("it is {token}") })).await.unwrap();
    let event = place.gate.refuses(&reply, POLICY_FORBIDS).await;
    assert_eq!(event["findings"]["list"][0]["rule"], "vault.desk", "{event:#}");
    assert_eq!(place.presented().len(), 1);
}

#[tokio::test]
async fn each_person_has_an_account_of_their_own() {
    let place = Place::where_ana_is_connected().await;
    // That Ana is connected helps nobody else.
    let page = place.page_for(BOB).await;
    place.connect("bob", &page).await;
    passes(&place.read(BOB).await);
    passes(&place.read(ANA).await);
    let presented = place.presented();
    assert_eq!((presented.len(), presented[0] == presented[2], presented[0] == presented[1]), (3, true, false));
    // An agent that acts for nobody has no account there.
    place.gate.ends(&place.read(RECONCILER).await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    let shown = place.gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("user ana") && shown.contains("user bob"), "{shown}");
}

#[tokio::test]
async fn a_person_forgets_what_they_connected_and_nothing_of_anybody_elses() {
    let place = Place::start("user").await;
    for (caller, user) in [(ANA, "ana"), (BOB, "bob")] {
        let page = place.page_for(caller).await;
        place.connect(user, &page).await;
        passes(&place.read(caller).await);
    }
    let ana = place.person("ana");
    let page = ana.opens(&place, &format!("http://{}/connect/desk", place.gate.agents())).await;
    assert!(page.text().contains("Forget it"), "{}", page.text());
    let home = format!("http://{}", place.gate.agents());
    let done = ana.post(&place, "/connect/forget", &home, &[("server", "desk")]).await;
    assert_eq!(done.status, 200, "{}", done.text());
    place.page_for(ANA).await;
    passes(&place.read(BOB).await);
}

#[tokio::test]
async fn an_approver_invites_a_person_with_an_address_and_an_agent_with_a_ticket() {
    let place = Place::start("user").await;
    let said = place.gate.must(&["server", "connect", "desk", "--for", "user ana"]).await;
    let page = said.lines().next().unwrap();
    assert_eq!(page, format!("http://{}/connect/desk", place.gate.agents()));
    place.connect("ana", page).await;
    passes(&place.read(ANA).await);
    let said = place.gate.cli(&["server", "connect", "desk", "--for", "agent reconciler"]).await;
    assert!(!said.ok && said.err.contains("manifest"), "{said:?}");
}

#[tokio::test]
async fn each_agent_has_an_account_of_its_own_that_an_approver_connects() {
    let place = Place::start("agent").await;
    place.gate.ends(&place.read(RECONCILER).await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    let said = place.gate.must(&["server", "connect", "desk", "--for", "agent reconciler"]).await;
    let mut approver = browser::Browser::default();
    let done = approver.connect(&place.gate, &place.issuer, said.lines().next().unwrap()).await;
    assert_eq!(done.status, 200, "{}", done.text());
    passes(&place.read(RECONCILER).await);
    // It is no other agent's, whoever that works for.
    place.gate.ends(&place.read(ANA).await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
}

#[tokio::test]
async fn where_nobody_signs_in_nobody_connects_anything_for_themselves() {
    let place = Place::with("user", String::new(), FakeProvider::start().await).await;
    let reply = place.client(ANA).call("read_ticket", ticket()).await.unwrap();
    place.gate.ends(&reply, NOT_CONNECTED, "not-sent").await;
    assert!(reply.text().contains("ask those who run the gate"), "{}", reply.text());
    assert_eq!(place.person("ana").get(&place, "/connect/desk").await.status, 404);
    let said = place.gate.cli(&["server", "connect", "desk", "--for", "user ana"]).await;
    assert!(!said.ok && said.err.contains("[sign_in]"), "{said:?}");
}
