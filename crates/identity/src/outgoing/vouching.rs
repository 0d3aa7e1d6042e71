//! Who speaks for people: what their identity provider said of them when they signed in at the gate.

use async_trait::async_trait;
use model::{Secret, UserId};

use super::KeepError;
use crate::relying::RelyingError;

/// Who a person is, in their identity provider's own words.
pub struct Identity {
    /// The provider. To nobody else are its words shown.
    pub issuer: String,
    /// Its ID token for the gate.
    pub token: Secret<String>,
}

/// Why nobody speaks for a person.
#[derive(Debug, thiserror::Error)]
pub enum VouchError {
    /// Nobody signs in at this gate.
    #[error("people do not sign in at this gate: say `[sign_in]` in the settings")]
    Nobody,
    /// The person has not, or their sign-in was ended.
    #[error("`{0}` has not signed in at the gate, or left")]
    NotSignedIn(UserId),
    /// What the provider said of them is over, and it has not been asked again since.
    #[error(
        "what the identity provider said of `{0}` is over: it is asked again when their application renews its token"
    )]
    Over(UserId),
    /// The person signed in elsewhere than where tokens are exchanged.
    #[error("the person signed in at another provider, whose ID token is shown to nobody else")]
    Elsewhere,
    /// What the provider said cannot be read.
    #[error("what the identity provider said cannot be read")]
    Keep(#[from] KeepError),
    /// The provider asserts nothing of them for this authorization server.
    #[error("the identity provider does not assert who the person is")]
    Provider(#[from] RelyingError),
}

/// Speaks for people who signed in at the gate.
#[async_trait]
pub trait Vouches: Send + Sync {
    /// Who a person is.
    ///
    /// # Errors
    /// [`VouchError`].
    async fn identity(&self, user: &UserId) -> Result<Identity, VouchError>;

    /// What their identity provider asserts of a person for the authorization server `audience`, so that it lets them use
    /// `resource` (identity assertion authorization grant, ID-JAG).
    ///
    /// # Errors
    /// [`VouchError`].
    async fn assertion(
        &self,
        user: &UserId,
        audience: &str,
        resource: &str,
        scope: &str,
    ) -> Result<Secret<String>, VouchError>;
}
