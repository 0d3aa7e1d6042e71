//! Findings that are known to be none, and are not told: each with who answers for it, why, and until when.
//!
//! One that is over does nothing. What is not told is counted, in receipts and in metrics, so that people see what they do not
//! see. A secret of the gate's own is always told.

use std::sync::atomic::{AtomicU64, Ordering};

use model::{Class, Finding, Object, RuleId, ServerName, Timestamp, ToolName};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The rule that errs.
    pub rule: RuleId,
    /// At this server alone.
    pub server: Option<ServerName>,
    /// At this tool alone.
    pub tool: Option<ToolName>,
    /// At this place of messages alone: a JSON pointer in which `*` stands for any one key or index.
    pub pointer: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub until: Timestamp,
}

/// All of them, with how often each was used.
#[derive(Debug, Default)]
pub struct Suppressions(Vec<(Suppression, AtomicU64)>);

impl Suppressions {
    /// None used so far.
    pub fn new(all: Vec<Suppression>) -> Self {
        Self(all.into_iter().map(|one| (one, AtomicU64::new(0))).collect())
    }

    /// Each, with how often it was used since the gate started or its settings were read.
    pub fn counted(&self) -> impl Iterator<Item = (&Suppression, u64)> {
        self.0.iter().map(|(one, count)| (one, count.load(Ordering::Relaxed)))
    }

    /// Whether a finding in a message about these objects is not told; it is counted then.
    pub(crate) fn suppress(&self, finding: &Finding, objects: &[Object], now: Timestamp) -> bool {
        let found = self.0.iter().find(|(one, _)| now < one.until && one.covers(finding, objects));
        if let Some((_, count)) = found {
            count.fetch_add(1, Ordering::Relaxed);
        }
        found.is_some()
    }
}

impl Suppression {
    fn covers(&self, finding: &Finding, objects: &[Object]) -> bool {
        let is_there = |object: &Object| {
            let tool = match object {
                Object::Tool { name, .. } => Some(name),
                Object::Prompt { .. } | Object::Resource { .. } | Object::Template { .. } | Object::Server { .. } => {
                    None
                }
            };
            self.server.as_ref().is_none_or(|server| server == object.server())
                && self.tool.as_ref().is_none_or(|wanted| tool == Some(wanted))
        };
        self.rule == finding.rule
            && finding.class.as_str() != Class::VAULT_SECRET
            && objects.iter().all(is_there)
            && self.pointer.as_deref().is_none_or(|pattern| is_at(pattern, &finding.place.pointer))
    }
}

/// Whether a pointer is at a place that may have `*` in it.
fn is_at(pattern: &str, pointer: &str) -> bool {
    let mut steps = pointer.split('/');
    let fits = pattern.split('/').all(|wanted| steps.next().is_some_and(|step| wanted == "*" || wanted == step));
    fits && steps.next().is_none()
}

#[cfg(test)]
mod tests;
