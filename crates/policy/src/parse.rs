//! From a file's text to policies with a place, an id and a meaning.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::pst::Policy as Tree;
use cedar_policy::{
    ActionConstraint, Effect as CedarEffect, EntityUid, Policy, PolicyId as CedarId, PolicySet, PrincipalConstraint,
    ResourceConstraint,
};
use miette::Diagnostic;
use model::{PolicyId, ServerName, limits};

use crate::action::ActionSet;
use crate::annotations::{Annotation, Obligation};
use crate::reads::Reads;
use crate::slices::Scope;
use crate::{Action, Effect, LoadError, ObligationKind, PolicySummary, Source, outline};

/// One policy, as read.
pub(crate) struct Parsed {
    /// Cedar's own form, under our id.
    pub(crate) cedar: Policy,
    /// Its syntax tree, if it is to be asked at each call.
    pub(crate) tree: Option<Tree>,
    pub(crate) principal: Scope,
    pub(crate) actions: ActionSet,
    pub(crate) resource: Scope,
    /// The type in `resource is Type in …`, which [`Scope`] leaves to Cedar.
    pub(crate) resource_type: Option<String>,
    pub(crate) reads: Reads,
    /// Where what it has taken out may be put back.
    pub(crate) restores: BTreeSet<ServerName>,
    pub(crate) summary: PolicySummary,
    /// Where its file says what.
    pub(crate) place: Place,
}

/// Where in which file a policy begins.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The file's position among the sources.
    pub(crate) source: usize,
    /// The byte its text begins at.
    pub(crate) offset: usize,
    /// The line that byte is on, from 1.
    pub(crate) line: u32,
}

/// Reads every file; what is wrong is added to `errors`.
pub(crate) fn all(sources: &[Source], errors: &mut Vec<LoadError>) -> Vec<Parsed> {
    let mut parsed: Vec<Parsed> = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        parsed.extend(read_file(index, source, errors));
    }
    if parsed.len() > limits::POLICIES_MAX {
        let message = format!("there are {} policies; at most {} are taken", parsed.len(), limits::POLICIES_MAX);
        errors.extend(sources.last().map(|source| error_at(source, 0, message)));
        parsed.truncate(limits::POLICIES_MAX);
    }
    let mut first: HashMap<PolicyId, String> = HashMap::new();
    parsed.retain(|policy| {
        let here = format!("{}:{}", policy.summary.file, policy.summary.line);
        let Some(there) = first.get(&policy.summary.id) else {
            first.insert(policy.summary.id.clone(), here);
            return true;
        };
        let message = format!("the id `{}` is taken by the policy at {there}", policy.summary.id);
        errors.extend(sources.get(policy.place.source).map(|source| error_at(source, policy.place.offset, message)));
        false
    });
    parsed
}

/// An error at a byte of a file.
pub(crate) fn error_at(source: &Source, offset: usize, message: impl Into<String>) -> LoadError {
    let (line, column) = position(&source.text, offset);
    LoadError { file: source.file.clone(), line, column, message: message.into(), help: None }
}

/// What Cedar says, at the first byte it points at; at `otherwise` if it points nowhere.
pub(crate) fn error_from(source: &Source, otherwise: usize, error: &dyn Diagnostic) -> LoadError {
    let label = error.labels().and_then(|mut labels| labels.next());
    let offset = label.map_or(otherwise, |label| label.offset());
    let help = error.help().map(|help| help.to_string());
    LoadError { help, ..error_at(source, offset, error.to_string()) }
}

/// Line and column, in characters, both from 1.
fn position(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    (lines(before) + 1, u32::try_from(column).unwrap_or(u32::MAX))
}

/// The line ends in a text.
fn lines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

