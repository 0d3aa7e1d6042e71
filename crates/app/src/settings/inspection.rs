//! `[inspection]`: rules of an organisation's own, canary tokens, and findings that are not told.

mod callouts;

use std::path::PathBuf;

use gateway::{Suppression, Suppressions};
use inspect::{Inspector, Rules, Set, Value, Values};
use model::{Fingerprint, FingerprintKey, RuleId, ServerName, Timestamp, ToolName, limits};
use registry::manifest::{Line, Mistake};
use serde::Deserialize;

pub(crate) use callouts::Callout;

use super::Loaded;
use super::place::Step::{Index, Key};

/// What is looked for beside what the rules see that ship, and what is not told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Inspection {
    /// Files of rules, as `portcullis inspect test --rules FILE` tries them; relative to the settings file.
    pub rules: Vec<PathBuf>,
    /// Files of what the organisation knows, as `portcullis inspect dictionary`, `exact` and `documents` make them.
    pub known: Vec<PathBuf>,
    /// Tokens that nobody has a reason to say: `portcullis canary new` makes one.
    #[serde(rename = "canary")]
    pub canaries: Vec<Canary>,
    /// Findings that are known to be none.
    #[serde(rename = "suppress")]
    pub suppressions: Vec<Suppress>,
    /// Detectors of the organisation's own, asked over HTTP.
    #[serde(rename = "callout")]
    pub callouts: Vec<Callout>,
    /// Whether detectors may be MCP servers of interceptors: a proposal (SEP-2624) that may change any day.
    pub experimental_interceptors: bool,
}

/// A canary token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Canary {
    /// What it is laid beside: the rule of its findings is `canary.NAME`.
    pub name: String,
    /// By what it is known.
    pub fingerprint: Fingerprint,
}

/// Findings that are not told, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suppress {
    /// The rule that errs.
    pub rule: RuleId,
    /// At this server alone.
    pub server: Option<ServerName>,
    /// At this tool of the server's alone.
    pub tool: Option<ToolName>,
    /// At this place of messages alone: a JSON pointer in which `*` stands for any one key or index.
    pub pointer: Option<String>,
    /// Who answers for it.
    pub owner: Line,
    /// Why.
    pub reason: Line,
    /// The last day on which it counts, in UTC: `2027-01-31`.
    pub until: String,
}

impl Loaded {
    /// What looks into messages.
    ///
    /// # Errors
    /// When a file of rules, or of what the organisation knows, cannot be read or is not well formed.
    pub(crate) fn inspector(&self, key: FingerprintKey) -> Result<Inspector, Mistake> {
        let failed = |index: usize, error: &dyn std::error::Error| {
            self.wrong(&[Key("inspection"), Key("rules"), Index(index)], model::with_causes(error))
        };
        let mut rules = Rules::standard().map_err(|error| failed(0, &error))?;
        for (index, file) in self.settings.inspection.rules.iter().enumerate() {
            let text = std::fs::read_to_string(self.base().join(file)).map_err(|error| {
                failed(index, &error).with_hint(format!("there has to be a file of rules at `{}`", file.display()))
            })?;
            rules = rules.and(&file.display().to_string(), &text).map_err(|error| failed(index, &error))?;
        }
        Inspector::knowing(rules, key, self.known(key)?).map_err(|error| failed(0, &error))
    }

    /// What the organisation knows.
    fn known(&self, key: FingerprintKey) -> Result<Vec<Set>, Mistake> {
        let wanted = &self.settings.inspection.known;
        let at = |index: usize| [Key("inspection"), Key("known"), Index(index)];
        if wanted.len() > limits::KNOWN_FILES_MAX {
            let message = format!("there are {} files; at most {} are taken", wanted.len(), limits::KNOWN_FILES_MAX);
            return Err(self.wrong(&at(limits::KNOWN_FILES_MAX), message));
        }
        let read = |(index, file): (usize, &PathBuf)| {
            let path = self.base().join(file);
            let failed = |why: &str| {
                let hint = "`portcullis inspect dictionary`, `exact` and `documents` make one";
                self.wrong(&at(index), format!("`{}`: {why}", file.display())).with_hint(hint)
            };
            let size = std::fs::metadata(&path).map_err(|error| failed(&error.to_string()))?.len();
            if size > limits::KNOWN_FILE_BYTES_MAX {
                return Err(failed("it is too large"));
            }
            let bytes = std::fs::read(&path).map_err(|error| failed(&error.to_string()))?;
            Set::of_file(&bytes, &key).map_err(|error| failed(&model::with_causes(&error)))
        };
        wanted.iter().enumerate().map(read).collect()
    }

    /// The canary tokens, by their fingerprints under this key.
    ///
    /// # Errors
    /// When a name is none.
    pub(crate) fn canaries(&self, key: FingerprintKey) -> Result<Values, Mistake> {
        let value = |(index, canary): (usize, &Canary)| {
            let rule = format!("canary.{}", canary.name).parse::<RuleId>().map_err(|error| {
                self.wrong(&[Key("inspection"), Key("canary"), Index(index), Key("name")], error.to_string())
            })?;
            let class = "canary".parse().map_err(|_| self.wrong(&[Key("inspection")], "`canary` is no class"))?;
            Ok(Value { fingerprint: canary.fingerprint, rule, class })
        };
        let each = self.settings.inspection.canaries.iter().enumerate().map(value).collect::<Result<Vec<_>, _>>()?;
        Ok(Values::new(key, each))
    }

    /// The findings that are not told.
    ///
    /// # Errors
    /// When there are too many, or one does not say until when, or names a tool and no server.
    pub(crate) fn suppressions(&self) -> Result<Suppressions, Mistake> {
        let wanted = &self.settings.inspection.suppressions;
        let at = |index: usize, key: &'static str| [Key("inspection"), Key("suppress"), Index(index), Key(key)];
        if wanted.len() > limits::SUPPRESSIONS_MAX {
            let message =
                format!("there are {} suppressions; at most {} are taken", wanted.len(), limits::SUPPRESSIONS_MAX);
            return Err(self.wrong(&at(0, "rule"), message).with_hint("mend the rules that err"));
        }
        let mut all = Vec::new();
        for (index, one) in wanted.iter().enumerate() {
            if one.tool.is_some() && one.server.is_none() {
                return Err(self.wrong(&at(index, "tool"), "a tool without its server").with_hint("add `server`"));
            }
            let until = end_of(&one.until).ok_or_else(|| {
                self.wrong(&at(index, "until"), format!("`{}` is no day", one.until))
                    .with_hint("write it as `2027-01-31`")
            })?;
            all.push(Suppression {
                rule: one.rule.clone(),
                server: one.server.clone(),
                tool: one.tool.clone(),
                pointer: one.pointer.clone(),
                owner: one.owner.to_string(),
                reason: one.reason.to_string(),
                until,
            });
        }
        Ok(Suppressions::new(all))
    }
}

/// The end of a day in UTC.
fn end_of(day: &str) -> Option<Timestamp> {
    let day: jiff::civil::Date = day.parse().ok()?;
    let end = day.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    u64::try_from(end.timestamp().as_millisecond()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests;
