//! What a person agreed to in a browser: kept in the vault, renewed before it ends, and used for nothing else than was approved.

use model::{Secret, Timestamp, limits};

use super::keeper::{Opened, place};
use super::slot::{Held, Slot};
use super::token::{self, Tokens};
use super::{About, Holder, KeepError, Outgoing, OutgoingError, Source, client, discovery};
use crate::secrets::opened;

impl Outgoing {
    /// What a person agreed to, renewed if its time is nearly over.
    pub(super) async fn agreed_to(&self, source: &Source, holder: &Holder, slot: &Slot) -> Result<Held, OutgoingError> {
        let missing = |why| OutgoingError::NotConnected { server: source.server.clone(), holder: holder.clone(), why };
        let place = place(&source.server, holder);
        let kept = self.keeper.read(&place).await?.ok_or_else(|| missing("nobody has connected it yet"))?;
        let about = About::read(&kept.about).ok_or(KeepError::Unreadable)?;
        if about.url != source.url.as_str() {
            return Err(missing("it was connected at another address"));
        }
        if source.issuer.as_ref().is_some_and(|issuer| *issuer != about.issuer) {
            return Err(missing("it was connected at another authorization server"));
        }
        slot.asked_for(&about.requested.join(" "));
        self.scopes.granted(&source.server, &about.granted, about.obtained);
        if !source.scopes.is_empty() && about.granted.iter().any(|scope| !source.approves(scope)) {
            return Err(missing("more was agreed to than is approved now"));
        }
        let noted = slot.noted();
        if noted.wanted.iter().any(|scope| !about.requested.contains(scope)) {
            return Err(missing("it asks for more than was agreed to"));
        }
        let now = self.clock.now();
        let Opened { first: Some(access), second: refresh, written, .. } = kept else {
            return Err(KeepError::Unreadable.into());
        };
        // A token that the server refused may be newer here than the one that it refused.
        let in_doubt = noted.doubted.is_some_and(|doubted| doubted >= about.obtained);
        if !in_doubt && about.renew_at().is_none_or(|renew_at| now < renew_at) {
            return Ok(Held::new(&access, about.renew_at(), about.obtained)?);
        }
        let Some(refresh) = refresh else {
            return match about.expires {
                Some(expires) if !in_doubt && now < expires => Ok(Held::new(&access, Some(expires), about.obtained)?),
                Some(_) | None => Err(missing("what was agreed to is over")),
            };
        };
        match self.refreshed(source, &about, &refresh, now).await {
            Ok(tokens) => {
                let next = about.renewed(&tokens, now);
                let second = tokens.refresh.as_ref().unwrap_or(&refresh);
                let stays =
                    self.keeper.renew(place, &next.write(), (&tokens.access, Some(second)), &written, now).await?;
                if !stays {
                    return Err(missing("it was disconnected"));
                }
                Ok(Held::new(&tokens.access, next.renew_at(), next.obtained)?)
            }
            Err(OutgoingError::Token(error)) if error.is_final() => {
                Err(missing("the authorization server takes it back"))
            }
            Err(error) => match about.expires {
                // The authorization server is away for a while; the token is still good.
                Some(expires) if !in_doubt && now < expires => {
                    tracing::warn!(server = %source.server, error = %model::with_causes(&error), "a token could not be renewed yet");
                    let again = Timestamp(now.0.saturating_add(limits::CREDENTIAL_RETRY_MILLISECONDS)).min(expires);
                    Ok(Held::new(&access, Some(again), about.obtained)?)
                }
                Some(_) | None => Err(error),
            },
        }
    }

    async fn refreshed(
        &self,
        source: &Source,
        about: &About,
        refresh: &Secret<String>,
        now: Timestamp,
    ) -> Result<Tokens, OutgoingError> {
        let issuer = discovery::issuer(&*source.to_issuer, &about.issuer).await?;
        let client = client::of(source, &issuer, &self.presence, &self.keeper, now).await?;
        if client.id != about.client {
            return Err(OutgoingError::Unsafe("the token was given to another client than the gate is now"));
        }
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", opened(refresh).as_str()),
            ("resource", about.resource.as_str()),
        ];
        Ok(token::ask(&*source.to_issuer, &issuer, &client, &form, now).await?)
    }
}
