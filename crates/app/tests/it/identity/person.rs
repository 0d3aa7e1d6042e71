//! A gate at which people sign in, a person's browser, and the application that they sign in for.

use std::collections::HashMap;
use std::sync::Mutex;

use http::{HeaderMap, header};
use identity::jwt::SigningKey;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::provider::{CLIENT, FakeProvider, SECRET, challenge, seconds};
use crate::gate::{Gate, Heard, Setup, name, value};

/// What browsers and agents call the gate.
pub(crate) const GATE: &str = "https://gate.test";
/// Where the application listens.
pub(crate) const REDIRECT: &str = "http://127.0.0.1:3000/cb";
/// What the application alone knows of a sign-in.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// What the gate seals by.
const MASTER: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// A gate with a provider behind it.
pub(crate) struct Place {
    pub(crate) gate: Gate,
    pub(crate) provider: FakeProvider,
    /// The key of the clients that sign.
    pub(crate) robot: SigningKey,
    given: Mutex<Vec<String>>,
}

impl Place {
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    /// With more settings of signing in.
    pub(crate) async fn with(more: &str) -> Self {
        Self::of(more, |_| {}).await
    }

    /// The same with more that is different.
    pub(crate) async fn of(more: &str, change: impl FnOnce(&mut Setup)) -> Self {
        let provider = FakeProvider::start().await;
        let robot = SigningKey::generate().unwrap();
        let settings = format!(
            "\n[vault]\nkey = \"file:secrets/master\"\n\n[sign_in]\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n\
             client_secret = \"file:secrets/provider\"\nscopes = [\"offline_access\"]\nalgorithms = [\"ES256\"]\n\
             networks = [\"127.0.0.1/32\"]\nclaims = {{ user = \"preferred_username\" }}\n{more}",
            provider.issuer()
        );
        let mut setup = Setup {
            settings,
            listener: format!("public_url = \"{GATE}\"\n"),
            secrets: vec![("master", MASTER.to_owned()), ("provider", SECRET.to_owned())],
            state: agents(&robot),
            ..Setup::default()
        };
        change(&mut setup);
        Self { gate: Gate::with(setup).await, provider, robot, given: Mutex::default() }
    }

    pub(crate) async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Heard {
        let mut map = HeaderMap::from_iter([(header::HOST, value("gate.test"))]);
        if method == "POST" {
            map.insert(header::CONTENT_TYPE, value("application/x-www-form-urlencoded"));
        }
        for (one, said) in headers {
            map.insert(name(one), value(said));
        }
        self.gate.send(self.gate.agents(), method, target, map, body.to_owned()).await
    }

