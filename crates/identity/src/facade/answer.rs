//! How the façade says no: on a page, to a client's redirect, or in OAuth's words. None of them tells more than it must.

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Response, StatusCode};
use model::StoreError;
use serde_json::json;

use super::{pages, with_parameters};
use crate::relying::RelyingError;
use crate::relying::trip::TripError;
use crate::resource_server::proof::DPOP_NONCE;
use crate::site::{self, ParameterError};
use crate::vault::VaultError;

/// Something that is not done, and how that is told.
pub(crate) enum Wrong {
    /// To the person, because nobody knows whether the client is to be told anything.
    Page {
        /// The status.
        status: StatusCode,
        /// What is wrong.
        title: &'static str,
        /// What to do about it.
        text: &'static str,
    },
    /// To the client, by way of the browser (RFC 6749 §4.1.2.1).
    Redirect {
        /// Where the client said, and that was checked.
        redirect: String,
        /// OAuth's word.
        error: &'static str,
        /// What it means here.
        description: &'static str,
        /// What the client wants back.
        state: Option<String>,
        /// Who says so (RFC 9207).
        issuer: String,
    },
    /// To the client, with the nonce for its next proof (RFC 9449 §8).
    Proof {
        /// OAuth's word.
        error: &'static str,
        /// The nonce.
        nonce: Option<String>,
    },
    /// To the client itself (RFC 6749 §5.2).
    Client {
        /// The status.
        status: StatusCode,
        /// OAuth's word.
        error: &'static str,
        /// What it means here.
        description: &'static str,
    },
}

impl Wrong {
    pub(crate) fn page(status: StatusCode, title: &'static str, text: &'static str) -> Self {
        Self::Page { status, title, text }
    }

    /// A request that a client, or whoever sent the browser, got wrong.
    pub(crate) fn asked(text: &'static str) -> Self {
        Self::page(StatusCode::BAD_REQUEST, "This sign-in cannot begin", text)
    }

    pub(crate) fn client(error: &'static str, description: &'static str) -> Self {
        let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        Self::Client { status, error, description }
    }

    pub(crate) fn too_many() -> Self {
        let (status, error) = (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable");
        Self::Client { status, error, description: "too many requests: try again in a minute" }
    }

    /// The client is told in its own words, whatever went wrong.
    pub(crate) fn for_client(self) -> Self {
        match self {
            Self::Page { status, .. } if status.is_server_error() => {
                Self::Client { status, error: "server_error", description: "the gate failed: try again later" }
            }
            Self::Page { .. } => Self::client("invalid_request", "the request is not one that the gate takes"),
            Self::Redirect { error, description, .. } => Self::client(error, description),
            Self::Client { .. } | Self::Proof { .. } => self,
        }
    }

    pub(super) fn told(self) -> Response<Bytes> {
        self.told_at(pages::BASE)
    }

    /// The same at pages whose style lies below `base`.
    pub(crate) fn told_at(self, base: &str) -> Response<Bytes> {
        match self {
            Self::Page { status, title, text } => pages::trouble(base, status, title, text),
            Self::Redirect { redirect, error, description, state, issuer } => {
                site::redirect(&refused(&redirect, error, description, state.as_deref(), &issuer))
            }
            Self::Proof { error, nonce } => {
                let told = json!({ "error": error, "error_description": "the proof of possession is not good" });
                let mut response = site::json(StatusCode::BAD_REQUEST, &told);
                if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
                    response.headers_mut().insert(DPOP_NONCE, nonce);
                }
                response
            }
            Self::Client { status, error, description } => {
                let mut response = site::json(status, &json!({ "error": error, "error_description": description }));
                if status == StatusCode::UNAUTHORIZED {
                    let challenge = HeaderValue::from_static("Basic realm=\"portcullis\"");
                    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                }
                response
            }
        }
    }
}

/// Where a client hears that nothing comes of it.
pub(super) fn refused(redirect: &str, error: &str, description: &str, state: Option<&str>, issuer: &str) -> String {
    let mut parameters = vec![("error", error), ("error_description", description)];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.push(("iss", issuer));
    with_parameters(redirect, &parameters)
}

impl From<ParameterError> for Wrong {
    fn from(error: ParameterError) -> Self {
        Self::asked(match error {
            ParameterError::Repeated => "A parameter of the request is there twice.",
            ParameterError::TooLong => "The request's parameters are too long, or too many.",
            ParameterError::NoForm => "What was sent is no form.",
        })
    }
}

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Self {
        let why = model::with_causes(&error);
        tracing::error!(why, "a sign-in failed: the store");
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::page(status, "Not now", "The gate could not keep what it has to. Try again in a few minutes.")
    }
}

impl From<VaultError> for Wrong {
    fn from(error: VaultError) -> Self {
        let why = model::with_causes(&error);
        tracing::error!(why, "a sign-in failed: the vault");
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::page(status, "Not now", "The gate could not keep what it has to. Try again in a few minutes.")
    }
}

impl From<RelyingError> for Wrong {
    fn from(error: RelyingError) -> Self {
        let why = model::with_causes(&error);
        tracing::warn!(why, "a sign-in failed: the identity provider");
        if error.is_final() {
            let text = "The identity provider did not say who you are in a way the gate can rely on. Begin again.";
            return Self::page(StatusCode::FORBIDDEN, "You are not signed in", text);
        }
        let text = "The identity provider cannot be reached. Try again in a few minutes.";
        Self::page(StatusCode::BAD_GATEWAY, "Not now", text)
    }
}

impl From<TripError> for Wrong {
    fn from(error: TripError) -> Self {
        let nobody = |text| Self::page(StatusCode::FORBIDDEN, "You are not signed in", text);
        match error {
            TripError::Over => nobody("The time for this sign-in is over. Open the page again."),
            TripError::Refused => nobody("The identity provider did not sign you in. Open the page again."),
            TripError::Relying(error) => error.into(),
            TripError::Seal => Self::page(StatusCode::INTERNAL_SERVER_ERROR, "Not now", "The gate failed. Try again."),
        }
    }
}
