//! Is each policy right for everything it can apply to?
//!
//! Cedar's strict validator proves that a policy never meets a missing attribute or a wrong type, given the schema.
//! A policy that reads arguments is checked against every tool its scope can apply to, tools with the same arguments
//! together. Two mistakes that Cedar lets pass are caught before: `has` with a name no tool declares (Cedar takes it
//! for a constant false, so a misspelt `forbid` would never apply), and a name whose schema gives it no one type.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use cedar_policy::{Policy, PolicySet, Schema, ValidationError, ValidationMode, ValidationWarning, Validator};
use model::{ServerName, ToolName};

use crate::load::builtin;
use crate::parse::{Parsed, error_at, error_from};
use crate::schema::{SchemaFault, Schemas};
use crate::shape::{Fields, Found};
use crate::slices::Scope;
use crate::{Action, LoadError, Source, TOOL_CLASSES, ToolVocabulary, Vocabulary};

/// The typed arguments of every tool that a policy reading arguments can apply to.
pub(crate) type ToolShapes = HashMap<ServerName, HashMap<ToolName, Arc<Fields>>>;

const ONLY_TOOLS: &str = "arguments are there only when a tool is called: limit the policy to \
    `action == Action::\"call\"` and to tools, with `resource is Tool` or `resource == Tool::\"server/name\"`";

/// Checks every policy; what is wrong is added to `errors`, what looks wrong to the policies' summaries.
pub(crate) fn check(
    parsed: &mut [Parsed],
    sources: &[Source],
    vocabulary: &Vocabulary,
    errors: &mut Vec<LoadError>,
) -> ToolShapes {
    warn_of_unknown_names(parsed, vocabulary);
    let (readers, others): (Vec<usize>, Vec<usize>) =
        (0..parsed.len()).partition(|index| parsed.get(*index).is_some_and(|policy| policy.reads.reads_arguments()));
    let mut reached = Reached::of(parsed, &readers, vocabulary);
    let mut check = Check { possible: vec![false; parsed.len()], parsed, sources, errors };
    // Of a tool that is yet to come nothing can be said.
    for reading in reached.readings.iter().filter(|reading| reading.awaits_a_tool) {
        check.possible.get_mut(reading.reader).into_iter().for_each(|possible| *possible = !reading.reaches_any);
    }
    let misread = check.misread(&mut reached);
    if let Err(fault) = check.all(&others, &readers, &reached, &misread) {
        check.errors.push(builtin(&fault));
    }
    check.warn_of_the_impossible();
    reached.shapes
}

/// Which readers can apply to which tools.
struct Reached {
    shapes: ToolShapes,
    /// For each different set of arguments: a tool that has it, and the readers that can apply to such a tool.
    groups: HashMap<Arc<Fields>, (String, BTreeSet<usize>)>,
    /// What each reader reads.
    readings: Vec<Reading>,
}

/// One reader's paths, and what the tools it can apply to know of them.
struct Reading {
    reader: usize,
    paths: Vec<(Vec<String>, bool)>,
    /// The tools' names for the arguments, for a helpful message.
    declared: BTreeSet<String>,
    /// Whether its scope leads to tools, and whether there is one.
    awaits_a_tool: bool,
    reaches_any: bool,
    unreadable: BTreeSet<(String, String, &'static str)>,
}

impl Reached {
    fn of(parsed: &[Parsed], readers: &[usize], vocabulary: &Vocabulary) -> Self {
        let mut by_target: HashMap<Target, Vec<usize>> = HashMap::new();
        let mut readings = Vec::with_capacity(readers.len());
        for policy in readers.iter().filter_map(|index| parsed.get(*index).map(|policy| (*index, policy))) {
            let position = readings.len();
            readings.push(Reading::of(policy.0, policy.1));
            if let Some(target) = Target::of(policy.1) {
                by_target.entry(target).or_default().push(position);
            }
        }
        let mut reached = Self { shapes: HashMap::new(), groups: HashMap::new(), readings };
        if by_target.is_empty() {
            return reached;
        }
        for server in &vocabulary.servers {
            for tool in &server.tools {
                reached.meet(&server.name, tool, &by_target);
            }
        }
        reached
    }

