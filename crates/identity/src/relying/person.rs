//! From claims to a person.

use model::{GroupName, UserId, limits};
use serde_json::{Map, Value};

use super::metadata::Metadata;
use super::token::Answer;
use super::{Provider, Relying, RelyingError};
use crate::port::Person;

/// The person that claims are about.
pub(super) fn of(provider: &Provider, claims: &Map<String, Value>) -> Result<Person, RelyingError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let subject = text("sub").filter(|subject| !subject.is_empty()).ok_or(RelyingError::Unfit("it is about nobody"))?;
    let user = &provider.claims.user;
    if user == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Err(RelyingError::Unfit("nobody verified the email address that people are known by"));
    }
    let user = text(user).and_then(|user| user.parse::<UserId>().ok());
    let user = user.ok_or(RelyingError::Unfit("it does not say what the person is called"))?;
    Ok(Person {
        issuer: provider.issuer.clone(),
        subject: subject.to_owned(),
        session: text("sid").map(str::to_owned),
        user,
        groups: groups(provider, claims)?,
        acr: text("acr").map(str::to_owned),
        amr: texts(claims.get("amr")).unwrap_or_default(),
        auth_time: claims.get("auth_time").and_then(Value::as_u64),
    })
}

/// A person who was asked after again at the userinfo endpoint, and is what it says now.
pub(super) async fn renewed(
    relying: &Relying,
    metadata: &Metadata,
    known: &Person,
    answer: &Answer,
) -> Result<Person, RelyingError> {
    let told = relying.userinfo(metadata, answer).await?;
    let now = of(&relying.provider, &told)?;
    if now.subject != known.subject {
        return Err(RelyingError::Unfit("the userinfo is about somebody else"));
    }
    Ok(Person { user: now.user, groups: now.groups, ..known.clone() })
}

/// Groups decide: one that cannot be read, or that was left out, may be the one that forbids.
fn groups(provider: &Provider, claims: &Map<String, Value>) -> Result<Vec<GroupName>, RelyingError> {
    let name = provider.claims.groups.as_str();
    let elsewhere = claims.get("_claim_names").and_then(Value::as_object);
    if elsewhere.is_some_and(|names| names.contains_key(name)) {
        return Err(RelyingError::Unfit("the person's groups are too many for the token"));
    }
    let Some(told) = claims.get(name) else { return Ok(Vec::new()) };
    let told = texts(Some(told)).ok_or(RelyingError::Unfit("the person's groups are no list of names"))?;
    if told.len() > limits::GROUPS_MAX {
        return Err(RelyingError::Unfit("the person is in too many groups"));
    }
    let groups = told.iter().map(|group| group.parse());
    groups.collect::<Result<_, _>>().map_err(|_| RelyingError::Unfit("a group's name is none"))
}

fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    match value? {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(several) => several.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
