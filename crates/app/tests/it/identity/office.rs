//! A gate whose people sign in on the admin side, and a person's browser there.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use http::{HeaderMap, header};
use serde_json::{Value, json};
use testkit::Process;

use super::browser::target;
use super::person::encoded;
use super::provider::{CLIENT, FakeProvider, SECRET};
use crate::client::PATIENCE;
use crate::gate::{Gate, Heard, Setup, name, value};

/// The roles that groups have.
pub(crate) const ROLES: &str = "roles = { viewer = [\"staff\"], responder = [\"security\"], admin = [\"platform\"] }\n";

/// A gate and its people's identity provider.
pub(crate) struct Office {
    pub(crate) gate: Gate,
    pub(crate) provider: FakeProvider,
}

impl Office {
    pub(crate) async fn start() -> Self {
        Self::with(ROLES, "").await
    }

    /// With these settings of people's sign-in, and of the admin listener.
    pub(crate) async fn with(more: &str, admin: &str) -> Self {
        let provider = FakeProvider::start().await;
        let settings = format!(
            "\n[people]\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\nclient_secret = \"file:secrets/provider\"\n\
             scopes = [\"offline_access\"]\nalgorithms = [\"ES256\"]\nnetworks = [\"127.0.0.1/32\"]\n\
             claims = {{ user = \"preferred_username\" }}\n{more}",
            provider.issuer()
        );
        let secrets = vec![("provider", SECRET.to_owned())];
        let setup = Setup { settings, admin: admin.to_owned(), secrets, ..Setup::default() };
        Self { gate: Gate::unapproved(setup).await, provider }
    }

    /// What browsers call the admin listener.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.gate.admin())
    }

    /// Who signs in from now on, and in which groups they are.
    pub(crate) fn is(&self, user: &str, groups: &[&str]) {
        self.provider.says("preferred_username", user.into());
        self.provider.says("sub", format!("s-{user}").into());
        self.provider.says("sid", format!("session-of-{user}").into());
        self.provider.says("groups", groups.into());
    }

    /// A browser in which this person signed in.
    pub(crate) async fn browser(&self, user: &str, groups: &[&str]) -> Browser {
        self.is(user, groups);
        let browser = Browser::default();
        let heard = browser.signs_in(self).await;
        assert_eq!(heard.status, 200, "{}", heard.text());
        browser
    }

    /// The changes in the journal of this kind, once there are so many.
    pub(crate) async fn changes(&self, what: &str, count: usize) -> Vec<Value> {
        let of = |page: &Value| -> Vec<Value> {
            let receipts = page["receipts"].as_array().cloned().unwrap_or_default();
            let events = receipts.into_iter().map(|one| one["record"]["event"].clone());
            events.filter(|event| event["what"] == what).collect()
        };
        of(&self.gate.until("/receipts?kind=changed&limit=100", |page| of(page).len() >= count).await)
    }

    /// Begins a sign-in on the command line, and gives its page.
    pub(crate) async fn login(&self, more: &[&str]) -> (Process, String) {
        let mut command = self.command(&["login", "--no-browser"]);
        command.args(more);
        let start = move || Process::start(&mut command, "/sign-in/command-line?", PATIENCE);
        let process = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
        let page = process.ready_line().trim().to_owned();
        (process, page)
    }

    /// A command for this gate, whose sessions are kept in the gate's directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(arguments).args(["--admin", &self.url()]).stdin(Stdio::null());
        command.env("PORTCULLIS_SESSIONS", self.gate.directory().join("sessions"));
        command
    }

    /// What a command says, and whether it was done.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
    }
}

/// A person's browser on the admin side: it keeps its cookies.
#[derive(Default)]
pub(crate) struct Browser(pub(crate) Mutex<BTreeMap<String, String>>);

impl Browser {
    pub(crate) async fn get(&self, office: &Office, target: &str) -> Heard {
        self.send(office, "GET", target, HeaderMap::new(), String::new()).await
    }

    /// Sends a form as a page of the gate's own does.
    pub(crate) async fn post(&self, office: &Office, path: &str, form: &[(&str, &str)]) -> Heard {
        self.post_from(office, &office.url(), path, form).await
    }

