//! The nouns of a question as Cedar's entities.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, RestrictedExpression};
use model::{AgentKind, Assurance, Caller, EndpointName, Object};

use crate::decide::Target;
use crate::slices::Scope;
use crate::{Action, Question};

/// The names of the schema's types, parsed once.
pub(crate) struct Names {
    action: EntityTypeName,
    agent: EntityTypeName,
    user: EntityTypeName,
    group: EntityTypeName,
    endpoint: EntityTypeName,
    server: EntityTypeName,
    tool: EntityTypeName,
    prompt: EntityTypeName,
    resource: EntityTypeName,
    template: EntityTypeName,
}

/// One question's entities.
pub(crate) struct Cast {
    pub(crate) agent: EntityUid,
    /// The other agents through which the call came.
    pub(crate) actors: Vec<EntityUid>,
    pub(crate) user: Option<EntityUid>,
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
    pub(crate) endpoint: EntityUid,
    groups: Vec<EntityUid>,
    server: Option<EntityUid>,
    pub(crate) all: Entities,
}

/// Why entities could not be built; nothing a caller sends can bring it about.
#[derive(Debug, thiserror::Error)]
#[error("the entities of a question could not be built")]
pub(crate) struct Unbuildable(());

impl Names {
    pub(crate) fn new() -> Result<Self, Box<ParseErrors>> {
        Ok(Self {
            action: type_name("Action")?,
            agent: type_name("Agent")?,
            user: type_name("User")?,
            group: type_name("Group")?,
            endpoint: type_name("Endpoint")?,
            server: type_name("Server")?,
            tool: type_name("Tool")?,
            prompt: type_name("Prompt")?,
            resource: type_name("Resource")?,
            template: type_name("Template")?,
        })
    }

    /// Everything a question is about.
    pub(crate) fn cast(&self, question: &Question<'_>) -> Result<Cast, Unbuildable> {
        let caller = question.caller;
        let groups = caller.groups().iter().map(|group| entity(&self.group, group.as_str())).collect();
        let (resource, server) = self.resource(question.target);
        let actors = caller.authentication.actors.iter();
        let cast = Cast {
            agent: entity(&self.agent, caller.agent.id.as_str()),
            actors: actors.map(|actor| entity(&self.agent, actor.id.as_str())).collect(),
            user: caller.user().map(|user| entity(&self.user, user.as_str())),
            action: entity(&self.action, question.action.as_str()),
            endpoint: self.endpoint(question.endpoint),
            resource,
            groups,
            server,
            all: Entities::empty(),
        };
        let all = self.store(&cast, caller, question.action).ok_or(Unbuildable(()))?;
        Ok(Cast { all, ..cast })
    }

    fn endpoint(&self, name: &EndpointName) -> EntityUid {
        entity(&self.endpoint, name.as_str())
    }

    /// The target, and the server it is in.
    fn resource(&self, target: Target<'_>) -> (EntityUid, Option<EntityUid>) {
        let object = match target {
            Target::Endpoint(name) => return (self.endpoint(name), None),
            Target::Object(object) => object,
        };
        let server = entity(&self.server, object.server().as_str());
        let kind = match object {
            Object::Server { .. } => return (server, None),
            Object::Tool { .. } => &self.tool,
            Object::Prompt { .. } => &self.prompt,
            Object::Resource { .. } => &self.resource,
            Object::Template { .. } => &self.template,
        };
        // A server's name has no `/`, so that no two objects have one id.
        (entity(kind, &format!("{}/{}", object.server(), object.name())), Some(server))
    }

    fn store(&self, cast: &Cast, caller: &Caller, action: Action) -> Option<Entities> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let known = |uid: &EntityUid, kind: AgentKind, assurance: Assurance| {
            let kind = ("kind".to_owned(), text(kind.as_str()));
            let attributes = HashMap::from([kind, ("assurance".to_owned(), text(assurance.as_str()))]);
            Entity::new(uid.clone(), attributes, HashSet::new()).ok()
        };
        let mut agents = vec![known(&cast.agent, caller.agent.kind, caller.assurance)?];
        for (uid, actor) in cast.actors.iter().zip(caller.authentication.actors.iter()) {
            // Nothing but the token's word tells of an agent that is not here itself.
            agents.push(known(uid, actor.kind, Assurance::Public)?);
        }
        let user = cast.user.iter().map(|user| child(user, cast.groups.iter().cloned()));
        let group = Action::USE.contains(&action).then(|| entity(&self.action, "use"));
        let rest = [child(&cast.action, group), child(&cast.resource, cast.server.clone())];
        let endpoint = (cast.endpoint != cast.resource).then(|| child(&cast.endpoint, None));
        Entities::from_entities(agents.into_iter().chain(user).chain(rest).chain(endpoint), None).ok()
    }
}

impl Cast {
    /// Where policies about the agent are filed.
    pub(crate) fn agent_scopes(agent: &EntityUid) -> Vec<Scope> {
        scopes(agent, [])
    }

    /// Where policies about this user are filed.
    pub(crate) fn user_scopes(&self, user: &EntityUid) -> Vec<Scope> {
        scopes(user, self.groups.iter())
    }

    /// Where policies about the target are filed.
    pub(crate) fn resource_scopes(&self) -> Vec<Scope> {
        scopes(&self.resource, self.server.iter())
    }
}

fn scopes<'a>(own: &EntityUid, parents: impl IntoIterator<Item = &'a EntityUid>) -> Vec<Scope> {
    let wide = [Scope::Any, Scope::Type(own.type_name().clone()), Scope::Entity(own.clone())];
    wide.into_iter().chain(parents.into_iter().map(|parent| Scope::Entity(parent.clone()))).collect()
}

fn type_name(name: &str) -> Result<EntityTypeName, Box<ParseErrors>> {
    name.parse().map_err(Box::new)
}

fn entity(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn child(uid: &EntityUid, parents: impl IntoIterator<Item = EntityUid>) -> Entity {
    Entity::new_no_attrs(uid.clone(), parents.into_iter().collect())
}
