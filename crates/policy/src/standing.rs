//! What can be remembered of an answer.
//!
//! Most policies look at who asks for what through which endpoint, and no further. Their part of the answer is the
//! same until the revision changes, so it is kept, under everything it depends on. What is left for each call is the
//! policies that read arguments or the time; where there are none, the whole verdict is kept, and where there are only
//! forbids, the verdict that stands while none of them says anything.
//!
//! An object that does not exist takes the same way and leaves the same trace as one that is hidden.

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy::{Context, Entities, EntityUid, PolicyId as CedarId, Request};
use model::{Caller, EndpointName, Object, PolicyId, Refusal, Timestamp};

use crate::decide::{Foreseen, Target};
use crate::entities::Thing;
use crate::moving::Moving;
use crate::outcome::Outcome;
use crate::scene::{Attribute, Scene, context, unput};
use crate::shape::Fields;
use crate::slices::{Slice, Split};
use crate::{Action, Policies, Question};

/// Where a caller stands before arguments and time are looked at.
pub(crate) struct Standing {
    /// The agent's part, then those of the agents it came through, then that of the user it acts for.
    sides: Vec<Side>,
    /// What is asked once for both, because it does not look at the principal.
    alike: Both<Vec<Arc<Moving>>>,
    /// The part of the context that stands still.
    context: Arc<[Attribute]>,
    entities: Arc<Entities>,
    /// What policies that apply read of the arguments; `None` where they read nothing, or there are none.
    pub(crate) reading: Option<Reading>,
    pub(crate) reads_time: bool,
    pub(crate) reads_findings: bool,
    reads_surroundings: bool,
    /// Whether any policy is still to be asked.
    moves: bool,
    /// The verdict if no policy that moves says anything; `None` where one of them permits, for then silence is rare.
    otherwise: Option<Verdict>,
}

/// The policies that permit, or the refusal.
pub(crate) type Verdict = Result<Arc<[PolicyId]>, Refusal>;

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
    moving: Both<Vec<Arc<Moving>>>,
}

/// The same of permits and plain forbids, and of the forbids that an obligation lifts.
#[derive(Debug, Clone, Default)]
struct Both<T> {
    hard: T,
    obligations: T,
}

/// What one principal's question was answered.
pub(crate) struct Asked<'a> {
    side: &'a Side,
    said: Both<Outcome>,
}

impl Policies {
    /// Where the caller stands, remembered or worked out.
    pub(crate) fn standing(&self, question: &Question<'_>) -> Result<Arc<Standing>, Refusal> {
        if let Some(standing) = self.standings.get(question) {
            return Ok(standing);
        }
        let standing = Arc::new(self.work_out(question)?);
        self.standings.insert(question, &standing);
        Ok(standing)
    }

    /// What the answer to a question is for as long as the revision stays. It is not remembered here.
    pub fn foresee(&self, question: &Question<'_>) -> Foreseen {
        if !question.action.is_asked_of(question.target) {
            return Foreseen::Refused;
        }
        let remembered = self.standings.get(question);
        foreseen(remembered.map_or_else(|| self.work_out(question).map(Arc::new), Ok).as_deref())
    }

    /// The same of each of many objects, in their order. What the questions have in common is worked out once.
    ///
    /// The answers are for the asker to remember: here they would put everything else out of what is remembered.
    pub fn foresee_each(
        &self,
        action: Action,
        caller: &Caller,
        endpoint: &EndpointName,
        objects: &[Object],
    ) -> Vec<Foreseen> {
        let things: Vec<Thing> = objects.iter().map(|object| self.thing(Target::Object(object))).collect();
        let Ok(scene) = self.scene(action, caller, endpoint, &things) else {
            // A question that cannot be put is refused each time.
            return vec![Foreseen::Refused; objects.len()];
        };
        let each = objects.iter().zip(&things).map(|(object, thing)| {
            let target = Target::Object(object);
            // Nothing of it is asked about the time or arguments here, so none is given.
            let question =
                Question { action, caller, endpoint, target, arguments: None, findings: None, now: Timestamp(0) };
            match action.is_asked_of(target) {
                true => foreseen(self.work_out_in(&scene, thing, &question).as_ref()),
                false => Foreseen::Refused,
            }
        });
        each.collect()
    }