    fn meet(&mut self, server: &ServerName, tool: &ToolVocabulary, by_target: &HashMap<Target, Vec<usize>>) {
        let id = format!("{server}/{}", tool.name);
        let targets = [Target::AnyTool, Target::Server(server.as_str().to_owned()), Target::Tool(id.clone())];
        let classes = tool.classes.iter().map(|class| Target::Class((*class).to_owned()));
        let targets: Vec<Target> = targets.into_iter().chain(classes).collect();
        let positions: Vec<usize> =
            targets.iter().filter_map(|target| by_target.get(target)).flatten().copied().collect();
        if positions.is_empty() {
            return;
        }
        let fields = Arc::clone(tool.fields());
        self.shapes.entry(server.clone()).or_default().insert(tool.name.clone(), Arc::clone(&fields));
        let (_, members) = self.groups.entry(Arc::clone(&fields)).or_insert_with(|| (id.clone(), BTreeSet::new()));
        for position in positions {
            if let Some(reading) = self.readings.get_mut(position) {
                members.insert(reading.reader);
                reading.meet(&id, &fields);
            }
        }
    }
}

/// The tools a policy's scope leads to.
#[derive(PartialEq, Eq, Hash)]
enum Target {
    AnyTool,
    Server(String),
    Class(String),
    Tool(String),
}

impl Target {
    fn of(policy: &Parsed) -> Option<Self> {
        let elsewhere = policy.resource_type.as_deref().is_some_and(|kind| kind != "Tool");
        if elsewhere || !policy.actions.contains(Action::Call) {
            return None;
        }
        let Scope::Entity(uid) = &policy.resource else { return Some(Self::AnyTool) };
        let id = uid.id().unescaped().to_owned();
        match uid.type_name().basename() {
            "Tool" => Some(Self::Tool(id)),
            "Server" => Some(Self::Server(id)),
            "ToolClass" => Some(Self::Class(id)),
            _ => None,
        }
    }
}

impl Reading {
    fn of(reader: usize, policy: &Parsed) -> Self {
        let paths = policy.reads.arguments.iter().map(|path| (path.clone(), false)).collect();
        let (declared, unreadable) = (BTreeSet::new(), BTreeSet::new());
        let awaits_a_tool = Target::of(policy).is_some();
        Self { reader, paths, declared, awaits_a_tool, reaches_any: false, unreadable }
    }

    fn meet(&mut self, tool: &str, fields: &Fields) {
        self.reaches_any = true;
        // A help text that names thousands of arguments helps nobody.
        const NAMED_MAX: usize = 30;
        let room = NAMED_MAX.saturating_sub(self.declared.len());
        self.declared.extend(fields.known.keys().take(room).cloned());
        for (path, found) in &mut self.paths {
            match fields.find(path.iter().map(String::as_str)) {
                Found::Known => *found = true,
                Found::Undeclared => {}
                Found::Unreadable(why) => {
                    *found = true;
                    self.unreadable.insert((path.join("."), tool.to_owned(), why));
                }
            }
        }
    }
}

struct Check<'a> {
    parsed: &'a mut [Parsed],
    sources: &'a [Source],
    errors: &'a mut Vec<LoadError>,
    /// For each policy, whether there is anything it can apply to.
    possible: Vec<bool>,
}

