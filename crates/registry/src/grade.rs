//! How much does a changed definition matter, and what follows from it?
//!
//! Servers change their definitions all the time, and most changes are nothing: a default spelled out, a comma, an icon.
//! Who asks people about each of those teaches them to say yes. Who asks about none serves the first poisoned one. So each
//! change is taken apart ([`alter`]) into [`Alteration`]s, each with a [`Grade`], and the grades decide ([`Outcome`]):
//!
//! - What the server's manifest calls harmless is served as it is now. Words are harmless only if they were there before,
//!   or are function words and terms of any documentation ([`vocabulary`]): no instruction can be made of those. Other
//!   arguments never are, because policies were written for those that people approved.
//! - With most other changes agents go on with what was approved: calls are checked against both schemas. Fewer or more
//!   arguments in known words can stay so; new words wait for a person.
//! - What reads as an instruction, a destination or a concealment, and a tool that admits to more harm than it did, is
//!   withheld: whoever changed the words may have changed what is behind them.
//!
//! A change is always held against what a person approved, never against what was accepted since, so that no series of
//! small steps leads far away.

mod alter;
mod vocabulary;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use model::{Digest, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Definition;
use crate::judge::{Class, remarks_of};

/// What a part of a change is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The same said otherwise: a default spelled out, punctuation, a raster picture.
    Form,
    /// Words that are gone, or that are known.
    Wording,
    /// Arguments or values that are gone, or bounds that are closer.
    Narrowed,
    /// Arguments or values that are new, or bounds that are wider.
    Widened,
    /// Words that are not known, or a negation that is gone.
    NewWords,
    /// An annotation claims less harm than before.
    ClaimsLess,
    /// Something beside words and arguments: the answer's schema, extensions.
    Surface,
    /// An annotation admits more harm than before.
    AdmitsMore,
    /// Words that read as an instruction.
    Instruction,
    /// An address that was not there.
    Destination,
    /// Something is hidden, or kept from the person.
    Concealment,
}

impl Grade {
    /// Every grade, the least first.
    pub const ALL: [Self; 11] = [
        Self::Form,
        Self::Wording,
        Self::Narrowed,
        Self::Widened,
        Self::NewWords,
        Self::ClaimsLess,
        Self::Surface,
        Self::AdmitsMore,
        Self::Instruction,
        Self::Destination,
        Self::Concealment,
    ];

    /// The word used in documents and on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Wording => "wording",
            Self::Narrowed => "narrowed",
            Self::Widened => "widened",
            Self::NewWords => "new-words",
            Self::ClaimsLess => "claims-less",
            Self::Surface => "surface",
            Self::AdmitsMore => "admits-more",
            Self::Instruction => "instruction",
            Self::Destination => "destination",
            Self::Concealment => "concealment",
        }
    }

    /// What a reviewer reads.
    pub fn says(self) -> &'static str {
        match self {
            Self::Form => "says the same otherwise",
            Self::Wording => "has fewer words, or others that are known",
            Self::Narrowed => "takes less than it did",
            Self::Widened => "takes more than it did",
            Self::NewWords => "has words that were not read",
            Self::ClaimsLess => "claims to do less harm than it did",
            Self::Surface => "differs beside its words and arguments",
            Self::AdmitsMore => "admits that it may do more harm than it did",
            Self::Instruction => "reads as an instruction to a model",
            Self::Destination => "names an address that was not there",
            Self::Concealment => "hides something",
        }
    }

    /// Whether the tool cannot be used, even as it was approved.
    fn withholds(self) -> bool {
        match self {
            Self::AdmitsMore | Self::Instruction | Self::Destination | Self::Concealment => true,
            Self::Form
            | Self::Wording
            | Self::Narrowed
            | Self::Widened
            | Self::NewWords
            | Self::ClaimsLess
            | Self::Surface => false,
        }
    }
}

/// A grade that may be accepted without a person. What calls may hold is the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Harmless {
    /// The same said otherwise.
    Form,
    /// Words that are gone, or that are known.
    Wording,
}

impl Harmless {
    /// What a server's manifest accepts if it does not say.
    pub const USUAL: [Self; 2] = [Self::Form, Self::Wording];

    fn is(self, grade: Grade) -> bool {
        match self {
            Self::Form => grade == Grade::Form,
            Self::Wording => grade == Grade::Wording,
        }
    }
}

/// What follows from a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The definition is served as it is now.
    Accepted,
    /// The approved definition goes on being served, and calls must fit both.
    Pinned,
    /// Nothing of it is served.
    Withheld,
}

/// A part of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alteration {
    /// What it is.
    pub grade: Grade,
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What it is about: the words that are new, the rule that found something.
    pub about: String,
}

