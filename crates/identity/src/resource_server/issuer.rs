//! One issuer: how its tokens are verified, and what they mean here.

use std::collections::BTreeSet;
use std::sync::Arc;

use egress::Reach;
use model::{Clock, Refusal, Timestamp, UserId, limits};
use serde_json::{Map, Value};

use super::presented::{Bound, Presented};
use super::refused;
use crate::facade::Revocations;
use crate::fetch::Fetch;
use crate::jwt::{Audience, Claims, JwtError, Rule, verify};
use crate::keys::{Algorithm, KeySet, KeySets, KeySource};

/// What settings say of an issuer.
#[derive(Clone)]
pub struct IssuerSettings {
    /// Its name, exactly as its tokens spell it.
    pub url: String,
    /// Where its keys are.
    pub keys: KeySource,
    /// How it signs.
    pub algorithms: Vec<Algorithm>,
    /// Seconds by which its clock may differ.
    pub skew: u64,
    /// Seconds for which its keys are believed when they cannot be fetched again.
    pub keys_age_max: u64,
    /// What its claims mean.
    pub mapping: Mapping,
    /// Where it may be.
    pub reach: Reach,
    /// The way to it, within that.
    pub fetch: Arc<dyn Fetch>,
    /// What tells at once of sign-ins that ended, where that is the gate itself: the façade.
    pub revocations: Option<Arc<Revocations>>,
}

/// Which claims say who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The claims that may name the client, the first that is there.
    pub client: Vec<String>,
    /// The claim that names the person.
    pub user: String,
    /// What is put before the person's name, so that those of two issuers are never one.
    pub user_prefix: String,
    /// The claim with the person's groups; dots lead into objects.
    pub groups: String,
    /// The claim with the scopes, as one text or as a list.
    pub scope: String,
    /// How a token that is for no person shows it, where it names something in the person's place.
    pub app_only: Option<AppOnly>,
    /// The claim that says that somebody vouches for the client's software. Only the gate's own authorization server is believed
    /// that: it looked at the voucher itself.
    pub attested: Option<String>,
}

/// A claim that only tokens without a person have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppOnly {
    /// Which.
    pub claim: String,
    /// What it says then; `service-account-*` stands for everything that begins so.
    pub value: String,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            client: vec!["client_id".to_owned(), "azp".to_owned()],
            user: "sub".to_owned(),
            user_prefix: String::new(),
            groups: "groups".to_owned(),
            scope: "scope".to_owned(),
            app_only: None,
            attested: None,
        }
    }
}

/// An issuer whose tokens are taken.
pub struct Issuer {
    settings: IssuerSettings,
    keys: Arc<KeySets>,
}

impl Issuer {
    pub(super) fn new(settings: IssuerSettings, known: Option<Arc<KeySets>>, clock: Arc<dyn Clock>) -> Self {
        let keys = known.unwrap_or_else(|| {
            let (fetch, source) = (Arc::clone(&settings.fetch), settings.keys.clone());
            Arc::new(KeySets::new(fetch, source, clock, settings.keys_age_max))
        });
        Self { settings, keys }
    }

    /// Its name.
    pub fn url(&self) -> &str {
        &self.settings.url
    }

    /// Its keys.
    pub fn keys(&self) -> &Arc<KeySets> {
        &self.keys
    }

    /// Whether the sign-in that a token came of was ended.
    pub(super) fn has_revoked(&self, family: Option<&str>) -> bool {
        let revocations = self.settings.revocations.as_ref();
        revocations.is_some_and(|revocations| family.is_none_or(|family| revocations.hold(family)))
    }

    pub(super) fn skew(&self) -> u64 {
        self.settings.skew
    }

    /// Whether its keys are those that these settings lead to.
    pub(super) fn is_like(&self, settings: &IssuerSettings) -> bool {
        let own = &self.settings;
        (&own.url, &own.keys, own.keys_age_max, &own.reach)
            == (&settings.url, &settings.keys, settings.keys_age_max, &settings.reach)
    }

    /// Verifies a token by the keys that are known, and by newer ones where it names one that is not.
    pub(super) async fn verify(
        &self,
        token: &str,
        audience: Audience<'_>,
        now: Timestamp,
    ) -> Result<(Claims, Arc<KeySet>), Refusal> {
        let rule = Rule {
            algorithms: &self.settings.algorithms,
            // RFC 9068 says `at+jwt`; providers that are older than it say `JWT` or nothing.
            typ: &["at+jwt", "jwt", ""],
            issuer: &self.settings.url,
            audience,
            skew: self.settings.skew,
            now,
            required: &[],
        };
        let keys = self.keys.current().await.map_err(|error| refused(&model::with_causes(&error)))?;
        let (verified, keys) = match verify(token, &keys, &rule) {
            Err(JwtError::KeyUnknown) => match self.keys.newer(&keys).await {
                Some(newer) => (verify(token, &newer, &rule), newer),
                None => (Err(JwtError::KeyUnknown), keys),
            },
            verified => (verified, keys),
        };
        verified.map(|claims| (claims, keys)).map_err(|error| refused(&error.to_string()))
    }

