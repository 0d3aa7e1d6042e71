//! What can be remembered of an answer.
//!
//! Most policies look at who asks for what through which endpoint, and no further. Their part of the answer is the
//! same until the revision changes, so it is kept, under everything it depends on. What is left for each call is the
//! policies that read arguments or the time; where there are none, the whole verdict is kept.
//!
//! An object that does not exist takes the same way and leaves the same trace as one that is hidden.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, EntityUid, EvaluationError, PolicyId as CedarId,
    PolicySet, Request, RestrictedExpression,
};
use model::{Caller, EndpointName, Object, PolicyId, Reason, Refusal, limits};
use moka::sync::Cache;

use crate::decide::Target;
use crate::entities::Cast;
use crate::shape::Fields;
use crate::slices::{Slice, Split};
use crate::{Action, Policies, Question};

/// The standings of one revision; the least used are forgotten first.
pub(crate) struct Standings(Cache<Key, Arc<Standing>>);

/// Everything that the part which is kept depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    caller: Caller,
    endpoint: EndpointName,
    action: Action,
    target: Thing,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Thing {
    Endpoint(EndpointName),
    Object(Object),
}

/// Where a caller stands before arguments and time are looked at.
pub(crate) struct Standing {
    /// The agent's part, then that of the user it acts for.
    sides: Vec<Side>,
    /// What is asked once for both, because it does not look at the principal.
    alike: Both<Vec<Arc<PolicySet>>>,
    /// The part of the context that stands still.
    context: Vec<(&'static str, EntityUid)>,
    entities: Entities,
    /// What policies that apply read of the arguments; `None` where they read nothing, or there are none.
    pub(crate) reading: Option<Reading>,
    pub(crate) reads_time: bool,
    /// The whole verdict, where no policy that applies moves.
    pub(crate) settled: Option<Result<Arc<[PolicyId]>, Refusal>>,
}

/// What is read of a tool's arguments.
pub(crate) struct Reading {
    /// Their types; `None` for a tool the vocabulary does not have, of which nothing certain can be said.
    pub(crate) fields: Option<Arc<Fields>>,
    all: bool,
    names: HashSet<String>,
}

/// One principal's part.
struct Side {
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    /// What the policies that stand still said.
    said: Both<Outcome>,
    /// Those that are still to be asked.
    moving: Both<Vec<Arc<PolicySet>>>,
}

/// The same of permits and plain forbids, and of the forbids that an obligation lifts.
#[derive(Debug, Clone, Default)]
struct Both<T> {
    hard: T,
    obligations: T,
}

/// What a set of policies says. Where one forbids, who permits is not told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) permits: BTreeSet<CedarId>,
    pub(crate) forbids: BTreeSet<CedarId>,
    pub(crate) errors: BTreeSet<(CedarId, &'static str)>,
}

/// One principal's question, ready to be put.
pub(crate) struct Asked<'a> {
    side: &'a Side,
    request: Request,
    entities: &'a Entities,
    alike: Both<Outcome>,
}

impl Standings {
    pub(crate) fn new() -> Self {
        let weigher = |key: &Key, standing: &Arc<Standing>| key.weight().saturating_add(standing.weight());
        Self(Cache::builder().max_capacity(limits::STANDINGS_BYTES_MAX).weigher(weigher).build())
    }
}

impl Policies {
    /// Where the caller stands, remembered or worked out.
    pub(crate) fn standing(&self, question: &Question<'_>) -> Result<Arc<Standing>, Refusal> {
        let key = Key::of(question);
        if let Some(standing) = self.standings.0.get(&key) {
            return Ok(standing);
        }
        let mut standing = self.stand(question)?;
        if !standing.moves() {
            let asked = standing.ask(&standing.still_context()?)?;
            let verdict = self.weigh(question, &asked);
            standing.settled = Some(verdict);
        }
        let standing = Arc::new(standing);
        self.standings.0.insert(key, Arc::clone(&standing));
        Ok(standing)
    }

    fn stand(&self, question: &Question<'_>) -> Result<Standing, Refusal> {
        let cast = self.names.cast(question).map_err(|error| broken(&error))?;
        let context = [("endpoint", cast.endpoint.clone()), ("agent", cast.agent.clone())];
        let context = context.into_iter().chain(cast.user.iter().map(|user| ("user", user.clone()))).collect();
        let mut standing = Standing {
            sides: Vec::new(),
            alike: Both::default(),
            context,
            entities: cast.all.clone(),
            reading: None,
            reads_time: false,
            settled: None,
        };
        let user = cast.user.as_ref().map(|user| (user.clone(), cast.user_scopes(user)));
        for (principal, scopes) in [(cast.agent.clone(), cast.agent_scopes())].into_iter().chain(user) {
            let slices = self.slices.find(&scopes, question.action, &cast.resource_scopes());
            let side = standing.side(&cast, principal, &slices)?;
            standing.sides.push(side);
            // INVARIANT: these are filed under no principal, so both principals lead to the same ones.
            standing.alike = Both::of(&slices, |split| &split.alike);
        }
        self.note_reads(question, &mut standing);
        Ok(standing)
    }