/// A change, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// Its parts, the weightiest first.
    pub alterations: Vec<Alteration>,
    /// Whether no call that fits what was approved could fit it as it is now.
    pub excludes: bool,
}

impl Graded {
    /// What follows from it, where `accepted` is called harmless.
    pub fn outcome(&self, accepted: &[Harmless]) -> Outcome {
        let harmless = |one: &Alteration| accepted.iter().any(|harmless| harmless.is(one.grade));
        if self.alterations.iter().any(|one| one.grade.withholds()) {
            Outcome::Withheld
        } else if self.alterations.iter().all(harmless) {
            Outcome::Accepted
        } else if self.excludes {
            Outcome::Withheld
        } else {
            Outcome::Pinned
        }
    }

    /// The weightiest grade; the least if nothing changed.
    pub fn grade(&self) -> Grade {
        weightiest(&self.alterations)
    }

    /// Whether nothing is lost while nobody looks, as long as calls fit both: no word is new that somebody should read.
    pub fn can_wait(&self) -> bool {
        can_wait(&self.alterations)
    }
}

/// The weightiest grade of a change; the least if nothing changed.
pub(crate) fn weightiest(alterations: &[Alteration]) -> Grade {
    alterations.iter().map(|one| one.grade).max().unwrap_or(Grade::Form)
}

/// Whether a change has no word that somebody should read.
pub(crate) fn can_wait(alterations: &[Alteration]) -> bool {
    weightiest(alterations) <= Grade::Widened
}

/// Grades that were made, by the digests of both definitions: they are asked for at every revision, and do not change.
static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
type Made = HashMap<(Digest, Digest), Arc<Graded>>;

/// Takes a change apart.
pub fn grade(old: &Definition, new: &Definition) -> Arc<Graded> {
    let key = (old.digest, new.digest);
    let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(graded) = made().get(&key) {
        return Arc::clone(graded);
    }
    let graded = Arc::new(graded(&old.value(), &new.value()));
    let mut made = made();
    if made.len() >= limits::DRIFT_GRADES_KEPT_MAX {
        made.clear();
    }
    made.insert(key, Arc::clone(&graded));
    graded
}

fn graded(old: &Value, new: &Value) -> Graded {
    let mut alterations = alter::alterations(old, new);
    alterations.extend(found_since(old, new));
    alterations.sort_by_key(|one| std::cmp::Reverse(one.grade));
    alterations.truncate(limits::ALTERATIONS_MAX);
    Graded { alterations, excludes: excludes(old, new) }
}

/// What the judge finds in the new words and did not find in the old.
fn found_since(old: &Value, new: &Value) -> Vec<Alteration> {
    let before: HashSet<&str> = remarks_of(old).iter().map(|remark| remark.rule).collect();
    let now = remarks_of(new).into_iter().filter(|remark| !before.contains(remark.rule));
    let graded = now.filter_map(|remark| {
        let grade = match remark.class {
            Class::Concealment | Class::Hidden => Grade::Concealment,
            Class::Destination => Grade::Destination,
            Class::Authority
            | Class::Scope
            | Class::Order
            | Class::Secret
            | Class::Prying
            | Class::Shadowing
            | Class::Preference
            | Class::Activation
            | Class::Together => Grade::Instruction,
            Class::LookAlike | Class::Effect | Class::Schema => return None,
        };
        // A word that honest tools have too makes no instruction alone; its being new is told by the words.
        let weighs = remark.points >= limits::DRIFT_POINTS_MIN || grade != Grade::Instruction;
        let about = if remark.excerpt.is_empty() { remark.rule.to_owned() } else { remark.excerpt };
        weighs.then_some(Alteration { grade, pointer: remark.pointer, about })
    });
    graded.collect()
}

/// Whether the new definition requires an argument that the old one does not declare: arguments that are not declared are
/// refused, so that no call fits both.
fn excludes(old: &Value, new: &Value) -> bool {
    let declared = old.pointer("/inputSchema/properties").and_then(Value::as_object);
    let required = new.pointer("/inputSchema/required").and_then(Value::as_array).into_iter().flatten();
    let mut names = required.filter_map(Value::as_str);
    let of_a_tool = names.any(|name| !declared.is_some_and(|declared| declared.contains_key(name)));
    let arguments = |of: &Value| of.get("arguments").and_then(Value::as_array).cloned().unwrap_or_default();
    let declared = arguments(old);
    let is_declared = |name: Option<&Value>| declared.iter().any(|one| one.get("name") == name);
    let is_required = |one: &&Value| one.get("required") == Some(&Value::Bool(true));
    of_a_tool || arguments(new).iter().filter(is_required).any(|one| !is_declared(one.get("name")))
}

#[cfg(test)]
mod tests;
