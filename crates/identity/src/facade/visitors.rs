//! People at the gate's own pages: they sign in at the identity provider as for an application, and are known to these pages
//! for some minutes.
//!
//! Nothing is kept of them here. On the way to the provider the browser carries a cookie of the [`Trip`]; afterwards, one with
//! who it is. Both are sealed, and the second takes the place of the first, so that an attempt ends once in the browser that
//! began it.

use bytes::Bytes;
use http::{Response, StatusCode};
use model::{Timestamp, UserId, limits};
use serde::{Deserialize, Serialize};

use super::Facade;
use super::answer::Wrong;
use crate::relying::Wishes;
use crate::relying::trip::{Trip, TripError, sealed, unsealed};
use crate::site::{self, Parameters, Visit};

/// The browser's cookie at these pages.
const COOKIE: &str = "__Host-portcullis-visitor";
/// What it is sealed for while somebody is on the way.
const LEAVING: &str = "visitor leaving";
/// What it is sealed for once they are back.
const HERE: &str = "visitor here";

/// Somebody who signed in.
#[derive(Serialize, Deserialize)]
struct Here {
    user: UserId,
    until: Timestamp,
}

impl Facade {
    /// The person in whose browser this is, if they signed in for these pages of late.
    pub(crate) fn visitor(&self, visit: &Visit) -> Option<UserId> {
        let here: Here = unsealed(&self.seal, HERE, visit.cookie(COOKIE)?)?;
        (self.now() < here.until).then_some(here.user)
    }

    /// Sends whoever is there to sign in, and back to the page that they opened.
    pub(crate) async fn welcome(&self, visit: &Visit) -> Response<Bytes> {
        if !self.sources.admits(visit.source, self.now()) {
            return Wrong::too_many().told();
        }
        let wishes = Wishes { acr_values: self.terms.acr_values.clone(), ..Wishes::default() };
        match trip(self).leave(&self.fresh(), &visit.path, wishes).await {
            Ok((target, cookie)) => site::with_cookie(site::redirect(target.as_str()), COOKIE, &cookie),
            Err(error) => Wrong::from(error).told(),
        }
    }
}

fn trip(facade: &Facade) -> Trip<'_> {
    Trip { relying: &facade.relying, seal: &facade.seal, purpose: LEAVING, now: facade.now() }
}

/// Takes what the provider sends back, if this browser left from one of these pages with this very `state`.
pub(super) async fn arrive(
    facade: &Facade,
    visit: &Visit,
    parameters: &Parameters,
) -> Result<Option<Response<Bytes>>, Wrong> {
    let Some(cookie) = visit.cookie(COOKIE) else { return Ok(None) };
    let Some((signed_in, to)) = trip(facade).back::<String>(cookie, parameters).await? else { return Ok(None) };
    facade.keep_word(&signed_in.person, &signed_in.word).await;
    // The name by which tokens of the façade name them to policies and receipts.
    let user = facade.named(&signed_in.person);
    let user = user.ok_or_else(|| nobody("The identity provider's name for you is none that the gate can use."))?;
    let until = Timestamp(facade.now().0.saturating_add(limits::VISITOR_MILLISECONDS_MAX));
    let cookie = sealed(&facade.seal, HERE, &Here { user, until }).ok_or(TripError::Seal)?;
    Ok(Some(site::with_cookie(site::redirect(&to), COOKIE, &cookie)))
}

fn nobody(text: &'static str) -> Wrong {
    Wrong::page(StatusCode::FORBIDDEN, "You are not signed in", text)
}