    /// A client posts a form, as an application does.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Heard {
        let heard = self.send("POST", path, &[], &encoded(form)).await;
        let answer = heard.json();
        let tokens = ["access_token", "refresh_token", "device_code"];
        let given = tokens.iter().filter_map(|name| answer[name].as_str().map(str::to_owned));
        self.given.lock().unwrap().extend(given);
        heard
    }

    /// The target of a page that asks a person, with some parameters changed: an empty one is left out.
    pub(crate) fn authorize(&self, changed: &[(&str, &str)]) -> String {
        let (challenge, desk) = (challenge(VERIFIER), resource("desk"));
        let mut asked = vec![
            ("response_type", "code"),
            ("client_id", "editor"),
            ("redirect_uri", REDIRECT),
            ("state", "the application's own"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", &desk),
        ];
        for (name, value) in changed {
            asked.retain(|(other, _)| other != name);
            if !value.is_empty() {
                asked.push((name, value));
            }
        }
        format!("/oauth/authorize?{}", encoded(&asked))
    }

    /// A person says yes and signs in; gives what their application hears.
    pub(crate) async fn back(&self, changed: &[(&str, &str)]) -> HashMap<String, String> {
        let browser = Browser::default();
        let callback = browser.signs_in(self, &self.authorize(changed)).await;
        let heard = browser.get(self, &callback).await;
        let parameters = parameters(&heard.leads_to());
        self.given.lock().unwrap().extend(parameters.get("code").cloned());
        parameters
    }

    /// The application's answer for a code.
    pub(crate) async fn redeem(&self, code: &str, changed: &[(&str, &str)]) -> Heard {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "editor"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changed {
            form.retain(|(other, _)| other != name);
            form.push((name, value));
        }
        self.post("/oauth/token", &form).await
    }

    /// The tokens of a whole sign-in.
    pub(crate) async fn tokens(&self) -> Value {
        let code = self.back(&[]).await;
        let heard = self.redeem(&code["code"], &[]).await;
        assert_eq!(heard.status, 200, "{}", heard.text());
        heard.json()
    }

    pub(crate) async fn refresh(&self, tokens: &Value) -> Heard {
        let token = tokens["refresh_token"].as_str().unwrap();
        self.post("/oauth/token", &[("grant_type", "refresh_token"), ("client_id", "editor"), ("refresh_token", token)])
            .await
    }

    /// An assertion by which a client proves that it is one.
    pub(crate) fn assertion(&self, client: &str, id: &str, changed: &[(&str, Value)]) -> String {
        let mut claims =
            json!({ "iss": client, "sub": client, "aud": GATE, "jti": id, "iat": seconds(), "exp": seconds() + 60 });
        for (name, value) in changed {
            claims[*name] = value.clone();
        }
        self.robot.sign("JWT", claims.as_object().unwrap()).unwrap()
    }

    /// A client that signs asks for a token.
    pub(crate) async fn by_assertion(&self, assertion: &str, more: &[(&str, &str)]) -> Heard {
        let mut form = vec![("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
        form.extend(more);
        self.post("/oauth/token", &form).await
    }

    /// Nothing that a thief could use is in the log, in the receipts or in anything that is kept.
    pub(crate) async fn leaks_nothing(&self) {
        let mut secrets = self.given.lock().unwrap().clone();
        secrets.extend(self.provider.secrets());
        assert!(secrets.len() > 1, "there was nothing to look for");
        let receipts = self.gate.read("/receipts").await.to_string();
        let mut places = vec![("the log".to_owned(), self.gate.output().into_bytes())];
        places.push(("the receipts".to_owned(), receipts.into_bytes()));
        places.extend(self.gate.kept().into_iter().map(|(path, bytes)| (path.display().to_string(), bytes)));
        for (place, bytes) in places {
            for secret in &secrets {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{place} holds a secret");
            }
        }
    }
}

/// How a client says that it comes with an assertion.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A person's browser: it keeps its cookie.
#[derive(Default)]
pub(crate) struct Browser(Mutex<Option<String>>);

impl Browser {
    pub(crate) async fn get(&self, place: &Place, target: &str) -> Heard {
        self.send(place, "GET", target, &[], "").await
    }

    pub(crate) async fn post(&self, place: &Place, path: &str, form: &[(&str, &str)]) -> Heard {
        self.send(place, "POST", path, &[("origin", GATE), ("sec-fetch-site", "same-origin")], &encoded(form)).await
    }

    pub(crate) async fn send(
        &self,
        place: &Place,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Heard {
        let cookie = self.0.lock().unwrap().clone();
        let mut headers = headers.to_vec();
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        let heard = place.send(method, target, &headers, body).await;
        if let Some(given) = heard.headers.get("set-cookie") {
            let given = given.to_str().unwrap().split(';').next().unwrap().to_owned();
            *self.0.lock().unwrap() = Some(given);
        }
        heard
    }

    /// Says yes on the page, and signs in at the provider; gives the target with which that sends it back.
    pub(crate) async fn signs_in(&self, place: &Place, page: &str) -> String {
        let page = self.get(place, page).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let onward = self.post(place, "/oauth/consent", &[("request", &page.sealed()), ("answer", "allow")]).await;
        assert_eq!(onward.status, 200, "{}", onward.text());
        self.at_the_provider(place, &onward.link()).await
    }

    /// Follows a link to the provider; gives the target with which that sends it back.
    pub(crate) async fn at_the_provider(&self, place: &Place, link: &str) -> String {
        let (issuer, target) = link.split_at(place.provider.issuer().len());
        assert_eq!(issuer, place.provider.issuer());
        let address = issuer.strip_prefix("http://").unwrap().parse().unwrap();
        let heard = place.gate.send(address, "GET", target, HeaderMap::new(), "").await;
        let back = heard.leads_to();
        back.strip_prefix(GATE).unwrap_or_else(|| panic!("the provider leads to {back}")).to_owned()
    }
}

/// What pages hold and where they lead.
pub(crate) trait Page {
    /// Where it leads on: a redirect.
    fn leads_to(&self) -> String;
    /// The one link on it.
    fn link(&self) -> String;
    /// What its form holds.
    fn sealed(&self) -> String;
    /// OAuth's word for what is wrong.
    fn error(&self) -> String;
}

impl Page for Heard {
    fn leads_to(&self) -> String {
        let target = self.headers.get(header::LOCATION);
        target.unwrap_or_else(|| panic!("{} {}", self.status, self.text())).to_str().unwrap().to_owned()
    }

    fn link(&self) -> String {
        between(&self.text(), "rel=\"noreferrer\" href=\"")
    }

    fn sealed(&self) -> String {
        between(&self.text(), "name=\"request\" value=\"")
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

fn between(page: &str, before: &str) -> String {
    let (_, rest) = page.split_once(before).expect(page);
    rest.split_once('"').unwrap().0.replace("&amp;", "&")
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The parameters of a URL.
pub(crate) fn parameters(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// What a token at an endpoint is for.
pub(crate) fn resource(endpoint: &str) -> String {
    format!("{GATE}/{endpoint}/mcp")
}

/// What a token says; nothing is checked.
pub(crate) fn claims(token: &Value) -> Value {
    use base64::Engine as _;
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&decoded).unwrap()
}

/// Who is registered at the gate's own authorization server.
fn agents(robot: &SigningKey) -> Vec<(String, String)> {
    let key = keys(robot);
    let agent = |name: &str, kind: &str, clients: &str| {
        let text = format!(
            "name = \"{name}\"\nkind = \"{kind}\"\nowner = \"the desk\"\npurpose = \"Works on tickets\"\n\
             endpoints = [\"desk\"]\n{clients}"
        );
        (format!("agents/{name}.toml"), text)
    };
    let client = |id: &str, more: &str| format!("\n[[clients]]\nissuer = \"{GATE}\"\nid = \"{id}\"\n{more}");
    let redirects = "redirect_uris = [\"http://127.0.0.1/cb\", \"https://client.example/cb\"]\n";
    let signing = client("signing-editor", &key);
    vec![
        agent("helpdesk", "delegated", &format!("{}{signing}", client("editor", redirects))),
        agent("desktop", "delegated", &client("another", redirects)),
        agent("reconciler", "autonomous", &client("robot", &key)),
    ]
}

/// A key's public half, as key sets have it.
pub(crate) fn public(key: &SigningKey) -> Value {
    let set = identity::keys::KeySet::of([std::sync::Arc::clone(key.public())]).published();
    serde_json::to_value(set).unwrap()["keys"][0].clone()
}

/// The same, as a manifest lists it.
pub(crate) fn keys(key: &SigningKey) -> String {
    let key = public(key);
    let members = ["kty", "crv", "x", "y", "kid", "alg"].map(|name| format!("{name} = {}", key[name]));
    format!("keys = [{{ {} }}]\n", members.join(", "))
}
