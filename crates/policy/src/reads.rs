//! What a policy looks at in the context: the arguments, by name, the time, and the findings.
//!
//! Two things hang on it. What no policy reads need not be built, and a policy that reads none of them
//! answers the same every time it is asked about the same caller and object.

use std::collections::BTreeSet;

use cedar_policy::pst::{Clause, Expr, Policy, Var};

/// What one policy reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Paths below `context.arguments`, each of at least one name.
    pub(crate) arguments: BTreeSet<Vec<String>>,
    /// Whether it looks at the arguments in any way other than by name.
    pub(crate) all_arguments: bool,
    /// Whether it looks at `context.now`.
    pub(crate) time: bool,
    /// Whether it looks at `context.findings`, or is lifted by taking findings out.
    pub(crate) findings: bool,
    /// Whether it looks at anything else in the context: the endpoint, the agent, the user.
    pub(crate) surroundings: bool,
    /// Whether it looks at the principal in its conditions. Known only of a policy that looks at the context.
    pub(crate) principal: bool,
}

impl Reads {
    /// What a policy reads.
    pub(crate) fn of(tree: &Policy) -> Self {
        let mut reads = Self::default();
        for clause in tree.body().clauses() {
            match clause {
                Clause::When(condition) | Clause::Unless(condition) => reads.walk(condition),
            }
        }
        reads
    }

    /// Whether its answer can differ between two calls of the same caller to the same object.
    pub(crate) fn moves(&self) -> bool {
        self.time || self.findings || self.reads_arguments()
    }

    /// Whether it looks at the arguments at all.
    pub(crate) fn reads_arguments(&self) -> bool {
        self.all_arguments || !self.arguments.is_empty()
    }

    /// Whether it looks at the argument of this name.
    pub(crate) fn reads_argument(&self, name: &str) -> bool {
        self.all_arguments || self.arguments.iter().any(|path| path.first().is_some_and(|first| first == name))
    }

    /// The arguments as people are shown them.
    pub(crate) fn argument_names(&self) -> Vec<String> {
        let all = self.all_arguments.then(|| "*".to_owned());
        all.into_iter().chain(self.arguments.iter().map(|path| path.join("."))).collect()
    }

    /// Walks a condition with its own stack, so that depth costs memory and not the thread.
    fn walk(&mut self, condition: &Expr) {
        let mut waiting = vec![condition];
        while let Some(expression) = waiting.pop() {
            if let Some(path) = context_path(expression) {
                self.note(&path);
                continue;
            }
            match expression {
                Expr::Var(Var::Principal) => self.principal = true,
                Expr::Literal(_) | Expr::Var(Var::Action | Var::Resource | Var::Context) | Expr::Slot(_) => {}
                Expr::UnaryOp { expr, .. }
                | Expr::GetAttr { expr, .. }
                | Expr::HasAttr { expr, .. }
                | Expr::Like { expr, .. } => waiting.push(expr),
                Expr::BinaryOp { left, right, .. } => waiting.extend([&**left, &**right]),
                Expr::Is { expr, in_expr, .. } => {
                    waiting.push(expr);
                    waiting.extend(in_expr.as_deref());
                }
                Expr::IfThenElse { cond, then_expr, else_expr } => {
                    waiting.extend([&**cond, &**then_expr, &**else_expr]);
                }
                Expr::Set(members) => waiting.extend(members.iter().map(|member| &**member)),
                Expr::Record(members) => waiting.extend(members.values().map(|member| &**member)),
                // Cedar's enum may grow: what is not known here is taken to read everything.
                Expr::Unknown { .. } | _ => {
                    self.note(&[]);
                    self.principal = true;
                }
            }
        }
    }

    fn note(&mut self, path: &[&str]) {
        match path {
            ["now", ..] => self.time = true,
            ["findings", ..] => self.findings = true,
            ["arguments"] => self.all_arguments = true,
            ["arguments", names @ ..] => {
                self.arguments.insert(names.iter().map(|name| (*name).to_owned()).collect());
            }
            [] => {
                self.all_arguments = true;
                self.time = true;
                self.findings = true;
                self.surroundings = true;
            }
            [_, ..] => self.surroundings = true,
        }
    }
}

/// The names after `context`, if the expression is `context`, `context.a.b` or `context has a.b`.
fn context_path(expression: &Expr) -> Option<Vec<&str>> {
    let mut path = Vec::new();
    let mut at = expression;
    while *at != Expr::Var(Var::Context) {
        if let Expr::GetAttr { expr, attr } = at {
            path.push(attr.as_str());
            at = expr;
        } else if let Expr::HasAttr { expr, attrs } = at {
            path.extend(attrs.iter().map(AsRef::<str>::as_ref).rev());
            at = expr;
        } else {
            return None;
        }
    }
    path.reverse();
    Some(path)
}

#[cfg(test)]
mod tests;
