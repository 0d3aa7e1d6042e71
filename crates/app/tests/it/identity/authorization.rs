//! An authorization server that lets nothing pass that the RFCs do not allow, and a guard before a server that takes its
//! tokens alone. Whatever was not as it has to be is noted as a fault, so that a test can say that there was none. What it is
//! told of the people for whom it is asked, [`believed`] reads.

mod believed;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use identity::keys::KeySet;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::puppet::Guard;

/// The client that is registered there, and its secret: with letters that a form has to write otherwise.
pub(crate) const CLIENT: &str = "portcullis gate";
pub(crate) const CLIENT_SECRET: &str = "s3cret:of+the&client";

/// A running authorization server. It stops when dropped.
pub(crate) struct Authorization {
    address: SocketAddr,
    mind: Arc<Mind>,
    task: AbortHandle,
}

/// What it does, and what it saw.
pub(crate) struct Mind {
    address: SocketAddr,
    manner: Mutex<Manner>,
    said: Mutex<Said>,
    /// Whether it answers questions for tokens.
    open: watch::Sender<bool>,
}

/// How it answers.
#[derive(Clone)]
pub(crate) struct Manner {
    /// For how long its tokens are good.
    pub(crate) expires_in: u64,
    /// What it says its name is, in place of the real one.
    pub(crate) issuer: Option<String>,
    /// Whether its tokens have none of the scopes that are asked for.
    pub(crate) withholds: bool,
    /// The status with which it answers every question for a token.
    pub(crate) fails: Option<StatusCode>,
    /// What it says that it issued, where it exchanges tokens.
    pub(crate) issues: &'static str,
    /// Where it says that browsers are sent, in place of its own page.
    pub(crate) page: Option<&'static str>,
    /// Whether it says nothing of PKCE.
    pub(crate) is_plain: bool,
}

#[derive(Default)]
struct Said {
    /// Every request, whole: its head and its body as text.
    requests: Vec<String>,
    faults: Vec<String>,
    /// Tokens by their text: the resource, and the scopes.
    tokens: BTreeMap<String, (String, BTreeSet<String>)>,
    revoked: BTreeSet<String>,
    /// What was agreed to, by the code.
    codes: BTreeMap<String, BTreeMap<String, String>>,
    refreshes: BTreeMap<String, (String, String)>,
    /// By which keys the client signs, where it has no secret.
    client_keys: Option<KeySet>,
    /// Whose word it takes for who somebody is, and by which keys.
    believed: Vec<(String, KeySet)>,
    /// For whom tokens were given out, by the token.
    behalves: BTreeMap<String, Value>,
    agreed: usize,
    given: usize,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Authorization {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let issues = "urn:ietf:params:oauth:token-type:access_token";
        let manner = Manner {
            expires_in: 3_600,
            issuer: None,
            withholds: false,
            fails: None,
            issues,
            page: None,
            is_plain: false,
        };
        let mind = Mind { address, manner: Mutex::new(manner), said: Mutex::default(), open: watch::Sender::new(true) };
        let mind = Arc::new(mind);
        let router = Router::new().fallback(answer).with_state(Arc::clone(&mind));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) }).abort_handle();
        Self { address, mind, task }
    }

    /// Its name.
    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `[credential]` of a server whose tokens the gate asks for itself.
    pub(crate) fn client_credentials(&self) -> String {
        format!(
            "\n[credential]\ngrant = \"client-credentials\"\nissuer = \"{}\"\nclient = \"{CLIENT}\"\nsecret = \"file:secrets/client\"\n",
            self.issuer()
        )
    }

    /// `[credential]` of a server that somebody connects for everybody.
    pub(crate) fn agreed_to(&self) -> String {
        let text = self.client_credentials();
        text.replace("\"client-credentials\"", "\"authorization-code\"\nholder = \"shared\"")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The file in which the gate finds its secret.
    pub(crate) fn secrets() -> Vec<(&'static str, String)> {
        vec![("client", CLIENT_SECRET.to_owned())]
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut locked(&self.mind.manner));
    }

    /// Lets nobody's question for a token be answered until [`Authorization::opens`].
    pub(crate) fn closes(&self) {
        self.mind.open.send_replace(false);
    }

    pub(crate) fn opens(&self) {
        self.mind.open.send_replace(true);
    }

    /// Takes every token back that was given out.
    pub(crate) fn revoke_all(&self) {
        let mut said = locked(&self.mind.said);
        let all: Vec<String> = said.tokens.keys().cloned().collect();
        said.revoked.extend(all);
    }

    /// How many tokens were given out.
    pub(crate) fn given(&self) -> usize {
        locked(&self.mind.said).given
    }

    /// Every request that reached it, whole.
    pub(crate) fn requests(&self) -> Vec<String> {
        locked(&self.mind.said).requests.clone()
    }

    /// What was asked for tokens, by the body of the question.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests().into_iter().filter(|request| request.starts_with("POST /token")).collect()
    }

    /// Everything was as it has to be.
    pub(crate) fn found_no_fault(&self) {
        assert_eq!(locked(&self.mind.said).faults, Vec::<String>::new());
    }

    /// A guard that takes its tokens alone, each for the server that it was given out for; and of those only such as have
    /// every scope that `wants` names at the moment.
    pub(crate) fn guard(&self, wants: &Arc<Mutex<Vec<&'static str>>>) -> Guard {
        let (mind, wants) = (Arc::clone(&self.mind), Arc::clone(wants));
        Arc::new(move |_, uri, headers| mind.admits(uri, headers, &locked(&wants)))
    }
}