    /// Sends a form as a page of another place does.
    pub(crate) async fn post_from(&self, office: &Office, origin: &str, path: &str, form: &[(&str, &str)]) -> Heard {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, value("application/x-www-form-urlencoded"));
        headers.insert(header::ORIGIN, value(origin));
        self.send(office, "POST", path, headers, encoded(form)).await
    }

    /// Calls the API, with a token of the page's.
    pub(crate) async fn call(&self, office: &Office, path: &str, body: &Value, csrf: Option<&str>) -> Heard {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, value("application/json"));
        if let Some(csrf) = csrf {
            headers.insert(name("x-portcullis-csrf"), value(csrf));
        }
        self.send(office, "POST", &format!("/api/v1{path}"), headers, body.to_string()).await
    }

    pub(crate) async fn send(
        &self,
        office: &Office,
        method: &str,
        target: &str,
        mut headers: HeaderMap,
        body: String,
    ) -> Heard {
        let cookies: Vec<_> = self.0.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, value(&cookies.join("; ")));
        }
        let heard = office.gate.send(office.gate.admin(), method, target, headers, body).await;
        for given in heard.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = given.to_str().unwrap().split_once('=').unwrap();
            let kept = rest.split(';').next().unwrap().to_owned();
            match kept.is_empty() {
                true => self.0.lock().unwrap().remove(name),
                false => self.0.lock().unwrap().insert(name.to_owned(), kept),
            };
        }
        heard
    }

    /// Follows a way to the provider; gives the target with which that sends the browser back.
    pub(crate) async fn at_the_provider(&self, office: &Office, link: &str) -> String {
        let address = office.provider.issuer().strip_prefix("http://").unwrap().parse().unwrap();
        let heard = office.gate.send(address, "GET", target(link), HeaderMap::new(), "").await;
        heard.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    /// Leaves for the provider and comes up to the door again: the target of the way back.
    pub(crate) async fn leaves(&self, office: &Office) -> String {
        let sent = self.get(office, "/sign-in").await;
        assert_eq!(sent.status, 303, "{}", sent.text());
        let back = self.at_the_provider(office, sent.headers[header::LOCATION].to_str().unwrap()).await;
        target(&back).to_owned()
    }

    /// Signs in, as far as it gets.
    pub(crate) async fn signs_in(&self, office: &Office) -> Heard {
        let back = self.leaves(office).await;
        self.get(office, &back).await
    }

    /// Who the API says that this is; nobody where it is not let in.
    pub(crate) async fn whoami(&self, office: &Office) -> Option<Value> {
        let heard = self.get(office, "/api/v1/whoami").await;
        (heard.status == 200).then(|| heard.json())
    }

    /// What its pages send with whatever changes something.
    pub(crate) async fn csrf(&self, office: &Office) -> String {
        self.whoami(office).await.unwrap()["csrf"].as_str().unwrap().to_owned()
    }

    /// Waits until it is let in no more.
    pub(crate) async fn is_out(&self, office: &Office) {
        let deadline = std::time::Instant::now() + PATIENCE;
        while let Some(person) = self.whoami(office).await {
            assert!(std::time::Instant::now() < deadline, "still in: {person}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Says yes on the page of a command line and signs in: where the browser is sent, which is the command's port.
    pub(crate) async fn lets_in(&self, office: &Office, page: &str) -> String {
        let shown = self.get(office, page.strip_prefix(&office.url()).unwrap_or(page)).await;
        assert_eq!(shown.status, 200, "{}", shown.text());
        let form = sealed(&shown);
        let answer = [("request", form.as_str()), ("answer", "allow")];
        let onward = self.post(office, "/sign-in/command-line", &answer).await;
        assert_eq!(onward.status, 200, "{}", onward.text());
        let text = onward.text();
        let link = text.split_once("rel=\"noreferrer\" href=\"").unwrap().1.split('"').next().unwrap();
        let back = self.at_the_provider(office, &link.replace("&amp;", "&")).await;
        let sent = self.get(office, target(&back)).await;
        assert_eq!(sent.status, 303, "{}", sent.text());
        sent.headers[header::LOCATION].to_str().unwrap().to_owned()
    }
}

/// What the form of a page holds.
pub(crate) fn sealed(page: &Heard) -> String {
    let text = page.text();
    text.split_once("name=\"request\" value=\"").expect("a form").1.split('"').next().unwrap().to_owned()
}

/// A halt of somebody whom nobody knows.
pub(crate) fn halt() -> Value {
    json!({ "what": "user", "name": "nobody", "reason": "a test" })
}
