//! From files to a set that can be asked.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::PolicyId as CedarId;
use model::{PolicyId, ServerName, ToolName, limits};
use serde::Serialize;

use crate::annotations::Obligation;
use crate::entities::Names;
use crate::parse::{self, Parsed};
use crate::reads::Reads;
use crate::slices::Slices;
use crate::standings::Standings;
use crate::typing::{self, ToolShapes};
use crate::{PolicySummary, Vocabulary};

/// One `.cedar` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name, for messages and for the ids of policies that name none.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Why a file cannot be loaded, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct LoadError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

/// Every policy of one revision, compiled. Share it in an `Arc`; what it remembers of answers dies with it.
pub struct Policies {
    pub(crate) names: Names,
    pub(crate) slices: Slices,
    pub(crate) shapes: ToolShapes,
    /// The classes of those tools that have any.
    pub(crate) classes: HashMap<ServerName, HashMap<ToolName, Vec<&'static str>>>,
    pub(crate) known: HashMap<CedarId, Known>,
    /// Whether any policy at all asks what is in a message.
    pub(crate) any_reads_findings: bool,
    pub(crate) standings: Standings,
    summaries: Vec<PolicySummary>,
}

/// What a decision needs to know of a policy besides Cedar's own answer.
pub(crate) struct Known {
    pub(crate) id: PolicyId,
    pub(crate) message: Option<Arc<str>>,
    pub(crate) obligations: Vec<Obligation>,
    /// Where what it has taken out may be put back.
    pub(crate) restores: BTreeSet<ServerName>,
    pub(crate) reads: Reads,
}

impl Policies {
    /// Reads, checks and compiles every file.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, in order of place: syntax, templates, annotations, ids given twice,
    /// and types, also against every tool that a policy reading arguments can apply to.
    pub fn compile(sources: &[Source], vocabulary: &Vocabulary) -> Result<Self, Vec<LoadError>> {
        // Cedar follows nesting on the stack; `outline` bounds it, and this thread's stack is made for the bound.
        // A panic, should its parser know one, ends the load and not the gate.
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(limits::POLICY_STACK_BYTES);
            let compiling = builder.spawn_scoped(scope, || Self::compile_here(sources, vocabulary));
            let compiling = compiling.map_err(|error| vec![builtin(&error)])?;
            compiling.join().unwrap_or_else(|_| Err(vec![builtin(&"the policies could not be read: Cedar panicked")]))
        })
    }

    fn compile_here(sources: &[Source], vocabulary: &Vocabulary) -> Result<Self, Vec<LoadError>> {
        let mut errors = Vec::new();
        let mut parsed = parse::all(sources, &mut errors);
        let shapes = typing::check(&mut parsed, sources, vocabulary, &mut errors);
        if !errors.is_empty() {
            errors.sort();
            errors.dedup();
            return Err(errors);
        }
        let names = Names::new().map_err(|error| vec![builtin(&error)])?;
        let slices = Slices::build(&parsed).map_err(|error| vec![builtin(&error)])?;
        let known: HashMap<CedarId, Known> =
            parsed.iter().map(|policy| (policy.cedar.id().clone(), Known::of(policy))).collect();
        let summaries = parsed.into_iter().map(|policy| policy.summary).collect();
        let any_reads_findings = known.values().any(|known| known.reads.findings);
        let classes = classes(vocabulary);
        Ok(Self { names, slices, shapes, classes, known, any_reads_findings, standings: Standings::new(), summaries })
    }

    /// Every policy, in the order of the files.
    pub fn summaries(&self) -> Vec<PolicySummary> {
        self.summaries.clone()
    }
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies").field("policies", &self.known.len()).finish_non_exhaustive()
    }
}

fn classes(vocabulary: &Vocabulary) -> HashMap<ServerName, HashMap<ToolName, Vec<&'static str>>> {
    let mut classes: HashMap<ServerName, HashMap<ToolName, Vec<&'static str>>> = HashMap::new();
    for server in &vocabulary.servers {
        for tool in server.tools.iter().filter(|tool| !tool.classes.is_empty()) {
            classes.entry(server.name.clone()).or_default().insert(tool.name.clone(), tool.classes.clone());
        }
    }
    classes
}

impl Known {
    fn of(policy: &Parsed) -> Self {
        Self {
            id: policy.summary.id.clone(),
            message: policy.summary.message.as_deref().map(Arc::from),
            obligations: policy.summary.obligations.clone(),
            restores: policy.restores.clone(),
            reads: policy.reads.clone(),
        }
    }
}

/// An error in what this crate itself brings; a test proves there is none.
pub(crate) fn builtin(error: &dyn std::fmt::Display) -> LoadError {
    LoadError { file: "schema.cedarschema".to_owned(), line: 1, column: 1, message: error.to_string(), help: None }
}

#[cfg(test)]
mod tests;