impl Drop for Authorization {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Mind {
    fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    fn fault(&self, what: impl Into<String>) {
        locked(&self.said).faults.push(what.into());
    }

    fn admits(&self, uri: &Uri, headers: &HeaderMap, wants: &[&str]) -> Option<Response> {
        let origin = format!("http://{}", headers[header::HOST].to_str().unwrap());
        let resource = format!("{origin}/mcp");
        if uri.path() == "/.well-known/oauth-protected-resource/mcp" {
            let metadata = json!({ "resource": resource, "authorization_servers": [self.issuer()] });
            return Some(Json(metadata).into_response());
        }
        let place = format!("resource_metadata=\"{origin}/.well-known/oauth-protected-resource/mcp\"");
        let challenge = |status: StatusCode, error: &str, scope: &str| {
            let said = format!("Bearer {error}{scope}{place}");
            Some((status, [(header::WWW_AUTHENTICATE, said)], "no").into_response())
        };
        let scope = match wants {
            [] => String::new(),
            wants => format!("scope=\"{}\", ", wants.join(" ")),
        };
        let Some(presented) = headers.get(header::AUTHORIZATION) else {
            return challenge(StatusCode::UNAUTHORIZED, "", &scope);
        };
        let token = presented.to_str().unwrap().strip_prefix("Bearer ").unwrap_or_default();
        // The gate's own looks at the server are let through, so that a test knows what each call meets.
        let is_call = headers.get("mcp-method").is_some_and(|method| method == "tools/call");
        let said = locked(&self.said);
        match said.tokens.get(token).filter(|_| !(is_call && said.revoked.contains(token))) {
            Some((aud, has)) if *aud == resource => match !is_call || wants.iter().all(|scope| has.contains(*scope)) {
                true => None,
                false => challenge(StatusCode::FORBIDDEN, "error=\"insufficient_scope\", ", &scope),
            },
            Some(_) | None => challenge(StatusCode::UNAUTHORIZED, "error=\"invalid_token\", ", &scope),
        }
    }

    /// Gives out a token for what a form asks for, if everything in it is as it has to be.
    fn token(&self, headers: &HeaderMap, body: &Bytes) -> Response {
        let form: Vec<(String, String)> = form(body);
        let mut named = BTreeMap::new();
        for (name, value) in form {
            if named.insert(name.clone(), value).is_some() {
                self.fault(format!("`{name}` stands twice"));
            }
        }
        if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/x-www-form-urlencoded") {
            self.fault("a question for a token that is no form");
        }
        if !self.is_the_client(headers, &mut named) {
            self.fault("a question of somebody else than the client");
            return refused(StatusCode::UNAUTHORIZED, "invalid_client");
        }
        let Some(resource) = named.remove("resource") else {
            self.fault("a token for no resource");
            return refused(StatusCode::BAD_REQUEST, "invalid_target");
        };
        let grant = named.remove("grant_type").unwrap_or_default();
        let mut behalf = None;
        let (scopes, is_renewed) = match grant.as_str() {
            "client_credentials" => (named.remove("scope").unwrap_or_default(), false),
            "authorization_code" => match self.redeemed(&mut named, &resource) {
                Some(scopes) => (scopes, true),
                None => return refused(StatusCode::BAD_REQUEST, "invalid_grant"),
            },
            "refresh_token" => {
                let presented = named.remove("refresh_token").unwrap_or_default();
                let taken = locked(&self.said).refreshes.remove(&presented);
                match taken.filter(|(aud, _)| *aud == resource) {
                    Some((_, scopes)) => (scopes, true),
                    None => {
                        self.fault("a refresh token that is not, or not any more");
                        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
                    }
                }
            }
            believed::EXCHANGE | believed::BEARER => {
                let told = if grant == believed::BEARER {
                    self.asserted(&mut named, &resource)
                } else {
                    self.told(&mut named)
                };
                match told {
                    Ok(told) => behalf = Some(told),
                    Err(fault) => {
                        self.fault(fault);
                        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
                    }
                }
                (named.remove("scope").unwrap_or_default(), false)
            }
            _ => {
                self.fault("a grant that was not agreed on");
                return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
            }
        };
        if !named.is_empty() {
            self.fault(format!("it also said {:?}", named.keys()));
        }
        let manner = locked(&self.manner).clone();
        if let Some(status) = manner.fails {
            return refused(status, "temporarily_unavailable");
        }
        let mut said = locked(&self.said);
        said.given += 1;
        let token = format!("token-{}-of-{}", said.given, self.address.port());
        let kept = (resource.clone(), scopes.clone());
        let scopes = scopes.split(' ').filter(|one| !one.is_empty() && !manner.withholds);
        let scopes: BTreeSet<String> = scopes.map(str::to_owned).collect();
        said.tokens.insert(token.clone(), (resource, scopes));
        let mut answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": manner.expires_in });
        if let Some(told) = behalf {
            if grant == believed::EXCHANGE {
                answer["issued_token_type"] = manner.issues.into();
            }
            said.behalves.insert(token, told);
        }
        if is_renewed {
            let refresh = format!("refresh-{}-of-{}", said.given, self.address.port());
            answer["refresh_token"] = refresh.clone().into();
            said.refreshes.insert(refresh, kept);
        }
        Json(answer).into_response()
    }