    /// What a verified token's claims mean here.
    pub(super) fn presented(&self, index: usize, claims: &Claims) -> Result<Presented, Refusal> {
        let mapping = &self.settings.mapping;
        let client = mapping.client.iter().find(|name| claims.has(name));
        let client = client.and_then(|name| claims.text(name)).filter(|client| !client.is_empty());
        let client = client.ok_or_else(|| refused("the token names no client"))?.to_owned();
        let ends = claims.seconds("exp").ok_or_else(|| refused("the token never ends"))?;
        // Within the skew a token is good a little longer than it says.
        let ends = Timestamp(ends.saturating_add(self.settings.skew).saturating_mul(1_000));
        let user = self.user(claims, &client)?;
        let groups = if user.is_some() { groups(claims, &mapping.groups)? } else { Vec::new() };
        let family = claims.text("family");
        if self.has_revoked(family) {
            return Err(refused("the sign-in that the token came of was ended"));
        }
        let signed_in = claims.seconds("auth_time").map(|time| Timestamp(time.saturating_mul(1_000)));
        Ok(Presented {
            issuer: index,
            user,
            groups,
            acr: claims.text("acr").map(Arc::from),
            amr: several(claims, "amr")?,
            signed_in,
            scopes: several(claims, &mapping.scope)?,
            actors: actors(claims, &self.settings.url)?,
            ends,
            family: family.map(Arc::from),
            bound: bound(claims)?,
            attested: mapping.attested.as_ref().is_some_and(|name| claims.get(name) == Some(&Value::Bool(true))),
            client,
        })
    }

    /// The person a token is for. A token in the client's own name is for none (RFC 9068 §2.2).
    fn user(&self, claims: &Claims, client: &str) -> Result<Option<UserId>, Refusal> {
        let mapping = &self.settings.mapping;
        let app_only = mapping.app_only.as_ref().is_some_and(|AppOnly { claim, value }| {
            claims.text(claim).is_some_and(|said| match value.strip_suffix('*') {
                Some(beginning) => said.starts_with(beginning),
                None => said == value,
            })
        });
        let named = claims.text(&mapping.user);
        if claims.has(&mapping.user) && named.is_none() {
            return Err(refused("the claim that names the person is no text"));
        }
        // `sub` too, where another claim names the person: a token of a client may carry whatever its issuer likes.
        if app_only || named.is_none() || named == Some(client) || claims.text("sub") == Some(client) {
            return Ok(None);
        }
        let user = named.map(|user| format!("{}{user}", mapping.user_prefix).parse()).transpose();
        user.map_err(|_| refused("the person's name cannot be used"))
    }
}

/// The person's groups. A group whose name cannot be used would be missing, so it refuses the token.
fn groups(claims: &Claims, path: &str) -> Result<Vec<model::GroupName>, Refusal> {
    let found = match claims.get(path) {
        Some(found) => Some(found),
        None => path
            .split_once('.')
            .and_then(|(first, rest)| rest.split('.').try_fold(claims.get(first)?, |at, name| at.get(name))),
    };
    let named: Vec<&str> = match found {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => {
            let texts = several.iter().map(Value::as_str).collect::<Option<_>>();
            texts.ok_or_else(|| refused("the person's groups are no texts"))?
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            return Err(refused("the person's groups are no list"));
        }
    };
    if named.len() > limits::GROUPS_MAX {
        return Err(refused("the token names more groups than can be looked at"));
    }
    let read = named.into_iter().map(str::parse).collect::<Result<_, _>>();
    read.map_err(|_| refused("the name of a group cannot be used"))
}

/// Words of a claim that is one text with spaces between them, or a list; sorted, each once.
fn several(claims: &Claims, name: &str) -> Result<Arc<[Arc<str>]>, Refusal> {
    let listed = match claims.get(name) {
        None => Vec::new(),
        Some(_) => {
            claims.texts(name).ok_or_else(|| refused("a list of the token's holds something else than texts"))?
        }
    };
    let words: BTreeSet<&str> =
        listed.iter().flat_map(|text| text.split(' ')).filter(|word| !word.is_empty()).collect();
    if words.len() > limits::SCOPES_MAX {
        return Err(refused("a list of the token's is longer than can be looked at"));
    }
    Ok(words.into_iter().map(Arc::from).collect())
}

/// The clients through which a token came, the nearest first (RFC 8693 §4.1). A chain that is longer than can be decided
/// on is refused and not cut short.
fn actors(claims: &Claims, issuer: &str) -> Result<Vec<String>, Refusal> {
    let mut actors = Vec::new();
    let mut next = claims.get("act");
    while let Some(actor) = next {
        let Value::Object(actor) = actor else { return Err(refused("the token's `act` is no object")) };
        if actors.len() >= limits::ACTORS_MAX {
            return Err(refused("the token came through more agents than can be decided on"));
        }
        let text = |name: &str| actor.get(name).and_then(Value::as_str);
        if actor.contains_key("iss") && text("iss") != Some(issuer) {
            return Err(refused("an actor of the token's is another issuer's"));
        }
        let client = text("client_id").or_else(|| text("sub")).ok_or_else(|| refused("an actor has no name"))?;
        actors.push(client.to_owned());
        next = actor.get("act");
    }
    Ok(actors)
}

/// Whom a token is bound to. A binding that is not known here cannot be checked, so the token is no good here.
fn bound(claims: &Claims) -> Result<Bound, Refusal> {
    let mut bound = Bound::default();
    let Some(confirmation) = claims.get("cnf") else { return Ok(bound) };
    let unknown = || refused("the token is bound in a way that cannot be checked here");
    let members: &Map<String, Value> =
        confirmation.as_object().filter(|members| !members.is_empty()).ok_or_else(unknown)?;
    for (name, thumbprint) in members {
        let place = match name.as_str() {
            "jkt" => &mut bound.key,
            "x5t#S256" => &mut bound.certificate,
            _ => return Err(unknown()),
        };
        *place = Some(thumbprint.as_str().ok_or_else(unknown)?.to_owned());
    }
    Ok(bound)
}
