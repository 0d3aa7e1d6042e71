//! The provider's own word of who somebody is, and what it says with it to others.

use model::{Secret, Timestamp};

use super::{Relying, RelyingError};
use crate::jwt::Claims;
use crate::secrets::opened_text as opened;

/// What a provider asserts of a user for another authorization server.
const ASSERTION: &str = "urn:ietf:params:oauth:token-type:id-jag";

/// The provider's own word of who somebody is: an ID token for the gate.
pub struct Word {
    /// The token. It is shown to the provider alone.
    pub token: Secret<String>,
    /// When it is over.
    pub expires: Timestamp,
}

impl Word {
    pub(super) fn of(token: &Secret<String>, claims: &Claims) -> Self {
        let expires = Timestamp(claims.seconds("exp").unwrap_or_default().saturating_mul(1_000));
        Self { token: Secret::new(opened(token).to_owned()), expires }
    }
}

impl Relying {
    /// Has the provider assert for another authorization server who the person of its own word is, so that it lets them use a
    /// resource: an identity assertion authorization grant (ID-JAG; RFC 8693).
    ///
    /// # Errors
    /// When it cannot be asked, or does not.
    pub(crate) async fn assertion(
        &self,
        word: &Secret<String>,
        audience: &str,
        resource: &str,
        scope: &str,
    ) -> Result<Secret<String>, RelyingError> {
        let metadata = self.metadata().await?;
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", ASSERTION),
            ("audience", audience),
            ("resource", resource),
            ("subject_token", opened(word)),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ];
        if !scope.is_empty() {
            form.push(("scope", scope));
        }
        let answer = self.ask(&metadata, &form).await?;
        if answer.issued.as_deref() != Some(ASSERTION) {
            return Err(RelyingError::Answer("it issued no identity assertion"));
        }
        Ok(answer.access)
    }
}
