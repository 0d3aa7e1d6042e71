//! `[[inspection.callout]]`: a detector of the organisation's own, asked over HTTP.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use egress::{Client, Reach};
use gateway::{About, Callouts, Fails, Sends, Speaks};
use identity::fetch::Outbound;
use ipnet::IpNet;
use model::{RuleId, SecretReference, ServerName, limits};
use policy::Action;
use registry::manifest::Mistake;
use serde::Deserialize;
use url::Url;

use super::super::Loaded;
use super::super::place::Step::{self, Index, Key};

/// A detector.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Callout {
    /// The rules of what it finds are `callout.NAME` and what stands below that.
    pub name: String,
    /// Where it is asked: `https`, or plain in a network of this machine.
    pub url: String,
    /// Where the token is kept that it is sent as `Authorization: Bearer`.
    pub token: Option<SecretReference>,
    /// The networks it may be in; any public address if none is named.
    pub networks: Option<Vec<IpNet>>,
    /// What it is asked about: `call`, `release`, `ask`.
    #[serde(default = "all")]
    pub about: Vec<Way>,
    /// Messages to and from these servers alone.
    #[serde(default)]
    pub servers: Vec<ServerName>,
    /// The message as it is, or without what the gate found in it.
    #[serde(default)]
    pub sends: Sent,
    /// What a message does that it has not looked at.
    pub fails: Failure,
    /// How long it is waited for.
    #[serde(default = "milliseconds")]
    pub milliseconds: u64,
    /// Questions that it is asked at the same time.
    #[serde(default = "questions")]
    pub at_once: usize,
    /// Which interceptors are asked, if it is an MCP server of such.
    pub interceptors: Option<Interceptors>,
}

/// The interceptors of a server that are asked, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Interceptors {
    /// They say whether a message may pass.
    pub validators: Vec<String>,
    /// They make another message of one.
    pub mutators: Vec<String>,
}

/// What goes which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// To a server.
    Call,
    /// From a server.
    Release,
    /// Questions of a server, and answers to them.
    Ask,
}

/// What is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sent {
    /// Without what the gate found.
    #[default]
    Redacted,
    /// As it is.
    Whole,
}

/// What follows when it does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Failure {
    /// The message goes on, with a finding that says so.
    Open,
    /// The message is refused.
    Closed,
}

fn all() -> Vec<Way> {
    vec![Way::Call, Way::Release, Way::Ask]
}

fn milliseconds() -> u64 {
    limits::CALLOUT_MILLISECONDS
}

fn questions() -> usize {
    limits::CALLOUT_QUESTIONS
}

impl Loaded {
    /// The detectors that are asked over HTTP.
    ///
    /// # Errors
    /// When there are too many, or one has a name twice, a URL that cannot be asked, a token that cannot be read, or a
    /// bound out of bounds.
    pub(crate) fn callouts(&self, egress: &Client) -> Result<Callouts, Mistake> {
        let wanted = &self.settings.inspection.callouts;
        let mut names = BTreeSet::new();
        let mut all = Vec::new();
        for (index, callout) in wanted.iter().enumerate() {
            let at = |key: &'static str| [Key("inspection"), Key("callout"), Index(index), Key(key)];
            if index >= limits::CALLOUTS_MAX {
                let message =
                    format!("there are {} detectors; at most {} are asked", wanted.len(), limits::CALLOUTS_MAX);
                return Err(self.wrong(&at("name"), message));
            }
            if format!("callout.{}.failed", callout.name).parse::<RuleId>().is_err() || callout.name.contains('.') {
                let message = format!("`{}` is no name of a detector", callout.name);
                return Err(self.wrong(&at("name"), message).with_hint("use small letters, digits and `-`"));
            }
            if !names.insert(&callout.name) {
                return Err(self.wrong(&at("name"), format!("there is a detector `{}` already", callout.name)));
            }
            let bounded = [
                ("milliseconds", callout.milliseconds, limits::CALLOUT_MILLISECONDS_MAX),
                ("at_once", wide(callout.at_once), wide(limits::CALLOUT_QUESTIONS_MAX)),
            ];
            for (key, value, most) in bounded {
                if !(1..=most).contains(&value) {
                    return Err(self.wrong(&at(key), format!("`{value}` is not between 1 and {most}")));
                }
            }
            let speaks = self.speaks(callout, at)?;
            all.push(self.callout(callout, speaks, egress, at)?);
        }
        Ok(Callouts::new(all))
    }