    /// Notes what the policies that are still to be asked read.
    fn note_reads(&self, question: &Question<'_>, standing: &mut Standing) {
        let (mut all, mut names, mut time) = (false, HashSet::new(), false);
        for known in standing.moving().filter_map(|id| self.known.get(id)) {
            all |= known.reads.all_arguments;
            time |= known.reads.time;
            names.extend(known.reads.arguments.iter().filter_map(|path| path.first().cloned()));
        }
        standing.reads_time = time;
        if let (Action::Call, Target::Object(Object::Tool { server, name })) = (question.action, question.target)
            && (all || !names.is_empty())
        {
            let fields = self.shapes.get(server).and_then(|tools| tools.get(name)).cloned();
            standing.reading = Some(Reading { fields, all, names });
        }
    }
}

impl Standing {
    fn side(&self, cast: &Cast, principal: EntityUid, slices: &[Arc<Slice>]) -> Result<Side, Refusal> {
        let request = request(&principal, &cast.action, &cast.resource, self.still_context()?)?;
        let mut said = Both::<Outcome>::default();
        for slice in slices {
            said.hard.add(&slice.hard.still, &request, &self.entities);
            said.obligations.add(&slice.obligations.still, &request, &self.entities);
        }
        let moving = Both::of(slices, |split| &split.moving);
        Ok(Side { principal, action: cast.action.clone(), resource: cast.resource.clone(), said, moving })
    }

    /// Every policy that is still to be asked.
    pub(crate) fn moving(&self) -> impl Iterator<Item = &CedarId> {
        let parts = self.sides.iter().map(|side| &side.moving).chain([&self.alike]);
        let sets = parts.flat_map(|part| part.hard.iter().chain(&part.obligations));
        sets.flat_map(|set| set.policies()).map(cedar_policy::Policy::id)
    }

    fn moves(&self) -> bool {
        self.moving().next().is_some()
    }

    fn still_context(&self) -> Result<Context, Refusal> {
        self.context_with([])
    }

    /// The context, with what moves.
    pub(crate) fn context_with(
        &self,
        more: impl IntoIterator<Item = (&'static str, RestrictedExpression)>,
    ) -> Result<Context, Refusal> {
        let still = self.context.iter().map(|(name, uid)| (*name, RestrictedExpression::new_entity_uid(uid.clone())));
        let pairs = still.chain(more).map(|(name, value)| (name.to_owned(), value));
        // Cedar's own text may hold a caller's values, so it is not passed on.
        Context::from_pairs(pairs).map_err(|_| Refusal::new(Reason::PolicyError, "the context could not be built"))
    }

    /// The question, once for each principal.
    pub(crate) fn ask(&self, context: &Context) -> Result<Vec<Asked<'_>>, Refusal> {
        let mut asked: Vec<Asked<'_>> = Vec::with_capacity(self.sides.len());
        for side in &self.sides {
            let request = request(&side.principal, &side.action, &side.resource, context.clone())?;
            let alike = match asked.first() {
                Some(first) => first.alike.clone(),
                None => self.alike.ask(&request, &self.entities),
            };
            asked.push(Asked { side, request, entities: &self.entities, alike });
        }
        Ok(asked)
    }

    fn weight(&self) -> u32 {
        const BASE_BYTES: u32 = 1024;
        const MOVING_BYTES: u32 = 64;
        let moving = u32::try_from(self.moving().count()).unwrap_or(u32::MAX);
        BASE_BYTES.saturating_add(moving.saturating_mul(MOVING_BYTES))
    }
}

impl Reading {
    /// Whether a policy that applies reads the argument of this name.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}

impl Asked<'_> {
    pub(crate) fn principal(&self) -> &EntityUid {
        &self.side.principal
    }

    pub(crate) fn resource(&self) -> &EntityUid {
        &self.side.resource
    }

    /// What permits and plain forbids say.
    pub(crate) fn hard(&self) -> Outcome {
        self.answer(&self.side.said.hard, &self.side.moving.hard, &self.alike.hard)
    }

