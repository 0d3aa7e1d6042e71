//! What clients are told: where tokens come from (RFC 9728), and what the one they have lacks (RFC 6750, RFC 8705,
//! RFC 9449, RFC 9470).
//!
//! Everything told before a caller is known is the same for every endpoint, whether it is there or not.

use model::{Assurance, Challenge, EndpointName};
use serde_json::{Value, json};

use super::proof::ALGORITHMS;
use super::{Issuer, ResourceServer};

/// Whether the listener asks clients for certificates. It does so alone where TLS ends at it: what a proxy says of one is not
/// believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Certificates {
    /// No client has one here.
    #[default]
    Unasked,
    /// A client that has one is known by it.
    Asked,
}

impl ResourceServer {
    /// The metadata of an endpoint (RFC 9728 §2).
    pub fn metadata(&self, endpoint: &EndpointName) -> Value {
        let issuers: Vec<&str> = self.issuers().map(|issuer| Issuer::url(issuer)).collect();
        let algorithms: Vec<&str> = ALGORITHMS.iter().map(|algorithm| algorithm.as_str()).collect();
        let mut said = json!({
            "resource": self.resource(endpoint),
            "authorization_servers": issuers,
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": algorithms,
        });
        if let (Certificates::Asked, Some(members)) = (self.certificates, said.as_object_mut()) {
            members.insert("tls_client_certificate_bound_access_tokens".to_owned(), true.into());
        }
        if let (false, Some(members)) = (self.scopes.is_empty(), said.as_object_mut()) {
            members.insert("scopes_supported".to_owned(), json!(self.scopes));
        }
        said
    }

    /// The endpoint whose metadata is at a path, if the path is one of metadata: below the path of the public URL, or
    /// without it, where a proxy before the gate takes it off.
    pub fn metadata_at(&self, path: &str) -> Option<EndpointName> {
        let rest = path.strip_prefix(Self::METADATA)?;
        let below = super::split_origin(&self.public_url).1;
        let rest = rest.strip_prefix(below).unwrap_or(rest);
        rest.strip_prefix('/')?.strip_suffix("/mcp")?.parse().ok()
    }

    /// The challenge of a refusal: a value for `WWW-Authenticate`. `assurance` is that of the caller, where one is known.
    pub fn challenge(
        &self,
        endpoint: &EndpointName,
        challenge: Option<&Challenge>,
        assurance: Option<Assurance>,
    ) -> String {
        let proves = matches!(challenge, Some(Challenge::Proof { .. })) || assurance == Some(Assurance::KeyBound);
        let scheme = if proves { "DPoP" } else { "Bearer" };
        let mut said = format!("{scheme} realm=\"portcullis\"");
        let mut say = |name: &str, value: &str| {
            if !value.is_empty() {
                said.push_str(&format!(", {name}=\"{value}\""));
            }
        };
        match challenge {
            None => say("scope", &words(&self.scopes)),
            Some(Challenge::Token) => {
                say("error", "invalid_token");
                say("scope", &words(&self.scopes));
            }
            Some(Challenge::Proof { error, nonce: _ }) => {
                say("error", error);
                say("algs", &ALGORITHMS.iter().map(|algorithm| algorithm.as_str()).collect::<Vec<_>>().join(" "));
            }
            Some(Challenge::Certificate) => {
                say("error", "invalid_token");
                say("error_description", "a token of the client's certificate is needed, over a connection with it");
            }
            Some(Challenge::Scopes(scopes)) => {
                say("error", "insufficient_scope");
                say("scope", &words(scopes));
            }
            Some(Challenge::SignIn { acr, age_max }) => {
                say("error", "insufficient_user_authentication");
                say("error_description", "a stronger or fresher sign-in is needed");
                say("acr_values", &words(acr));
                say("max_age", &age_max.map(|seconds| seconds.to_string()).unwrap_or_default());
            }
        }
        say("resource_metadata", &self.metadata_url(endpoint));
        said
    }
}

/// Words as a quoted text of a header has them, with spaces between; those that cannot stand there are left out.
fn words(words: &[String]) -> String {
    let fits = |word: &&String| word.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    words.iter().filter(fits).map(String::as_str).collect::<Vec<_>>().join(" ")
}