impl Check<'_> {
    /// Reports names that no tool has, or that have no type; gives the policies concerned.
    fn misread(&mut self, reached: &mut Reached) -> HashSet<usize> {
        let mut misread = HashSet::new();
        let wholesale =
            |reading: &Reading| self.parsed.get(reading.reader).is_some_and(|policy| policy.reads.all_arguments);
        for reading in reached.readings.iter_mut().filter(|reading| wholesale(reading)) {
            let groups = reached.groups.iter().filter(|(_, (_, members))| members.contains(&reading.reader));
            let unreadable = groups.filter_map(|(fields, (tool, _))| Some((fields.first_unreadable()?, tool)));
            reading.unreadable.extend(unreadable.map(|((name, why), tool)| (name.to_owned(), tool.clone(), why)));
        }
        for reading in &reached.readings {
            let unknown = reading.paths.iter().filter(|(_, found)| reading.reaches_any && !found);
            for (path, _) in unknown {
                let message = format!("no tool this policy can apply to has an argument `{}`", path.join("."));
                let names: Vec<_> = reading.declared.iter().map(|name| format!("`{name}`")).collect();
                let help = (!names.is_empty()).then(|| format!("there is {}", names.join(", ")));
                self.report(reading.reader, path.last().map_or("", String::as_str), message, help);
                misread.insert(reading.reader);
            }
            for (path, tool, why) in &reading.unreadable {
                let message = format!("the argument `{path}` of tool `{tool}` cannot be read by a policy: {why}");
                let help = "leave the argument out of the policy, or narrow the policy's resource to other tools";
                self.report(reading.reader, path.rsplit('.').next().unwrap_or(path), message, Some(help.to_owned()));
                misread.insert(reading.reader);
            }
        }
        misread
    }

    fn all(
        &mut self,
        others: &[usize],
        readers: &[usize],
        reached: &Reached,
        misread: &HashSet<usize>,
    ) -> Result<(), SchemaFault> {
        let schemas = Schemas::new()?;
        self.validate(schemas.whole()?, others.iter().copied(), None);
        if readers.is_empty() {
            return Ok(());
        }
        self.validate(schemas.without_tools()?, readers.iter().copied(), Some(ONLY_TOOLS));
        for (fields, (tool, members)) in &reached.groups {
            let members = members.iter().copied().filter(|member| !misread.contains(member));
            self.validate(schemas.for_tool(fields)?, members, Some(&format!("checked against the tool `{tool}`")));
        }
        Ok(())
    }

    fn validate(&mut self, schema: Schema, members: impl Iterator<Item = usize>, hint: Option<&str>) {
        let by_id: HashMap<_, usize> =
            members.filter_map(|index| Some((self.parsed.get(index)?.cedar.id().clone(), index))).collect();
        let policies = by_id.values().filter_map(|index| self.parsed.get(*index));
        let set = match PolicySet::from_policies(policies.map(|policy| Policy::clone(&policy.cedar))) {
            Ok(set) => set,
            Err(fault) => return self.errors.push(builtin(&fault)),
        };
        let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
        for error in result.validation_errors() {
            if let Some(index) = by_id.get(error.policy_id()) {
                self.report_typing(*index, error, hint);
            }
        }
        let mut impossible = HashSet::new();
        for warning in result.validation_warnings() {
            let Some(index) = by_id.get(warning.policy_id()) else { continue };
            use ValidationWarning::{ImpossiblePolicy, InvalidActionApplication};
            // Impossible for one tool may be possible for the next.
            if matches!(warning, ImpossiblePolicy(_) | InvalidActionApplication(_)) {
                impossible.insert(*index);
            } else {
                self.warn(*index, warning.to_string());
            }
        }
        for index in by_id.values().filter(|index| !impossible.contains(*index)) {
            if let Some(possible) = self.possible.get_mut(*index) {
                *possible = true;
            }
        }
    }

    fn report_typing(&mut self, index: usize, error: &ValidationError, hint: Option<&str>) {
        let Some((policy, source)) = self.policy(index) else { return };
        let found = error_from(source, policy.place.offset, error);
        let help = match (found.help, hint) {
            (Some(help), Some(hint)) => Some(format!("{help}; {hint}")),
            (help, hint) => help.or_else(|| hint.map(str::to_owned)),
        };
        self.errors.push(LoadError { help, ..found });
    }

    /// Reports at the first place where the policy's text says `word`.
    fn report(&mut self, index: usize, word: &str, message: String, help: Option<String>) {
        let Some((policy, source)) = self.policy(index) else { return };
        let offset = policy.place.offset + policy.summary.text.find(word).unwrap_or_default();
        self.errors.push(LoadError { help, ..error_at(source, offset, message) });
    }

    fn policy(&self, index: usize) -> Option<(&Parsed, &Source)> {
        let policy = self.parsed.get(index)?;
        Some((policy, self.sources.get(policy.place.source)?))
    }

    fn warn(&mut self, index: usize, warning: String) {
        if let Some(policy) = self.parsed.get_mut(index) {
            policy.summary.warnings.push(warning);
        }
    }

    fn warn_of_the_impossible(&mut self) {
        let never: Vec<usize> =
            (0..self.possible.len()).filter(|index| self.possible.get(*index) == Some(&false)).collect();
        for index in never {
            self.warn(index, "it can never apply: its scope and conditions contradict one another".to_owned());
        }
    }
}

/// A name that nothing has may be of something to come, so it is no error; in a `forbid` it may also be a slip.
fn warn_of_unknown_names(parsed: &mut [Parsed], vocabulary: &Vocabulary) {
    let endpoints: HashSet<&str> = vocabulary.endpoints.iter().map(|name| name.as_str()).collect();
    let tools: HashMap<&str, HashSet<&str>> = vocabulary
        .servers
        .iter()
        .map(|server| (server.name.as_str(), server.tools.iter().map(|tool| tool.name.as_str()).collect()))
        .collect();
    for policy in parsed {
        let mut unknown = BTreeSet::new();
        for uid in policy.cedar.entity_literals() {
            let id = uid.id().unescaped();
            let known = match uid.type_name().basename() {
                "Endpoint" => endpoints.contains(id),
                "Server" => tools.contains_key(id),
                "ToolClass" => TOOL_CLASSES.contains(&id),
                "Tool" => id
                    .split_once('/')
                    .is_some_and(|(server, tool)| tools.get(server).is_some_and(|names| names.contains(tool))),
                _ => true,
            };
            if !known {
                unknown.insert(format!("there is no {uid}"));
            }
        }
        policy.summary.warnings.extend(unknown);
    }
}
