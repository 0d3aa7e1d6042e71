//! Who calls? Every request is asked anew; nothing but its token answers.
//!
//! A token is one of the settings' development tokens, or one that a configured issuer gave to a registered agent.

use std::sync::Arc;

use bytes::Bytes;
use flow::Beginning;
use http::HeaderValue;
use http::header::USER_AGENT;
use http::request::Parts;
use identity::DevelopmentTokens;
use identity::resource_server::{Asked, ResourceServer};
use model::{Assurance, Caller, Changed, EndpointName, Reason, Refusal, Timestamp};

use crate::gate::Gate;
use crate::peer::Peer;

/// Whose tokens are taken.
pub struct Callers {
    /// Those of one machine; none where a listener is not on loopback.
    pub development: Arc<DevelopmentTokens>,
    /// Those of issuers, if settings say where agents reach the gate.
    pub server: Option<Arc<ResourceServer>>,
}

/// A caller that proved who it is.
pub(crate) struct Known {
    /// The agent, with the user it acts for.
    pub(crate) caller: Arc<Caller>,
    /// How its sign-in began, where that was looked up.
    pub(crate) begun: Option<Arc<Beginning>>,
}

/// Finds the caller whose token the request carries. A certificate alone is nobody: it is what some tokens count with.
pub(crate) async fn run(
    gate: &Gate,
    head: &Parts,
    peer: &Peer,
    endpoint: &EndpointName,
    now: Timestamp,
) -> Result<Known, Refusal> {
    // Held over a wait, so not by a guard.
    let front = gate.front.load_full();
    let Callers { development, server } = &front.callers;
    let refusal = match development.authenticate(&head.headers) {
        Ok(caller) => return Ok(Known::compared(caller, gate, head, peer, now)),
        Err(refusal) => refusal,
    };
    let Some(server) = server else { return Err(refusal) };
    let (method, path) = (head.method.as_str(), head.uri.path());
    let certificate = peer.certificate.as_deref();
    let asked = Asked { method, path, headers: &head.headers, endpoint, certificate };
    let caller = server.authenticate(asked, &gate.snapshots.load().agents).await?;
    Ok(Known::compared(caller, gate, head, peer, now))
}

impl Known {
    /// A caller whom an earlier message proved.
    pub(crate) fn again(caller: &Arc<Caller>) -> Self {
        Self { caller: Arc::clone(caller), begun: None }
    }

    /// A caller, told in what its message differs from the first one of its sign-in.
    fn compared(caller: Arc<Caller>, gate: &Gate, head: &Parts, peer: &Peer, now: Timestamp) -> Self {
        let software = head.headers.get(USER_AGENT).map(HeaderValue::as_bytes);
        let (changed, begun) = gate.signals.compare(&caller, peer.address, software, now);
        Self { caller, begun: Some(begun) }.differing(changed)
    }

    /// The same, once the message told what software sends it.
    pub(crate) fn introduced(self, gate: &Gate, client_info: Option<&Bytes>) -> Self {
        let Some(said) = client_info else { return self };
        let begun = self.begun.clone().or_else(|| gate.signals.beginning(&self.caller));
        let changed = begun.map(|begun| gate.signals.introduce(&begun, said)).unwrap_or_default();
        self.differing(changed)
    }

    fn differing(self, changed: Changed) -> Self {
        let before = self.caller.authentication.changed;
        let changed = before.and(changed);
        // Nothing is copied for those who come as they always do.
        if changed == before {
            return self;
        }
        Self { caller: Arc::new((*self.caller).clone().differing(changed)), ..self }
    }
}

/// Whether the caller may go on with what it has open: it is still somebody, and its token has not ended.
pub(crate) fn again(gate: &Gate, caller: &Caller) -> Result<(), Refusal> {
    if caller.authentication.ends.is_over(gate.clock.now()) {
        return Err(Refusal::new(Reason::Unauthenticated, "the caller's token has ended"));
    }
    still(gate, caller)
}

/// Whether the caller is still somebody, for answers that a change of settings or of the state overtook. That its token ended
/// meanwhile takes nothing from the answer to a request that came with it in time.
pub(crate) fn still(gate: &Gate, caller: &Caller) -> Result<(), Refusal> {
    let Callers { development, server } = &gate.front.load().callers;
    if caller.assurance == Assurance::Development {
        let known = development.knows(caller);
        return if known { Ok(()) } else { Err(gone("the caller's token was taken away")) };
    }
    if server.as_ref().is_some_and(|server| server.has_revoked(&caller.authentication)) {
        return Err(gone("the caller's sign-in was ended"));
    }
    let issuer = caller.authentication.issuer.as_deref();
    if !server.as_ref().is_some_and(|server| issuer.is_some_and(|issuer| server.takes(issuer))) {
        return Err(gone("the tokens of the caller's issuer are not taken any more"));
    }
    let agents = &gate.snapshots.load().agents;
    if !agents.knows(&caller.agent.id, caller.agent.kind) {
        return Err(gone("the caller is no registered agent any more"));
    }
    Ok(())
}

fn gone(detail: &str) -> Refusal {
    Refusal::new(Reason::Unauthenticated, detail)
}
