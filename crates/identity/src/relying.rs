//! Signing people in at an identity provider: OpenID Connect Core 1.0, as the party that relies on it.
//!
//! [`Relying::begin`] says where the person goes, [`Relying::finish`] what they come back as, [`Relying::ask_again`] whether
//! they are still who they were. [`Relying::logged_out`] reads what the provider says by itself when somebody left, and
//! [`Relying::vouched`] an assertion of the provider's for a client (ID-JAG).
//!
//! Whoever calls keeps what binds the two halves together, and must bind it to the browser: `state`, `nonce` and the PKCE
//! verifier are handed in, so that this room keeps nothing of anybody.

pub mod device;
mod metadata;
mod person;
mod provider;
mod token;
pub(crate) mod trip;
mod word;

use std::sync::Arc;

use http::HeaderMap;
use model::{Clock, Digest, Secret};
use url::Url;

use crate::fetch::{Fetch, FetchError};
use crate::json;
use crate::jwt::{Audience, Claims, JwtError, Rule, SigningError, Unverified, seconds};
use crate::keys::{KeySets, KeySource, KeysError, KeysHealth};
use crate::port::Person;
use crate::secrets::opened_text as opened;
pub(crate) use metadata::is_safe;
use metadata::{Metadata, MetadataCache};
pub use provider::{AssertionAudience, ClaimNames, ClientAuthentication, Provider};
use token::Answer;
pub use word::Word;

/// The identity provider, as the gate relies on it.
pub struct Relying {
    provider: Provider,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    keys: Arc<KeySets>,
    metadata: MetadataCache,
}

/// What one attempt to sign in is bound by. All of it is fresh and unguessable.
pub struct Attempt<'a> {
    /// Comes back as it was sent, and names the attempt.
    pub state: &'a str,
    /// Comes back inside the ID token.
    pub nonce: &'a str,
    /// The secret whose digest goes along (RFC 7636).
    pub verifier: &'a Secret<String>,
    /// What the sign-in must be like.
    pub wishes: Wishes,
}

/// What a sign-in must be like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Classes of sign-in, the best first (`acr_values`).
    pub acr_values: Vec<String>,
    /// The most seconds since the person proved who they are.
    pub max_age: Option<u64>,
    /// What the provider shall show (`login`, `select_account`).
    pub prompt: Option<&'static str>,
    /// What the provider's own tokens are for (RFC 8707), where it asks for that.
    pub resource: Option<String>,
}

/// What a person's browser brought back.
pub struct Returned<'a> {
    /// The code.
    pub code: &'a Secret<String>,
    /// Who says so (RFC 9207).
    pub issuer: Option<&'a str>,
}

/// Somebody who signed in.
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// The provider's word for it.
    pub word: Word,
    /// By what they can be asked after again, where the provider gives that.
    pub refresh: Option<Secret<String>>,
}

/// What a provider says of somebody when asked again.
pub struct Again {
    /// The person as they are now, where the provider says more than that they still are.
    pub person: Option<Person>,
    /// Its word for it, where it gives it again.
    pub word: Option<Word>,
    /// What to ask with the next time, where that changes.
    pub refresh: Option<Secret<String>>,
}

/// Who left, as a provider tells it by itself (OpenID Connect Back-Channel Logout 1.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOut {
    /// The person, or everybody in the session.
    pub subject: Option<String>,
    /// The session.
    pub session: Option<String>,
    /// The message's id, which is good once.
    pub id: String,
    /// When the message expires, in seconds since the epoch.
    pub expires: u64,
}