fn read_file(index: usize, source: &Source, errors: &mut Vec<LoadError>) -> Vec<Parsed> {
    if let Err(fault) = outline::check(source) {
        errors.push(fault);
        return Vec::new();
    }
    let set: PolicySet = match source.text.parse() {
        Ok(set) => set,
        Err(faults) => {
            let faults: cedar_policy::ParseErrors = faults;
            errors.extend(faults.iter().map(|fault| error_from(source, 0, fault)));
            return Vec::new();
        }
    };
    let mut parsed = Vec::new();
    let (mut offset, mut line) = (0, 1);
    for (number, (text, policy)) in in_order(&set).into_iter().enumerate() {
        let begins = skip_blank(&source.text, offset);
        line += lines(source.text.get(offset..begins).unwrap_or_default());
        let place = Place { source: index, offset: begins, line };
        match policy {
            None => {
                let message = "a template, which nothing here fills in";
                let help = Some("write the entity instead of `?principal` or `?resource`".to_owned());
                errors.push(LoadError { help, ..error_at(source, begins, message) });
            }
            Some(policy) => parsed.extend(read_policy(source, place, number + 1, policy, &text, errors)),
        }
        offset = begins + text.len();
        line += lines(&text);
    }
    parsed
}

/// The texts of a file's statements as they follow one another, with the policy of each that is no template.
fn in_order(set: &PolicySet) -> Vec<(String, Option<&Policy>)> {
    let number = |id: &CedarId| id.to_string().trim_start_matches("policy").parse::<usize>().unwrap_or(usize::MAX);
    let policies =
        set.policies().map(|policy| (number(policy.id()), policy.to_cedar().unwrap_or_default(), Some(policy)));
    let templates = set.templates().map(|template| (number(template.id()), template.to_cedar(), None));
    let mut statements: Vec<_> = policies.chain(templates).collect();
    statements.sort_by_key(|(number, _, _)| *number);
    statements.into_iter().map(|(_, text, policy)| (text, policy)).collect()
}

/// The first byte at or after `offset` that is neither white space nor part of a comment.
fn skip_blank(text: &str, offset: usize) -> usize {
    let mut rest = text.get(offset..).unwrap_or_default().trim_start();
    while let Some(comment) = rest.strip_prefix("//") {
        rest = comment.split_once('\n').map_or("", |(_, after)| after).trim_start();
    }
    text.len() - rest.len()
}

fn read_policy(
    source: &Source,
    place: Place,
    number: usize,
    policy: &Policy,
    text: &str,
    errors: &mut Vec<LoadError>,
) -> Option<Parsed> {
    let mut fail = |offset: usize, message: String| errors.push(error_at(source, place.offset + offset, message));
    let actions = action_scope(policy);
    let said = Said::by(policy, text, actions, &mut fail)?;
    let id = said.id.unwrap_or_else(|| format!("{}#{number}", source.file));
    let id: PolicyId = id.parse().map_err(|error: model::NameError| fail(0, error.to_string())).ok()?;
    // The variable has no other spelling, so that a text without it reads nothing and needs no tree.
    let redacts = said.asks.iter().any(|(kind, _)| kind.changes());
    let tree = (redacts || text.contains("context")).then(|| policy.to_pst()).transpose();
    let tree = tree.map_err(|error| fail(0, error.to_string())).ok()?;
    let mut reads = tree.as_ref().map(Reads::of).unwrap_or_default();
    // Whether it is met depends on what is in the message.
    reads.findings |= redacts;
    let summary = PolicySummary {
        file: source.file.clone(),
        line: place.line,
        effect: effect(policy),
        actions: actions.iter().collect(),
        obligations: said
            .asks
            .into_iter()
            .map(|(kind, value)| Obligation { policy: id.clone(), kind, value })
            .collect(),
        message: said.message,
        owner: said.owner,
        reads_arguments: reads.argument_names(),
        reads_time: reads.time,
        warnings: Vec::new(),
        text: text.to_owned(),
        id,
    };
    let cedar = policy.new_id(CedarId::new(summary.id.as_str()));
    let principal = principal_scope(policy);
    let (resource, resource_type) = resource_scope(policy);
    let tree = tree.filter(|_| reads.moves());
    Some(Parsed {
        cedar,
        tree,
        principal,
        actions,
        resource,
        resource_type,
        reads,
        restores: said.restores,
        summary,
        place,
    })
}