    /// How a detector is spoken to.
    fn speaks(&self, callout: &Callout, at: impl Fn(&'static str) -> [Step<'static>; 4]) -> Result<Speaks, Mistake> {
        let Some(Interceptors { validators, mutators }) = &callout.interceptors else { return Ok(Speaks::Findings) };
        let wrong = |message: String| self.wrong(&at("interceptors"), message);
        if !self.settings.inspection.experimental_interceptors {
            let message = "interceptors are a proposal to MCP (SEP-2624) and may change any day";
            return Err(wrong(message.to_owned())
                .with_hint("write `experimental_interceptors = true` under `[inspection]` to use them all the same"));
        }
        let names: Vec<&String> = validators.iter().chain(mutators).collect();
        if names.is_empty() || names.len() > limits::INTERCEPTORS_MAX {
            return Err(wrong(format!(
                "there are {} interceptors; 1 to {} are asked",
                names.len(),
                limits::INTERCEPTORS_MAX
            )));
        }
        let mut known = BTreeSet::new();
        for name in names {
            if format!("callout.{}.{name}", callout.name).parse::<RuleId>().is_err() {
                return Err(wrong(format!("`{name}` is no name of an interceptor"))
                    .with_hint("use small letters, digits, `-` and `.`"));
            }
            if name == "failed" || !known.insert(name) {
                return Err(wrong(format!("`{name}` names something else already")));
            }
        }
        if !mutators.is_empty() && callout.sends == Sent::Redacted {
            return Err(self
                .wrong(&at("interceptors"), "a mutator has to see the message that it is to change")
                .with_hint("write `sends = \"whole\"` if it may, or name validators alone"));
        }
        Ok(Speaks::Interceptors { validators: validators.clone(), mutators: mutators.clone() })
    }

    fn callout(
        &self,
        callout: &Callout,
        speaks: Speaks,
        egress: &Client,
        at: impl Fn(&'static str) -> [Step<'static>; 4],
    ) -> Result<gateway::Callout, Mistake> {
        let Callout { name, url, token, networks, about, servers, sends, fails, milliseconds, at_once, .. } = callout;
        let reach = networks.clone().map_or_else(Reach::internet, Reach::new);
        let way = Outbound::new(egress, &format!("the detector `{name}`"), &reach);
        let read = Url::parse(url).ok().filter(|url| way.takes(url).is_ok()).ok_or_else(|| {
            let message = format!("`{url}` cannot be asked: `https`, or plain in a network of this machine");
            self.wrong(&at("url"), message)
                .with_hint("write `https://…`; name the `networks` it is in if they are your own")
        })?;
        let bearer = |token: &SecretReference| -> Result<_, Mistake> {
            Ok(identity::bearer(&self.secret(token, &at("token"))?))
        };
        let action = |way: &Way| match way {
            Way::Call => Action::Call,
            Way::Release => Action::Release,
            Way::Ask => Action::Ask,
        };
        Ok(gateway::Callout {
            name: name.clone(),
            url: read,
            way: Arc::new(way),
            authorization: token.as_ref().map(bearer).transpose()?,
            about: About { actions: about.iter().map(action).collect(), servers: servers.iter().cloned().collect() },
            sends: match sends {
                Sent::Redacted => Sends::Redacted,
                Sent::Whole => Sends::Whole,
            },
            fails: match fails {
                Failure::Open => Fails::Open,
                Failure::Closed => Fails::Closed,
            },
            patience: Duration::from_millis(*milliseconds),
            questions: *at_once,
            speaks,
        })
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
