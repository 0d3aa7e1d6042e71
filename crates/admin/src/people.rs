//! Who may use the admin side: people with roles, known by bearer tokens of settings, or by sessions that they began by signing
//! in (`identity::people`).
//!
//! Neither has anything to do with tokens of agents: no token an agent holds names a person here, so an agent on the
//! gate's own machine cannot approve itself unless somebody hands it a person's token.

use axum::http::HeaderMap;
use identity::people::{Known, Session};
use model::{Actor, Role, Secret, limits};
use registry::Eyes;

/// A person on the admin side, as their token or their session shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who they are; receipts of changes carry it.
    pub who: Actor,
    /// What they may do.
    pub roles: Vec<Role>,
    /// The session they are in, where they signed in.
    pub session: Option<Session>,
}

impl Person {
    /// Whether one of the person's roles is among `roles`. An admin may do everything.
    pub fn has_one_of(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| *role == Role::Admin || roles.contains(role))
    }
}

impl From<Known> for Person {
    fn from(known: Known) -> Self {
        let Known { who, roles, session } = known;
        Self { who, roles, session: Some(session) }
    }
}

/// Everyone who may use the admin side.
pub struct People(Vec<Entry>);

struct Entry {
    name: String,
    person: Person,
    token: Secret<String>,
}

/// Why a list of people cannot be used. No variant carries a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// Nobody could ever use the admin side.
    #[error("nobody may use the admin side: name at least one person with a token")]
    Nobody,
    /// Receipts could not tell two people apart.
    #[error("two tokens are named `{0}`")]
    NameRepeated(String),
    /// A name that could not be printed in a receipt.
    #[error("a person's name is 1 to {max} bytes without control characters", max = limits::NAME_BYTES_MAX)]
    Name,
    /// A token that permits nothing.
    #[error("the token named `{0}` has no role")]
    NoRole(String),
    /// A token that could be guessed.
    #[error("the token named `{0}` has not {min} to {max} bytes", min = limits::ADMIN_TOKEN_BYTES_MIN, max = limits::TOKEN_BYTES_MAX)]
    Token(String),
}

impl People {
    /// The people with these names, roles and tokens.
    ///
    /// # Errors
    /// When the list is empty, or a name, a role or a token in it cannot be used.
    pub fn new(people: Vec<(String, Vec<Role>, Secret<String>)>) -> Result<Self, PeopleError> {
        let mut entries: Vec<Entry> = Vec::with_capacity(people.len());
        for (name, roles, token) in people {
            if name.is_empty() || name.len() > limits::NAME_BYTES_MAX || name.chars().any(char::is_control) {
                return Err(PeopleError::Name);
            }
            if entries.iter().any(|entry| entry.name == name) {
                return Err(PeopleError::NameRepeated(name));
            }
            if roles.is_empty() {
                return Err(PeopleError::NoRole(name));
            }
            if !(limits::ADMIN_TOKEN_BYTES_MIN..=limits::TOKEN_BYTES_MAX).contains(&token.bytes()) {
                return Err(PeopleError::Token(name));
            }
            let person = Person { who: Actor::Person(name.clone()), roles, session: None };
            entries.push(Entry { name, person, token });
        }
        if entries.is_empty() {
            return Err(PeopleError::Nobody);
        }
        Ok(Self(entries))
    }

    /// Whose eyes a server has to pass that this person would approve: who submits one does not approve it, wherever somebody
    /// else could. Where people sign in, somebody else always could.
    pub(crate) fn eyes(&self, approver: &Person, people_sign_in: bool) -> Eyes {
        let others = self.0.iter().map(|entry| &entry.person).filter(|person| person.who != approver.who);
        match people_sign_in || others.into_iter().any(|person| person.has_one_of(&[Role::Approver])) {
            true => Eyes::Four,
            false => Eyes::Two,
        }
    }

    /// Nobody: where people sign in, nobody needs a token.
    pub fn nobody() -> Self {
        Self(Vec::new())
    }

    /// The person whose token the request carries, if it carries exactly one token and exactly one person holds it.
    pub(crate) fn person(&self, headers: &HeaderMap) -> Option<&Person> {
        let token = identity::bearer_token(headers).ok()?;
        // Every entry is compared, in constant time each, so that time does not tell which one came close. A token
        // that two people hold names neither: a receipt must say who it was.
        let mut holders = self.0.iter().filter(|entry| entry.token.matches(token)).collect::<Vec<_>>().into_iter();
        match (holders.next(), holders.next()) {
            (Some(entry), None) => Some(&entry.person),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }
}

#[cfg(test)]
mod tests;