    /// The scopes that a code is good for, once, for whoever began with the challenge that this verifier fits.
    fn redeemed(&self, named: &mut BTreeMap<String, String>, resource: &str) -> Option<String> {
        let code = named.remove("code").unwrap_or_default();
        let (redirect, verifier) = (named.remove("redirect_uri"), named.remove("code_verifier").unwrap_or_default());
        let agreed = locked(&self.said).codes.remove(&code);
        let hashed = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        let fits = agreed.filter(|agreed| {
            agreed["resource"] == resource
                && Some(&agreed["redirect_uri"]) == redirect.as_ref()
                && agreed["code_challenge"] == URL_SAFE_NO_PAD.encode(hashed)
                && (43..=128).contains(&verifier.len())
        });
        if fits.is_none() {
            self.fault("a code that is not, or not any more, or not for this client");
        }
        fits.map(|agreed| agreed.get("scope").cloned().unwrap_or_default())
    }

    /// Somebody signs in and agrees: they are sent back with a code.
    fn agree(&self, uri: &Uri) -> Response {
        let mut asked = BTreeMap::new();
        for (name, value) in form(uri.query().unwrap_or_default().as_bytes()) {
            if asked.insert(name.clone(), value).is_some() {
                self.fault(format!("`{name}` stands twice"));
            }
        }
        let is = |name: &str, wanted: &str| asked.get(name).is_some_and(|said| said == wanted);
        let long = |name: &str| asked.get(name).is_some_and(|said| said.len() >= 43);
        let right = is("response_type", "code") && is("client_id", CLIENT) && is("code_challenge_method", "S256");
        if !right || !long("code_challenge") || !long("state") || !asked.contains_key("resource") {
            self.fault("a question for a code that is not as it has to be");
            return StatusCode::BAD_REQUEST.into_response();
        }
        let (state, redirect) = (asked["state"].clone(), asked["redirect_uri"].clone());
        let mut said = locked(&self.said);
        said.agreed += 1;
        let code = format!("code-{}-of-{}", said.agreed, self.address.port());
        said.codes.insert(code.clone(), asked);
        let iss = self.issuer().replace(':', "%3A").replace('/', "%2F");
        let back = format!("{redirect}?code={code}&state={state}&iss={iss}");
        (StatusCode::FOUND, [(header::LOCATION, back)]).into_response()
    }

    fn metadata(&self) -> Value {
        let real = self.issuer();
        let named = locked(&self.manner).issuer.clone().unwrap_or_else(|| real.clone());
        let manner = locked(&self.manner);
        let page = manner.page.map_or_else(|| format!("{real}/authorize"), str::to_owned);
        let challenges: &[&str] = if manner.is_plain { &["plain"] } else { &["S256"] };
        json!({
            "issuer": named,
            "token_endpoint": format!("{real}/token"),
            "authorization_endpoint": page,
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": challenges,
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
        })
    }
}

async fn answer(State(mind): State<Arc<Mind>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let request = format!("{method} {uri}\n{headers:?}\n{}", String::from_utf8_lossy(&body));
    locked(&mind.said).requests.push(request);
    match uri.path() {
        "/.well-known/oauth-authorization-server" => Json(mind.metadata()).into_response(),
        "/authorize" if method == Method::GET => mind.agree(&uri),
        "/token" if method == Method::POST => {
            // An error would mean that the test is over.
            drop(mind.open.subscribe().wait_for(|open| *open).await);
            mind.token(&headers, &body)
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// Whether the client says who it is in the one way that is left to it: both parts written as in a form (RFC 6749 §2.3.1).
fn is_the_client(headers: &HeaderMap) -> bool {
    let basic = headers.get(header::AUTHORIZATION).and_then(|said| said.to_str().ok()?.strip_prefix("Basic "));
    let pair = basic.and_then(|basic| String::from_utf8(STANDARD.decode(basic).ok()?).ok());
    let said = pair.and_then(|pair| pair.split_once(':').map(|(id, secret)| (decoded(id), decoded(secret))));
    said.is_some_and(|(id, secret)| id == CLIENT && secret == CLIENT_SECRET)
}

fn form(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body).into_owned();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(a, b)| (decoded(a), decoded(b))).collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}
