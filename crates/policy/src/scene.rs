//! What questions have in common.
//!
//! A list asks one thing of thousands of objects. Who asks, through what and with which token is the same each time, and making
//! Cedar's entities and context of it takes longer than the answers, so it is done once for all of them.

use std::sync::Arc;

use cedar_policy::{Context, Entities, EntityUid, RestrictedExpression};
use model::{Authentication, Caller, EndpointName, Reason, Refusal};

use crate::decide::instant;
use crate::entities::{Cast, Thing};
use crate::slices::Scope;
use crate::{Action, Policies};

/// One attribute of the context.
pub(crate) type Attribute = (&'static str, RestrictedExpression);

/// What questions of one caller, for one action and through one endpoint, have in common, worked out once for all of them.
pub(crate) struct Scene {
    pub(crate) cast: Cast,
    /// The principals, each with where policies about it are filed.
    pub(crate) principals: Vec<(EntityUid, Vec<Scope>)>,
    pub(crate) attributes: Arc<[Attribute]>,
    pub(crate) context: Context,
    pub(crate) entities: Arc<Entities>,
}

impl Policies {
    /// The scene of questions about these things.
    pub(crate) fn scene(
        &self,
        action: Action,
        caller: &Caller,
        endpoint: &EndpointName,
        things: &[Thing],
    ) -> Result<Scene, Refusal> {
        let cast = self.names.cast(action, caller, endpoint);
        let entities = self.names.entities(&cast, caller, action, things).map_err(|error| unput(&error))?;
        let attributes: Arc<[Attribute]> = surroundings(&cast, &caller.authentication)?.into();
        let user = cast.user.iter().map(|user| (user.clone(), cast.user_scopes(user)));
        let agents = std::iter::once(&cast.agent).chain(&cast.actors);
        let agents = agents.map(|agent| (agent.clone(), Cast::agent_scopes(agent)));
        let principals = agents.chain(user).collect();
        let context = context(attributes.iter().cloned())?;
        Ok(Scene { cast, principals, attributes, context, entities: Arc::new(entities) })
    }
}

/// The part of the context that stands still: who asks, through what, and what their token says.
fn surroundings(cast: &Cast, told: &Authentication) -> Result<Vec<Attribute>, Refusal> {
    let entity = |uid: &EntityUid| RestrictedExpression::new_entity_uid(uid.clone());
    let text = |text: &Arc<str>| RestrictedExpression::new_string(text.as_ref().to_owned());
    let set = |texts: &[Arc<str>]| RestrictedExpression::new_set(texts.iter().map(text));
    let mut context = vec![("endpoint", entity(&cast.endpoint)), ("agent", entity(&cast.agent))];
    context.extend(cast.user.iter().map(|user| ("user", entity(user))));
    context.extend(told.issuer.iter().map(|issuer| ("issuer", text(issuer))));
    context.extend(told.acr.iter().map(|acr| ("acr", text(acr))));
    context.extend([("amr", set(&told.amr)), ("scopes", set(&told.scopes))]);
    context.push(("session", session(told)?));
    if let Some(signed_in) = told.signed_in {
        context.push(("signed_in", instant(signed_in)?));
    }
    Ok(context)
}

/// What hangs on the session: in what the message differs from the first one of its sign-in.
fn session(told: &Authentication) -> Result<RestrictedExpression, Refusal> {
    let signals = told.changed.signals().map(|signal| RestrictedExpression::new_string(signal.as_str().to_owned()));
    let changed = RestrictedExpression::new_set(signals);
    RestrictedExpression::new_record([("changed".to_owned(), changed)]).map_err(|error| unput(&error))
}

/// A context of these attributes.
pub(crate) fn context(pairs: impl Iterator<Item = Attribute>) -> Result<Context, Refusal> {
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    // Cedar's own text may hold a caller's values, so it is not passed on.
    Context::from_pairs(pairs).map_err(|_| Refusal::new(Reason::PolicyError, "the context could not be built"))
}

/// Why a question has no answer: nothing a caller sends can bring it about.
pub(crate) fn unput(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(Reason::PolicyError, format!("the question could not be put: {error}"))
}