    /// What a question is about, with what is known of it.
    fn thing(&self, target: Target<'_>) -> Thing {
        let classes = match target {
            Target::Object(Object::Tool { server, name }) => self.classes.get(server).and_then(|tools| tools.get(name)),
            Target::Object(_) | Target::Endpoint(_) => None,
        };
        self.names.thing(target, classes.map(Vec::as_slice).unwrap_or_default())
    }

    fn work_out(&self, question: &Question<'_>) -> Result<Standing, Refusal> {
        let thing = [self.thing(question.target)];
        let scene = self.scene(question.action, question.caller, question.endpoint, &thing)?;
        let [thing] = &thing;
        self.work_out_in(&scene, thing, question)
    }

    fn work_out_in(&self, scene: &Scene, thing: &Thing, question: &Question<'_>) -> Result<Standing, Refusal> {
        let mut standing = self.stand(scene, thing, question)?;
        let moves = standing.parts().next().is_some();
        standing.moves = moves;
        if !standing.parts().any(|moving| moving.permits()) {
            let verdict = self.weigh(question, &standing.ask_still());
            standing.otherwise = Some(verdict);
        }
        Ok(standing)
    }

    fn stand(&self, scene: &Scene, thing: &Thing, question: &Question<'_>) -> Result<Standing, Refusal> {
        let mut standing = Standing {
            sides: Vec::new(),
            alike: Both::default(),
            context: Arc::clone(&scene.attributes),
            entities: Arc::clone(&scene.entities),
            reading: None,
            reads_time: false,
            reads_findings: false,
            reads_surroundings: false,
            moves: false,
            otherwise: None,
        };
        let resource_scopes = thing.scopes();
        for (principal, scopes) in &scene.principals {
            let slices = self.slices.find(scopes, question.action, &resource_scopes);
            let request = request(principal, &scene.cast.action, &thing.resource, scene.context.clone())?;
            // INVARIANT: these are filed under no principal, so both principals lead to the same ones.
            standing.alike = Both::of(&slices, |split| &split.alike, &request, &standing.entities)?;
            let side = standing.side(&request, &slices)?;
            standing.sides.push(side);
        }
        self.note_reads(question, &mut standing);
        Ok(standing)
    }

    /// Notes what the policies that are still to be asked read.
    fn note_reads(&self, question: &Question<'_>, standing: &mut Standing) {
        let (mut all, mut names, mut time, mut surroundings) = (false, HashSet::new(), false, false);
        let mut findings = false;
        for known in standing.moving().filter_map(|id| self.known.get(id)) {
            all |= known.reads.all_arguments;
            time |= known.reads.time;
            findings |= known.reads.findings;
            surroundings |= known.reads.surroundings;
            names.extend(known.reads.arguments.iter().filter_map(|path| path.first().cloned()));
        }
        (standing.reads_time, standing.reads_surroundings) = (time, surroundings);
        standing.reads_findings = findings;
        if let (Action::Call, Target::Object(Object::Tool { server, name })) = (question.action, question.target)
            && (all || !names.is_empty())
        {
            let fields = self.shapes.get(server).and_then(|tools| tools.get(name)).cloned();
            standing.reading = Some(Reading { fields, all, names });
        }
    }
}

impl Standing {
    fn side(&self, request: &Request, slices: &[Arc<Slice>]) -> Result<Side, Refusal> {
        let mut said = Both::<Outcome>::default();
        for slice in slices {
            said.hard.add(&slice.hard.still, request, &self.entities);
            said.obligations.add(&slice.obligations.still, request, &self.entities);
        }
        let moving = Both::of(slices, |split| &split.moving, request, &self.entities)?;
        let known = |uid: Option<&EntityUid>| uid.cloned().ok_or_else(|| unput(&"a part of it is unknown"));
        let (principal, action, resource) = (request.principal(), request.action(), request.resource());
        let (principal, action, resource) = (known(principal)?, known(action)?, known(resource)?);
        Ok(Side { principal, action, resource, said, moving })
    }

    /// Every policy that is still to be asked.
    pub(crate) fn moving(&self) -> impl Iterator<Item = &CedarId> {
        self.parts().flat_map(|moving| moving.each().policies()).map(cedar_policy::Policy::id)
    }

    fn parts(&self) -> impl Iterator<Item = &Arc<Moving>> {
        self.sides.iter().map(|side| &side.moving).chain([&self.alike]).flat_map(Both::parts)
    }

    /// The whole verdict, where no policy that applies moves.
    pub(crate) fn settled(&self) -> Option<&Verdict> {
        self.otherwise.as_ref().filter(|_| !self.moves)
    }