/// What a policy's annotations say.
#[derive(Default)]
struct Said {
    id: Option<String>,
    message: Option<String>,
    owner: Option<String>,
    restores: BTreeSet<ServerName>,
    asks: Vec<(ObligationKind, String)>,
}

impl Said {
    /// Reads every annotation; `None` if any of them is wrong, each of which is told to `fail`.
    fn by(policy: &Policy, text: &str, actions: ActionSet, fail: &mut impl FnMut(usize, String)) -> Option<Self> {
        let (mut said, mut sound) = (Self::default(), true);
        for (word, value) in policy.annotations() {
            let fault = match Annotation::read(word, value) {
                Ok(Annotation::Id(id)) => said.id.replace(id.to_owned()).and(None),
                Ok(Annotation::Message(message)) => said.message.replace(message.to_owned()).and(None),
                Ok(Annotation::Owner(owner)) => said.owner.replace(owner.to_owned()).and(None),
                Ok(Annotation::Restore(servers)) => {
                    said.restores = servers;
                    let alone = policy.annotation(ObligationKind::Tokenise.as_str()).is_none();
                    alone.then(|| {
                        "`@restore` says where what `@tokenise` takes out may be told: there is none".to_owned()
                    })
                }
                Ok(Annotation::Obligation(kind, value)) => {
                    said.asks.push((kind, value.to_owned()));
                    obligation_fault(kind.as_str(), kind.actions(), policy.effect(), actions)
                }
                Err(fault) => Some(fault),
            };
            if let Some(fault) = fault {
                fail(text.find(&format!("@{word}")).unwrap_or_default(), fault);
                sound = false;
            }
        }
        sound.then_some(said)
    }
}

/// What is wrong with an obligation here, if anything is.
fn obligation_fault(word: &str, known: &[Action], effect: CedarEffect, actions: ActionSet) -> Option<String> {
    if effect == CedarEffect::Permit {
        return Some(format!("`@{word}` belongs on a `forbid`: it says what lifts it"));
    }
    let words =
        || known.iter().map(|action| format!("`Action::\"{}\"`", action.as_str())).collect::<Vec<_>>().join(" or ");
    let strange = actions.iter().find(|action| !known.contains(action));
    strange.map(|action| {
        format!("`{}` does not know `@{word}`; limit the policy's action to {}", action.as_str(), words())
    })
}

fn effect(policy: &Policy) -> Effect {
    match policy.effect() {
        CedarEffect::Permit => Effect::Permit,
        CedarEffect::Forbid => Effect::Forbid,
    }
}

fn action_scope(policy: &Policy) -> ActionSet {
    let word = |uid: &EntityUid| uid.id().unescaped().to_owned();
    match policy.action_constraint() {
        ActionConstraint::Any => ActionSet::of(&Action::ALL),
        ActionConstraint::Eq(uid) => ActionSet::exactly(&word(&uid)),
        ActionConstraint::In(uids) => {
            uids.iter().fold(ActionSet::default(), |all, uid| all.union(ActionSet::within(&word(uid))))
        }
    }
}

fn principal_scope(policy: &Policy) -> Scope {
    match policy.principal_constraint() {
        PrincipalConstraint::Any => Scope::Any,
        PrincipalConstraint::Is(kind) => Scope::Type(kind),
        PrincipalConstraint::Eq(uid) | PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) => {
            Scope::Entity(uid)
        }
    }
}

fn resource_scope(policy: &Policy) -> (Scope, Option<String>) {
    match policy.resource_constraint() {
        ResourceConstraint::Any => (Scope::Any, None),
        ResourceConstraint::Is(kind) => (Scope::Type(kind.clone()), Some(kind.to_string())),
        ResourceConstraint::Eq(uid) | ResourceConstraint::In(uid) => (Scope::Entity(uid), None),
        ResourceConstraint::IsIn(kind, uid) => (Scope::Entity(uid), Some(kind.to_string())),
    }
}
