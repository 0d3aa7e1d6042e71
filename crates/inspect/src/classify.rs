//! How confidential a text is, by what is in it.

use model::{Confidence, Confidentiality, Severity};

use crate::Findings;
use crate::findings::INJECTION;

/// How confidential a text with these findings is at least. Where it comes from can only raise that.
///
/// Whoever holds a secret can act with it, so it is restricted, and so is what could not be looked at wholly. Data that
/// exposes people is confidential where a rule is sure of it, and internal where it is not; addresses of machines and pages
/// say little.
pub fn classify(findings: &Findings) -> Confidentiality {
    // Instructions to a model say whom to believe, not what to keep.
    let data = findings.list.iter().filter(|finding| finding.class.as_str() != INJECTION);
    let each = data.map(|finding| match (finding.severity, finding.confidence) {
        (Severity::Critical, Confidence::High | Confidence::Medium) => Confidentiality::Restricted,
        (Severity::High, Confidence::High | Confidence::Medium) if finding.class.as_str() == "secret" => {
            Confidentiality::Restricted
        }
        (Severity::Critical | Severity::High, _) => Confidentiality::Confidential,
        (Severity::Medium, Confidence::High | Confidence::Medium) => Confidentiality::Confidential,
        (Severity::Medium, Confidence::Low) | (Severity::Low, Confidence::High | Confidence::Medium) => {
            Confidentiality::Internal
        }
        (Severity::Low, Confidence::Low) => Confidentiality::Public,
    });
    let least = if findings.complete { Confidentiality::Public } else { Confidentiality::Restricted };
    each.fold(least, Ord::max)
}

#[cfg(test)]
mod tests;
