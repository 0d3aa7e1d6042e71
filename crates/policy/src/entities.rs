//! The nouns of a question as Cedar's entities.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, RestrictedExpression};
use model::{AgentKind, Assurance, Caller, EndpointName, Object};

use crate::Action;
use crate::decide::Target;
use crate::slices::Scope;

/// The names of the schema's types, parsed once.
pub(crate) struct Names {
    action: EntityTypeName,
    agent: EntityTypeName,
    user: EntityTypeName,
    group: EntityTypeName,
    endpoint: EntityTypeName,
    server: EntityTypeName,
    tool: EntityTypeName,
    tool_class: EntityTypeName,
    prompt: EntityTypeName,
    resource: EntityTypeName,
    template: EntityTypeName,
}

/// What questions of one caller, for one action and through one endpoint, have in common.
pub(crate) struct Cast {
    pub(crate) agent: EntityUid,
    /// The other agents through which the call came.
    pub(crate) actors: Vec<EntityUid>,
    pub(crate) user: Option<EntityUid>,
    pub(crate) action: EntityUid,
    pub(crate) endpoint: EntityUid,
    groups: Vec<EntityUid>,
}

/// What a question is about, and what it is in: its server, and its classes if it is a tool.
pub(crate) struct Thing {
    pub(crate) resource: EntityUid,
    parents: Vec<EntityUid>,
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
            tool_class: type_name("ToolClass")?,
            prompt: type_name("Prompt")?,
            resource: type_name("Resource")?,
            template: type_name("Template")?,
        })
    }

    /// Who asks, for what and through which endpoint.
    pub(crate) fn cast(&self, action: Action, caller: &Caller, endpoint: &EndpointName) -> Cast {
        let actors = caller.authentication.actors.iter();
        Cast {
            agent: entity(&self.agent, caller.agent.id.as_str()),
            actors: actors.map(|actor| entity(&self.agent, actor.id.as_str())).collect(),
            user: caller.user().map(|user| entity(&self.user, user.as_str())),
            action: entity(&self.action, action.as_str()),
            endpoint: self.endpoint(endpoint),
            groups: caller.groups().iter().map(|group| entity(&self.group, group.as_str())).collect(),
        }
    }

    fn endpoint(&self, name: &EndpointName) -> EntityUid {
        entity(&self.endpoint, name.as_str())
    }

    /// What is asked about; a tool of these classes.
    pub(crate) fn thing(&self, target: Target<'_>, classes: &[&'static str]) -> Thing {
        let object = match target {
            Target::Endpoint(name) => return Thing { resource: self.endpoint(name), parents: Vec::new() },
            Target::Object(object) => object,
        };
        let server = entity(&self.server, object.server().as_str());
        let kind = match object {
            Object::Server { .. } => return Thing { resource: server, parents: Vec::new() },
            Object::Tool { .. } => &self.tool,
            Object::Prompt { .. } => &self.prompt,
            Object::Resource { .. } => &self.resource,
            Object::Template { .. } => &self.template,
        };
        // A server's name has no `/`, so that no two objects have one id.
        let resource = entity(kind, &format!("{}/{}", object.server(), object.name()));
        let classes = classes.iter().map(|class| entity(&self.tool_class, class));
        Thing { resource, parents: std::iter::once(server).chain(classes).collect() }
    }

    /// All that the questions about these things can lead to.
    pub(crate) fn entities(
        &self,
        cast: &Cast,
        caller: &Caller,
        action: Action,
        things: &[Thing],
    ) -> Result<Entities, Unbuildable> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let known = |uid: &EntityUid, kind: AgentKind, assurance: Assurance| {
            let kind = ("kind".to_owned(), text(kind.as_str()));
            let attributes = HashMap::from([kind, ("assurance".to_owned(), text(assurance.as_str()))]);
            Entity::new(uid.clone(), attributes, HashSet::new()).map_err(|_| Unbuildable(()))
        };
        let mut all = vec![known(&cast.agent, caller.agent.kind, caller.assurance)?];
        for (uid, actor) in cast.actors.iter().zip(caller.authentication.actors.iter()) {
            // Nothing but the token's word tells of an agent that is not here itself.
            all.push(known(uid, actor.kind, Assurance::Public)?);
        }
        all.extend(cast.user.iter().map(|user| child(user, cast.groups.iter().cloned())));
        let group = Action::USE.contains(&action).then(|| entity(&self.action, "use"));
        all.push(child(&cast.action, group));
        // A thing may be named twice, and may be the endpoint itself.
        let mut named = HashSet::new();
        let things = things.iter().filter(|thing| named.insert(&thing.resource));
        all.extend(things.map(|thing| child(&thing.resource, thing.parents.iter().cloned())));
        if !named.contains(&cast.endpoint) {
            all.push(child(&cast.endpoint, None));
        }
        Entities::from_entities(all, None).map_err(|_| Unbuildable(()))
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
}

impl Thing {
    /// Where policies about it are filed.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        scopes(&self.resource, self.parents.iter())
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