/// Why nobody is signed in. For operators; nothing in it is a secret or can be used.
#[derive(Debug, thiserror::Error)]
pub enum RelyingError {
    /// The provider cannot be asked.
    #[error("the identity provider cannot be asked")]
    Fetch(#[from] FetchError),
    /// Its metadata cannot be believed.
    #[error("the identity provider's metadata cannot be believed: {0}")]
    Metadata(&'static str),
    /// Its keys cannot be had.
    #[error("the identity provider's keys cannot be had")]
    Keys(#[from] KeysError),
    /// It said no, with one of OAuth's words.
    #[error("the identity provider answered `{0}`")]
    Refused(String),
    /// It answered something that is no answer.
    #[error("the identity provider's answer cannot be used: {0}")]
    Answer(&'static str),
    /// What came back names another provider (RFC 9207).
    #[error("what came back is another provider's")]
    Mixed,
    /// A token of its is not to be believed.
    #[error("the identity provider's token is not believed")]
    Token(#[from] JwtError),
    /// A token of its is believed, and says something else than was asked for.
    #[error("the identity provider's token does not fit: {0}")]
    Unfit(&'static str),
    /// The gate could not sign.
    #[error("the gate cannot authenticate itself to the identity provider")]
    Signing(#[from] SigningError),
}

impl LoggedOut {
    /// What of the message is good once at each of those that a provider tells.
    pub(crate) fn once(&self, issuer: &str, at: &str) -> Digest {
        Digest::of(format!("logout {at}\n{}\n{issuer}\n{}", issuer.len(), self.id).as_bytes())
    }
}

impl RelyingError {
    /// Whether asking again cannot help: the provider was reached and the person's grant is over.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused(word) => matches!(word.as_str(), "invalid_grant" | "access_denied" | "invalid_token"),
            Self::Token(_) | Self::Unfit(_) | Self::Mixed => true,
            Self::Fetch(_) | Self::Metadata(_) | Self::Keys(_) | Self::Answer(_) | Self::Signing(_) => false,
        }
    }
}

/// The only event of a logout (OpenID Connect Back-Channel Logout 1.0 §2.4).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl Relying {
    /// A provider that was not asked anything yet. Its keys are believed for `keys_age_seconds_max`.
    pub fn new(provider: Provider, fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>, keys_age_seconds_max: u64) -> Self {
        let source = KeySource::Discovered(provider.issuer.clone());
        let keys = Arc::new(KeySets::new(Arc::clone(&fetch), source, Arc::clone(&clock), keys_age_seconds_max));
        Self { provider, fetch, clock, keys, metadata: MetadataCache::default() }
    }

    /// What was said of the provider in settings.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// How its keys are.
    pub fn keys_health(&self) -> KeysHealth {
        self.keys.health()
    }

    /// Where the person goes to sign in.
    ///
    /// # Errors
    /// When the provider cannot be asked, or cannot be relied on.
    pub async fn begin(&self, attempt: &Attempt<'_>) -> Result<Url, RelyingError> {
        let metadata = self.metadata().await?;
        let challenge = crate::facade::pkce::challenge(opened(attempt.verifier));
        let mut url = metadata.authorization.clone();
        {
            let Wishes { acr_values, max_age, prompt, resource } = &attempt.wishes;
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &self.provider.client_id)
                .append_pair("redirect_uri", self.provider.redirect.as_str())
                .append_pair("scope", &self.provider.scope())
                .append_pair("state", attempt.state)
                .append_pair("nonce", attempt.nonce)
                .append_pair("code_challenge", &challenge)
                .append_pair("code_challenge_method", "S256");
            if !acr_values.is_empty() {
                query.append_pair("acr_values", &acr_values.join(" "));
            }
            if let Some(max_age) = max_age {
                query.append_pair("max_age", &max_age.to_string());
            }
            if let Some(prompt) = prompt {
                query.append_pair("prompt", prompt);
            }
            if let Some(resource) = resource {
                query.append_pair("resource", resource);
            }
        }
        Ok(url)
    }

    /// Whether what a browser brought back is this provider's at all, an error too (RFC 9207 §2.4).
    ///
    /// # Errors
    /// [`RelyingError::Mixed`] when it names another, or none where the provider said that it always does.
    pub async fn is_theirs(&self, issuer: Option<&str>) -> Result<(), RelyingError> {
        let metadata = self.metadata().await?;
        match issuer {
            Some(issuer) if issuer == self.provider.issuer => Ok(()),
            Some(_) => Err(RelyingError::Mixed),
            None if metadata.names_itself => Err(RelyingError::Mixed),
            None => Ok(()),
        }
    }

    /// Who came back.
    ///
    /// # Errors
    /// When that is not proved beyond doubt.
    pub async fn finish(&self, returned: &Returned<'_>, attempt: &Attempt<'_>) -> Result<SignedIn, RelyingError> {
        self.is_theirs(returned.issuer).await?;
        let metadata = self.metadata().await?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", opened(returned.code)),
            ("redirect_uri", self.provider.redirect.as_str()),
            ("code_verifier", opened(attempt.verifier)),
        ];
        if let Some(resource) = &attempt.wishes.resource {
            form.push(("resource", resource));
        }
        let answer = self.ask(&metadata, &form).await?;
        let (claims, word) = self.claims(&answer, Some(attempt.nonce)).await?;
        if let Some(max_age) = attempt.wishes.max_age {
            let signed_in = claims.seconds("auth_time").ok_or(RelyingError::Unfit("it does not say when"))?;
            let oldest = seconds(self.clock.now()).saturating_sub(max_age).saturating_sub(self.provider.skew);
            if signed_in < oldest {
                return Err(RelyingError::Unfit("the sign-in is older than was asked for"));
            }
        }
        let person = self.person(&metadata, &claims, &answer).await?;
        Ok(SignedIn { person, word, refresh: answer.refresh })
    }

    /// Asks whether the person whose refresh token this is is still somebody there.
    ///
    /// # Errors
    /// [`RelyingError::is_final`] tells a no from a provider that cannot be asked just now.
    pub async fn ask_again(&self, refresh: &Secret<String>, known: &Person) -> Result<Again, RelyingError> {
        let metadata = self.metadata().await?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", opened(refresh))];
        let answer = self.ask(&metadata, &form).await?;
        let (person, word) = match &answer.id_token {
            None if self.provider.asks_userinfo => {
                (Some(person::renewed(self, &metadata, known, &answer).await?), None)
            }
            None => (None, None),
            Some(id_token) => {
                // A renewed token has no nonce, or the first one's (OpenID Connect Core 1.0 §12.2).
                let claims = self.id_token(opened(id_token), None).await?;
                if claims.text("sub") != Some(&known.subject) {
                    return Err(RelyingError::Unfit("it is about somebody else"));
                }
                answer.fits(&claims)?;
                let mut person = self.person(&metadata, &claims, &answer).await?;
                person.session = person.session.or_else(|| known.session.clone());
                person.acr = person.acr.or_else(|| known.acr.clone());
                person.auth_time = person.auth_time.or(known.auth_time);
                if person.amr.is_empty() {
                    person.amr.clone_from(&known.amr);
                }
                (Some(person), Some(Word::of(id_token, &claims)))
            }
        };
        Ok(Again { person, word, refresh: answer.refresh })
    }

    /// Who left, of a logout token that the provider sent by itself.
    ///
    /// # Errors
    /// When it is not the provider's, not for the gate, or no logout token.
    pub async fn logged_out(&self, token: &str) -> Result<LoggedOut, RelyingError> {
        let typ = ["logout+jwt", "JWT", ""];
        let claims = self.believed(token, &typ, Audience::Includes(&self.provider.client_id), &["iat", "jti"]).await?;
        let event = claims.object("events").and_then(|events| events.get(LOGOUT_EVENT));
        if !event.is_some_and(serde_json::Value::is_object) {
            return Err(RelyingError::Unfit("it is no logout token"));
        }
        if claims.has("nonce") {
            // §2.6: so that no ID token can be taken for one.
            return Err(RelyingError::Unfit("a logout token has no nonce"));
        }
        let text = |name| claims.text(name).map(str::to_owned);
        let (subject, session) = (text("sub"), text("sid"));
        if subject.is_none() && session.is_none() {
            return Err(RelyingError::Unfit("it names nobody"));
        }
        let (id, expires) = (text("jti").unwrap_or_default(), claims.seconds("exp").unwrap_or_default());
        Ok(LoggedOut { subject, session, id, expires })
    }

    /// What the provider asserts of a user for a client: an identity assertion authorization grant (ID-JAG), for the
    /// authorization server that is called `audience`.
    ///
    /// # Errors
    /// When it is not the provider's, or not for that one alone.
    pub async fn vouched(&self, assertion: &str, audience: &str) -> Result<Claims, RelyingError> {
        let required = ["sub", "iat", "jti", "client_id", "resource"];
        self.believed(assertion, &["oauth-id-jag+jwt"], Audience::Only(audience), &required).await
    }

    /// The person of claims in which there is everything: an assertion's.
    ///
    /// # Errors
    /// When they name nobody.
    pub fn person_of(&self, claims: &Claims) -> Result<Person, RelyingError> {
        person::of(&self.provider, claims.members())
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, RelyingError> {
        self.metadata.get(&*self.fetch, &self.provider.issuer, self.clock.now()).await
    }

    /// One question at the token endpoint.
    async fn ask(&self, metadata: &Metadata, form: &[(&str, &str)]) -> Result<Answer, RelyingError> {
        let now = self.clock.now();
        let (authorization, added) = self.provider.authenticate(metadata, now)?;
        let mut form = form.to_vec();
        form.extend(added.iter().map(|(name, value)| (*name, opened(value))));
        let fetched = self.fetch.post_form(&metadata.token, &form, authorization.as_ref(), &HeaderMap::new()).await?;
        Answer::read(&fetched)
    }

    /// What the ID token of an answer says, and the token itself.
    async fn claims(&self, answer: &Answer, nonce: Option<&str>) -> Result<(Claims, Word), RelyingError> {
        let id_token = answer.id_token.as_ref().ok_or(RelyingError::Answer("there is no ID token"))?;
        let claims = self.id_token(opened(id_token), nonce).await?;
        answer.fits(&claims)?;
        let word = Word::of(id_token, &claims);
        Ok((claims, word))
    }

    async fn id_token(&self, token: &str, nonce: Option<&str>) -> Result<Claims, RelyingError> {
        let client = &self.provider.client_id;
        let claims = self.believed(token, &["JWT", ""], Audience::Includes(client), &["sub", "iat"]).await?;
        let several = claims.texts("aud").is_some_and(|audiences| audiences.len() > 1);
        match claims.text("azp") {
            Some(azp) if azp != client => return Err(RelyingError::Unfit("it was issued to another client")),
            None if several => return Err(RelyingError::Unfit("it is for several and issued to nobody")),
            Some(_) | None => {}
        }
        if let Some(nonce) = nonce
            && claims.text("nonce") != Some(nonce)
        {
            return Err(RelyingError::Unfit("it is of another sign-in"));
        }
        Ok(claims)
    }

    /// A token of the provider's, checked by its keys, newer ones too if it names one that is not known.
    async fn believed(
        &self,
        token: &str,
        typ: &[&str],
        audience: Audience<'_>,
        required: &[&'static str],
    ) -> Result<Claims, RelyingError> {
        let rule = Rule {
            algorithms: &self.provider.algorithms,
            typ,
            issuer: &self.provider.issuer,
            audience,
            skew: self.provider.skew,
            now: self.clock.now(),
            required,
        };
        let known = self.keys.current().await?;
        match Unverified::read(token)?.verify(&known, &rule) {
            Err(JwtError::KeyUnknown) => {
                let newer = self.keys.newer(&known).await.ok_or(JwtError::KeyUnknown)?;
                Ok(Unverified::read(token)?.verify(&newer, &rule)?)
            }
            checked => Ok(checked?),
        }
    }

    async fn person(&self, metadata: &Metadata, claims: &Claims, answer: &Answer) -> Result<Person, RelyingError> {
        let mut members = claims.members().clone();
        if self.provider.asks_userinfo {
            let told = self.userinfo(metadata, answer).await?;
            if told.get("sub").and_then(serde_json::Value::as_str) != claims.text("sub") {
                // OpenID Connect Core 1.0 §5.3.2: it is about somebody else.
                return Err(RelyingError::Unfit("the userinfo is about somebody else"));
            }
            for (name, value) in told {
                // What is signed stands.
                members.entry(name).or_insert(value);
            }
        }
        person::of(&self.provider, &members)
    }

    async fn userinfo(
        &self,
        metadata: &Metadata,
        answer: &Answer,
    ) -> Result<serde_json::Map<String, serde_json::Value>, RelyingError> {
        let url = metadata.userinfo.as_ref().ok_or(RelyingError::Metadata("it has no `userinfo_endpoint`"))?;
        let bearer = Secret::new(format!("Bearer {}", opened(&answer.access)));
        let fetched = self.fetch.get_as(url, "application/json", &bearer).await?;
        if fetched.status != http::StatusCode::OK {
            return Err(RelyingError::Answer("the userinfo was refused"));
        }
        json::object(&fetched.body, model::limits::FETCHED_BYTES_MAX)
            .map_err(|_| RelyingError::Answer("the userinfo is no strict JSON object"))
    }
}
