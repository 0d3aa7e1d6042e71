//! Who may use the admin side: people with roles, known by bearer tokens.
//!
//! These tokens have nothing to do with those of agents: no token an agent holds names a person here, so an agent on the
//! gate's own machine cannot approve itself unless somebody hands it a person's token.

use axum::http::HeaderMap;
use model::{Actor, Role, Secret, limits};

/// A person on the admin side, as their token shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name their token was given; receipts of changes carry it.
    pub name: String,
    /// What they may do.
    pub roles: Vec<Role>,
}

impl Person {
    /// Whether one of the person's roles is among `roles`. An admin may do everything.
    pub fn has_one_of(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| *role == Role::Admin || roles.contains(role))
    }

    /// The person's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The person as changes record them.
    pub fn actor(&self) -> Actor {
        Actor::Person(self.name.clone())
    }
}

/// Everyone who may use the admin side.
pub struct People(Vec<Entry>);

struct Entry {
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
            if entries.iter().any(|entry| entry.person.name == name) {
                return Err(PeopleError::NameRepeated(name));
            }
            if roles.is_empty() {
                return Err(PeopleError::NoRole(name));
            }
            if !(limits::ADMIN_TOKEN_BYTES_MIN..=limits::TOKEN_BYTES_MAX).contains(&token.bytes()) {
                return Err(PeopleError::Token(name));
            }
            entries.push(Entry { person: Person { name, roles }, token });
        }
        if entries.is_empty() {
            return Err(PeopleError::Nobody);
        }
        Ok(Self(entries))
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
