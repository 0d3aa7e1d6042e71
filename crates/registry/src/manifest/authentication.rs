//! What an endpoint asks of a caller's token beside being good: `[authentication]` of its manifest.

use model::{Assurance, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Misfit;
use super::text::Line;

/// What a caller must prove at an endpoint, beyond who they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demands {
    /// Classes of sign-in, of which one must be the person's (`acr`); any, if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr: Vec<Line>,
    /// Methods of sign-in, all of which the person used (`amr`, RFC 8176): `mfa`, `hwk`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<Line>,
    /// Seconds since the person signed in, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u64>,
    /// Scopes, all of which the token has. They permit nothing by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Line>,
    /// How well the agent must be known at least: `key-bound` asks for a proof of possession with each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub assurance: Option<Assurance>,
}

impl Demands {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self) -> Result<(), Misfit> {
        for (key, list) in [("acr", &self.acr), ("amr", &self.amr), ("scopes", &self.scopes)] {
            let is_word =
                |line: &Line| line.as_str().bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
            if list.len() > limits::SCOPES_MAX || !list.iter().all(is_word) {
                let why = format!("name at most {} words without spaces, quotes and backslashes", limits::SCOPES_MAX);
                return Err(Misfit::new(format!("authentication.{key}"), why));
            }
        }
        Ok(())
    }
}
