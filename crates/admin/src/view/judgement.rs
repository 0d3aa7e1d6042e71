//! What the API shows of judged definitions, and of changes taken apart.

use registry::{Alteration, Changed, Judged, Judgement, Level, Outcome, Remark};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the words of a server's definitions try to do, as far as wording shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgementRow {
    /// The highest score of a definition, from 0 to 100.
    pub score: u32,
    /// `low`, `medium` or `high`.
    pub level: String,
    /// The definitions of which there is something to say, the highest score first.
    pub definitions: Vec<JudgedRow>,
}

/// One definition, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedRow {
    /// Which: `tool find`; `instructions`.
    pub within: String,
    /// The points of the remarks together, at most 100.
    pub score: u32,
    /// `low`, `medium` or `high`.
    pub level: String,
    /// Why.
    pub remarks: Vec<RemarkRow>,
}

/// One line of the explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemarkRow {
    /// The rule: `concealment.untold`.
    pub rule: String,
    /// What kind of thing it is about.
    pub class: String,
    /// What it adds to the score.
    pub points: u32,
    /// Where in the definition, as a JSON pointer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// What it says, of the definition.
    pub says: String,
    /// The words it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
}

/// A changed definition, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRow {
    /// `tool`, `prompt` or `template`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What follows: `accepted`, it is served as it is now; `pinned`, the approved one is served on, and calls must fit both;
    /// `withheld`.
    pub outcome: String,
    /// Its parts, the weightiest first.
    pub alterations: Vec<AlterationRow>,
}

/// A part of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlterationRow {
    /// What it is: `form`, `wording`, `narrowed`, `widened`, `new-words`, `claims-less`, `surface`, `admits-more`,
    /// `instruction`, `destination`, `concealment`.
    pub grade: String,
    /// The same in words.
    pub says: String,
    /// Where in the definition, as a JSON pointer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// What it is about: the words that are new, or that were found.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
}

impl From<Judgement> for JudgementRow {
    fn from(judgement: Judgement) -> Self {
        let Judgement { score, level, judged } = judgement;
        let mut told: Vec<Judged> = judged.into_iter().filter(|one| !one.remarks.is_empty()).collect();
        told.sort_by_key(|one| std::cmp::Reverse(one.score));
        let definitions = told.into_iter().map(JudgedRow::from).collect();
        Self { score, level: level.as_str().to_owned(), definitions }
    }
}

impl From<Judged> for JudgedRow {
    fn from(judged: Judged) -> Self {
        let Judged { named, effect: _, score, level, remarks } = judged;
        let within = named.map_or_else(|| "instructions".to_owned(), |one| format!("{} {}", one.kind, one.name));
        let remarks = remarks.into_iter().map(RemarkRow::from).collect();
        Self { within, score, level: level.as_str().to_owned(), remarks }
    }
}

impl From<Remark> for RemarkRow {
    fn from(remark: Remark) -> Self {
        let Remark { rule, class, points, pointer, says, excerpt } = remark;
        let (rule, class, says) = (rule.to_owned(), class.as_str().to_owned(), says.to_owned());
        Self { rule, class, points, pointer, says, excerpt }
    }
}

impl From<&Changed> for ChangeRow {
    fn from(changed: &Changed) -> Self {
        let outcome = match changed.outcome {
            Outcome::Accepted => "accepted",
            Outcome::Pinned => "pinned",
            Outcome::Withheld => "withheld",
        };
        Self {
            kind: changed.kind.as_str().to_owned(),
            name: changed.name.clone(),
            outcome: outcome.to_owned(),
            alterations: changed.alterations.iter().map(AlterationRow::from).collect(),
        }
    }
}

impl From<&Alteration> for AlterationRow {
    fn from(alteration: &Alteration) -> Self {
        let Alteration { grade, pointer, about } = alteration;
        let (grade, says) = (grade.as_str().to_owned(), grade.says().to_owned());
        Self { grade, says, pointer: pointer.clone(), about: about.clone() }
    }
}

impl JudgementRow {
    /// Whether something should not be approved without a good reason.
    pub fn is_high(&self) -> bool {
        self.level == Level::High.as_str()
    }
}