    /// What the forbids that an obligation lifts say.
    pub(crate) fn obligations(&self) -> Outcome {
        self.answer(&self.side.said.obligations, &self.side.moving.obligations, &self.alike.obligations)
    }

    fn answer(&self, said: &Outcome, moving: &[Arc<PolicySet>], alike: &Outcome) -> Outcome {
        let mut outcome = said.clone();
        outcome.permits.extend(alike.permits.iter().cloned());
        outcome.forbids.extend(alike.forbids.iter().cloned());
        outcome.errors.extend(alike.errors.iter().cloned());
        for set in moving {
            outcome.add(set, &self.request, self.entities);
        }
        outcome
    }
}

impl Both<Vec<Arc<PolicySet>>> {
    /// One part of every slice, where it is not empty.
    fn of(slices: &[Arc<Slice>], part: impl Fn(&Split) -> &Arc<PolicySet>) -> Self {
        let gather = |split: fn(&Slice) -> &Split| {
            let parts = slices.iter().map(|slice| part(split(slice)));
            parts.filter(|set| !set.is_empty()).map(Arc::clone).collect()
        };
        Self { hard: gather(|slice| &slice.hard), obligations: gather(|slice| &slice.obligations) }
    }

    fn ask(&self, request: &Request, entities: &Entities) -> Both<Outcome> {
        let mut said = Both::<Outcome>::default();
        self.hard.iter().for_each(|set| said.hard.add(set, request, entities));
        self.obligations.iter().for_each(|set| said.obligations.add(set, request, entities));
        said
    }
}

impl Outcome {
    /// Adds what one more set says.
    pub(crate) fn add(&mut self, set: &PolicySet, request: &Request, entities: &Entities) {
        if set.is_empty() {
            return;
        }
        let response = Authorizer::new().is_authorized(request, set, entities);
        let deciding = response.diagnostics().reason().cloned();
        match response.decision() {
            Decision::Allow => self.permits.extend(deciding),
            Decision::Deny => self.forbids.extend(deciding),
        }
        for error in response.diagnostics().errors() {
            match error {
                AuthorizationError::PolicyEvaluationError(error) => {
                    self.errors.insert((error.policy_id().clone(), in_words(error.inner())));
                }
            }
        }
    }
}

/// An evaluation error without the values in it, which may be a caller's.
fn in_words(error: &EvaluationError) -> &'static str {
    match error {
        EvaluationError::EntityDoesNotExist(_) => "it asks for an entity that is not there",
        EvaluationError::EntityAttrDoesNotExist(_) => "it asks for an attribute that an entity does not have",
        EvaluationError::RecordAttrDoesNotExist(_) => "it asks for an attribute that is absent",
        EvaluationError::TypeError(_) => "a value is of another type than it expects",
        EvaluationError::IntegerOverflow(_) => "a whole number grows beyond 64 bits",
        EvaluationError::FailedExtensionFunctionExecution(_) => {
            "a text is not what `decimal`, `datetime` or `ip` takes"
        }
        EvaluationError::RecursionLimit(_) => "it nests too deeply",
        EvaluationError::FailedExtensionFunctionLookup(_)
        | EvaluationError::WrongNumArguments(_)
        | EvaluationError::UnlinkedSlot(_)
        | EvaluationError::NonValue(_) => "it does not evaluate",
        // Cedar's enum may grow.
        #[expect(unreachable_patterns, reason = "the enum is not exhaustive with other features of Cedar")]
        _ => "it does not evaluate",
    }
}

fn request(
    principal: &EntityUid,
    action: &EntityUid,
    resource: &EntityUid,
    context: Context,
) -> Result<Request, Refusal> {
    Request::new(principal.clone(), action.clone(), resource.clone(), context, None).map_err(|error| broken(&error))
}

fn broken(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(Reason::PolicyError, format!("the question could not be put: {error}"))
}

impl Key {
    fn of(question: &Question<'_>) -> Self {
        let target = match question.target {
            Target::Endpoint(name) => Thing::Endpoint(name.clone()),
            Target::Object(object) => Thing::Object(object.clone()),
        };
        Self { caller: question.caller.clone(), endpoint: question.endpoint.clone(), action: question.action, target }
    }

    fn weight(&self) -> u32 {
        const GROUP_BYTES: usize = 128;
        let named = match &self.target {
            Thing::Endpoint(name) => name.as_str().len(),
            Thing::Object(object) => object.name().len(),
        };
        // The name is held three times: in the key, as an entity, and in the question.
        let bytes = named.saturating_mul(3).saturating_add(self.caller.groups().len().saturating_mul(GROUP_BYTES));
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}
