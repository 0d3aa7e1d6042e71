//! What an authorization server is told of the people for whom it is asked, and whom it believes.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header};
use identity::jwt::{Audience, Claims, Rule, Unverified};
use identity::keys::{Algorithm, KeySet};
use model::Timestamp;
use serde_json::{Value, json};

use super::{Authorization, CLIENT, Mind, is_the_client, locked};

pub(super) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    Timestamp(u64::try_from(now).unwrap())
}

impl Authorization {
    /// Knows its client by these keys from now on, where that shows no secret.
    pub(crate) fn knows_by_keys(&self, keys: KeySet) {
        let mut said = locked(&self.mind.said);
        // Whoever asked before it knew them was nobody it could know.
        said.faults.clear();
        said.client_keys = Some(keys);
    }

    /// Takes this one's word for who somebody is.
    pub(crate) fn believes(&self, issuer: &str, keys: KeySet) {
        locked(&self.mind.said).believed.push((issuer.to_owned(), keys));
    }

    /// For whom a token was given out, as it was told.
    pub(crate) fn behalf(&self, token: &str) -> Value {
        locked(&self.mind.said).behalves.get(token).cloned().unwrap_or_default()
    }

    /// How many tokens were given out on somebody's behalf.
    pub(crate) fn behalves(&self) -> usize {
        locked(&self.mind.said).behalves.len()
    }
}

impl Mind {
    /// Whether whoever asks proves that they are the client: by its secret, or by its key (RFC 7523 §2.2).
    pub(super) fn is_the_client(&self, headers: &HeaderMap, named: &mut BTreeMap<String, String>) -> bool {
        let Some(assertion) = named.remove("client_assertion") else { return is_the_client(headers) };
        let kind = named.remove("client_assertion_type");
        let id = named.remove("client_id");
        let (issuer, said) = (self.issuer(), locked(&self.said));
        let rule = Rule {
            algorithms: &[Algorithm::Es256],
            typ: &["JWT"],
            issuer: CLIENT,
            audience: Audience::Only(&issuer),
            skew: 5,
            now: now(),
            required: &["sub", "jti", "iat"],
        };
        let keys = said.client_keys.as_ref();
        let claims = keys.and_then(|keys| Unverified::read(&assertion).ok()?.verify(keys, &rule).ok());
        kind.as_deref() == Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            && id.as_deref() == Some(CLIENT)
            && claims.is_some_and(|claims| claims.text("sub") == Some(CLIENT))
            && !headers.contains_key(header::AUTHORIZATION)
    }

    /// Who the person is and who acts for them, as the gate says it (RFC 8693 §2.1).
    pub(super) fn told(&self, named: &mut BTreeMap<String, String>) -> Result<Value, String> {
        let mut take = |name: &str| named.remove(name).ok_or_else(|| format!("an exchange without `{name}`"));
        if take("requested_token_type")? != ACCESS_TOKEN || take("subject_token_type")? != JWT {
            return Err("an exchange of something else".to_owned());
        }
        if take("actor_token_type")? != JWT {
            return Err("an actor that is not told as it should be".to_owned());
        }
        let subject = self.believed(&take("subject_token")?, "JWT")?;
        let actor = self.believed(&take("actor_token")?, "JWT")?;
        if subject.text("jti") == actor.text("jti") {
            return Err("the same token as subject and as actor".to_owned());
        }
        Ok(json!({ "subject": subject.members(), "actor": actor.members() }))
    }

    /// Who the person is, as their identity provider asserts it for this server and this client (ID-JAG).
    pub(super) fn asserted(&self, named: &mut BTreeMap<String, String>, resource: &str) -> Result<Value, String> {
        let assertion = named.remove("assertion").ok_or("a grant without its assertion")?;
        let claims = self.believed(&assertion, "oauth-id-jag+jwt")?;
        if claims.text("client_id") != Some(CLIENT) || claims.text("resource") != Some(resource) {
            return Err("an assertion for another client or another server".to_owned());
        }
        Ok(json!({ "subject": claims.members() }))
    }

    /// A token for this server, of somebody whom it believes.
    fn believed(&self, token: &str, typ: &str) -> Result<Claims, String> {
        let issuer = self.issuer();
        let said = locked(&self.said);
        let by = |(known, keys): &(String, KeySet)| {
            let rule = Rule {
                algorithms: &[Algorithm::Es256],
                typ: &[typ],
                issuer: known,
                audience: Audience::Only(&issuer),
                skew: 5,
                now: now(),
                required: &["sub", "jti", "iat"],
            };
            Unverified::read(token).ok()?.verify(keys, &rule).ok()
        };
        said.believed.iter().find_map(by).ok_or_else(|| format!("a `{typ}` that nobody signed who is believed"))
    }
}
