//! `portcullis inspect dictionary|exact|documents …`: makes files of what an organisation knows, which tell nothing to whoever
//! has no key.

use std::path::{Path, PathBuf};

use ::inspect::{About, Kind, KnownError, Set};
use clap::Args;
use model::{Class, RuleId, Severity, limits};

use super::failure::Failure;
use super::paint::{self, NAME};
use crate::inspection;
use crate::settings::Loaded;
use crate::system::SystemEntropy;

/// What a set says of itself, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Known {
    /// What it is made of
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What it is called: its findings are of the rule `known.NAME`
    #[arg(long)]
    name: String,
    /// The class of its findings
    #[arg(long, default_value = "known")]
    class: String,
    /// How much harm it does when such a thing is told: low, medium, high or critical
    #[arg(long, default_value = "high")]
    severity: String,
    /// Columns of one row that have to stand near each other, or fingerprints of one document
    #[arg(long, default_value_t = 2)]
    enough: u32,
    /// Where the set is written
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The gate's settings: the key of its fingerprints is in the data directory that they name
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml", env = "PORTCULLIS_CONFIG")]
    config: PathBuf,
}

impl Known {
    /// Makes it.
    pub(crate) fn make(&self, kind: Kind) -> Result<(), Failure> {
        let about = self.about(kind)?;
        let loaded = Loaded::read(&self.config).map_err(|error| Failure::new(format!("{error:#}")))?;
        let key = inspection::key(&loaded.data(), &SystemEntropy::default());
        let key = key.map_err(|error| Failure::new(format!("{error:#}")))?;
        let texts = self.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, Failure>>()?;
        let lines = || texts.iter().flat_map(|text| text.lines());
        let set = match kind {
            Kind::Dictionary => Set::dictionary(about, &key, lines()),
            Kind::Exact => Set::exact(about, &key, lines().map(columns)),
            Kind::Documents => Set::documents(about, &key, texts.iter().map(String::as_str)),
        };
        let failed = |error: KnownError| Failure::of(&error);
        let set = set.map_err(failed)?;
        let file = set.to_file(&key).map_err(failed)?;
        let out = self.out.display();
        std::fs::write(&self.out, &file).map_err(|error| Failure::new(format!("write `{out}`: {error}")))?;
        let entries = paint::count(set.count(), "fingerprint");
        paint::out(&format!(
            "{NAME}{out}{NAME:#}  {entries}\n\nAdd it to the settings:\n\n[inspection]\nknown = [\"{out}\"]\n"
        ))
    }

    fn about(&self, kind: Kind) -> Result<About, Failure> {
        let name = format!("known.{}", self.name);
        let rule = name.parse::<RuleId>().map_err(|error| Failure::usage(format!("`{}`: {error}", self.name)))?;
        let class =
            self.class.parse::<Class>().map_err(|error| Failure::usage(format!("`{}`: {error}", self.class)))?;
        let named = |severity: &Severity| severity.as_str() == self.severity;
        let severity = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical].into_iter().find(named);
        let severity = severity.ok_or_else(|| Failure::usage(format!("`{}` is no severity", self.severity)))?;
        if self.enough == 0 {
            return Err(Failure::usage("`--enough 0` would see it in every text"));
        }
        Ok(About { kind, rule, class, severity, enough: self.enough })
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let shown = file.display();
    let size = std::fs::metadata(file).map_err(|error| Failure::new(format!("read `{shown}`: {error}")))?.len();
    if size > limits::KNOWN_SOURCE_BYTES_MAX {
        return Err(Failure::new(format!("`{shown}` is larger than {} bytes", limits::KNOWN_SOURCE_BYTES_MAX)));
    }
    std::fs::read_to_string(file).map_err(|error| Failure::new(format!("read `{shown}`: {error}")))
}

/// The columns of a line: between commas, or within quotes (RFC 4180, a record on one line).
fn columns(line: &str) -> Vec<String> {
    let (mut columns, mut column, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                column.push('"');
                letters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => columns.push(std::mem::take(&mut column)),
            other => column.push(other),
        }
    }
    columns.push(column);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_columns() {
        assert_eq!(columns(r#"Ann,"Lee, ""A""",,1"#), ["Ann", r#"Lee, "A""#, "", "1"]);
    }
}
