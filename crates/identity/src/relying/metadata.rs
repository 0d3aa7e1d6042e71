//! What a provider says of itself (OpenID Connect Discovery 1.0 §4).

use std::sync::Arc;

use http::StatusCode;
use model::{Timestamp, limits};
use serde_json::Value;
use tokio::sync::Mutex;
use url::{Host, Url};

use super::RelyingError;
use crate::fetch::Fetch;
use crate::json;
use crate::keys::metadata_urls;

/// Where a provider is asked what.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorization: Url,
    pub(super) token: Url,
    pub(super) userinfo: Option<Url>,
    /// Where a device begins (RFC 8628 §4).
    pub(super) device: Option<Url>,
    /// Whether everything that comes back from it names it (RFC 9207 §3).
    pub(super) names_itself: bool,
}

/// The metadata as they were fetched last: one fetch for all who wait.
#[derive(Default)]
pub(super) struct MetadataCache(Mutex<Option<(Timestamp, Arc<Metadata>)>>);

impl MetadataCache {
    pub(super) async fn get(
        &self,
        fetch: &dyn Fetch,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, RelyingError> {
        let mut known = self.0.lock().await;
        if let Some((fetched, metadata)) = &*known
            && now.milliseconds_since(*fetched) < limits::PROVIDER_METADATA_MILLISECONDS_MAX
        {
            return Ok(Arc::clone(metadata));
        }
        match ask(fetch, issuer).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Some((now, Arc::clone(&metadata)));
                Ok(metadata)
            }
            // Endpoints move rarely; what was good an hour ago beats nobody signing in.
            Err(error) => known.as_ref().map(|(_, metadata)| Arc::clone(metadata)).ok_or(error),
        }
    }
}

async fn ask(fetch: &dyn Fetch, issuer: &str) -> Result<Metadata, RelyingError> {
    let urls = metadata_urls(issuer).ok_or(RelyingError::Metadata("the issuer is no plain URL"))?;
    for url in urls {
        let fetched = fetch.get(&url, "application/json").await?;
        if fetched.status == StatusCode::OK {
            return read(issuer, &fetched.body);
        }
    }
    Err(RelyingError::Metadata("it is not there"))
}

fn read(issuer: &str, body: &[u8]) -> Result<Metadata, RelyingError> {
    let strict = json::object(body, limits::FETCHED_BYTES_MAX);
    let members = strict.map_err(|_| RelyingError::Metadata("it is no strict JSON object"))?;
    // Compared as text: nobody speaks for somebody of a similar name (OpenID Connect Discovery 1.0 §4.3).
    if members.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(RelyingError::Metadata("it speaks for another issuer"));
    }
    let methods = members.get("code_challenge_methods_supported").and_then(Value::as_array);
    if methods.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
        return Err(RelyingError::Metadata("it does not support PKCE with S256"));
    }
    let url = |name: &str| members.get(name).and_then(Value::as_str).and_then(|text| Url::parse(text).ok());
    let safe = |name: &str| url(name).filter(is_safe);
    Ok(Metadata {
        authorization: safe("authorization_endpoint")
            .ok_or(RelyingError::Metadata("it has no `https` URL as `authorization_endpoint`"))?,
        token: safe("token_endpoint").ok_or(RelyingError::Metadata("it has no `https` URL as `token_endpoint`"))?,
        userinfo: safe("userinfo_endpoint"),
        device: safe("device_authorization_endpoint"),
        names_itself: members.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
    })
}

/// A URL that a browser may be sent to and a secret may be posted to: `https`, or plain on this machine.
pub(crate) fn is_safe(url: &Url) -> bool {
    let near = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    plain && url.host().is_some() && (url.scheme() == "https" || (url.scheme() == "http" && near))
}