    /// The verdict, where all policies that move turn out to say nothing.
    pub(crate) fn unless_spoken(&self, context: &Context) -> Result<Option<&Verdict>, Refusal> {
        let Some(otherwise) = &self.otherwise else { return Ok(None) };
        let mut alike = Some(&self.alike);
        for side in &self.sides {
            let mut parts = alike.take().into_iter().chain([&side.moving]).flat_map(Both::parts).peekable();
            if parts.peek().is_none() {
                continue;
            }
            let request = request(&side.principal, &side.action, &side.resource, context.clone())?;
            if !parts.all(|moving| moving.is_silent(&request, &self.entities)) {
                return Ok(None);
            }
        }
        Ok(Some(otherwise))
    }

    /// The context with what moves, as far as it is read.
    pub(crate) fn context_with(&self, moving: impl IntoIterator<Item = Attribute>) -> Result<Context, Refusal> {
        let still = self.reads_surroundings.then(|| self.context.iter().cloned());
        context(still.into_iter().flatten().chain(moving))
    }

    /// The answers to the question, put once for each principal.
    pub(crate) fn ask(&self, context: &Context) -> Result<Vec<Asked<'_>>, Refusal> {
        let mut alike = None;
        let each = self.sides.iter().map(|side| {
            let request = request(&side.principal, &side.action, &side.resource, context.clone())?;
            let alike = alike.get_or_insert_with(|| self.alike.ask(&request, &self.entities));
            let moving = side.moving.ask(&request, &self.entities);
            Ok(Asked { side, said: [&*alike, &moving].into_iter().fold(side.said.clone(), Both::and) })
        });
        each.collect()
    }

    /// The answers of those that stand still alone.
    fn ask_still(&self) -> Vec<Asked<'_>> {
        self.sides.iter().map(|side| Asked { side, said: side.said.clone() }).collect()
    }

    /// The memory it takes, in bytes, estimated.
    pub(crate) fn weight(&self) -> u32 {
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
    pub(crate) fn hard(&self) -> &Outcome {
        &self.said.hard
    }

    /// What the forbids that an obligation lifts say.
    pub(crate) fn obligations(&self) -> &Outcome {
        &self.said.obligations
    }
}

impl Both<Vec<Arc<Moving>>> {
    /// One part of every slice, as far as its scope lets it apply.
    fn of(
        slices: &[Arc<Slice>],
        part: impl Fn(&Split) -> &Vec<Arc<Moving>>,
        request: &Request,
        entities: &Entities,
    ) -> Result<Self, Refusal> {
        let gather = |split: fn(&Slice) -> &Split| {
            let mut gathered = Vec::new();
            for moving in slices.iter().flat_map(|slice| part(split(slice))) {
                if moving.applies(request, entities).map_err(|error| unput(&error))? {
                    gathered.push(Arc::clone(moving));
                }
            }
            Ok(gathered)
        };
        Ok(Self { hard: gather(|slice| &slice.hard)?, obligations: gather(|slice| &slice.obligations)? })
    }

    fn parts(&self) -> impl Iterator<Item = &Arc<Moving>> {
        self.hard.iter().chain(&self.obligations)
    }

    fn ask(&self, request: &Request, entities: &Entities) -> Both<Outcome> {
        let ask = |parts: &[Arc<Moving>]| {
            let mut said = Outcome::default();
            for moving in parts.iter().filter(|moving| !moving.is_silent(request, entities)) {
                said.add(moving.each(), request, entities);
            }
            said
        };
        Both { hard: ask(&self.hard), obligations: ask(&self.obligations) }
    }
}

impl Both<Outcome> {
    fn and(mut self, more: &Self) -> Self {
        self.hard.extend(&more.hard);
        self.obligations.extend(&more.obligations);
        self
    }
}

fn foreseen(standing: Result<&Standing, &Refusal>) -> Foreseen {
    match standing.map(Standing::settled) {
        Ok(Some(Ok(_))) => Foreseen::Permitted,
        Ok(None) => Foreseen::Depends,
        // A question that cannot be put is refused each time.
        Ok(Some(Err(_))) | Err(_) => Foreseen::Refused,
    }
}

fn request(
    principal: &EntityUid,
    action: &EntityUid,
    resource: &EntityUid,
    context: Context,
) -> Result<Request, Refusal> {
    Request::new(principal.clone(), action.clone(), resource.clone(), context, None).map_err(|error| unput(&error))
}
