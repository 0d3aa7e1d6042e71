//! What was taken out of messages and may be put back: placeholders such as `[personal.email#b3kd…]`.
//!
//! A placeholder stands for a value of one caller's. What a server said is put back in what that caller sends to the very
//! server, or to one that the policy names which had it taken out; what a caller said is put back in what it is answered. For
//! everybody and everything else it is a word that means nothing: made up, seen elsewhere, or another caller's.
//!
//! The values are kept in memory only, each sealed for the caller and for where it came from, so that a mistake in finding the
//! right one gives nothing. They are bounded, and forgotten when their caller is silent for long; a placeholder that is
//! forgotten stays as it is.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use identity::Seal;
use inspect::{Restored, Taken};
use model::{Digest, Entropy, PolicyId, ServerName, SessionKey, Timestamp, limits};

use crate::holder;

/// Every caller's placeholders.
pub struct Tokens {
    seal: Seal,
    entropy: Arc<dyn Entropy>,
    callers: Mutex<Callers>,
    /// Whether anything of anybody's is kept: each message asks, and most often nothing is.
    any: AtomicBool,
}

#[derive(Default)]
struct Callers {
    each: HashMap<SessionKey, Kept>,
    bytes: usize,
}

/// One caller's.
struct Kept {
    by_placeholder: HashMap<String, Token>,
    /// The same thing has the same placeholder, so that a model can tell that it is the same.
    by_thing: HashMap<Digest, String>,
    /// Giver the oldest to the newest.
    order: VecDeque<String>,
    last_used: Timestamp,
}

struct Token {
    sealed: String,
    giver: Giver,
    /// The policies that had it taken out.
    policies: BTreeSet<PolicyId>,
    thing: Digest,
    is_number: bool,
}

/// Who said what was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Giver {
    /// The caller.
    Caller,
    /// A server.
    Server(ServerName),
}

impl Giver {
    fn words(&self) -> [&str; 2] {
        match self {
            Self::Caller => ["said by the caller", ""],
            Self::Server(server) => ["said by the server", server.as_str()],
        }
    }
}

impl Tokens {
    /// None yet; what they stand for is sealed by `seal`.
    pub fn new(seal: Seal, entropy: Arc<dyn Entropy>) -> Self {
        Self { seal, entropy, callers: Mutex::default(), any: AtomicBool::new(false) }
    }

    /// Whether there is anything of this caller's that could be put back.
    pub(crate) fn knows(&self, owner: &SessionKey) -> bool {
        self.any.load(Ordering::Acquire) && self.callers().each.contains_key(owner)
    }

    /// The placeholder of something that is taken out of a message of this caller's. What cannot be kept is taken out for good.
    pub(crate) fn token(
        &self,
        owner: &SessionKey,
        giver: &Giver,
        policies: &BTreeSet<PolicyId>,
        taken: Taken<'_>,
        now: Timestamp,
    ) -> String {
        let plain = || inspect::placeholder(taken.finding);
        if taken.text.len() > limits::TOKENISED_BYTES_MAX {
            return plain();
        }
        let bound = holder::bound(owner, &giver.words());
        let Some(sealed) = self.seal.seal_text(taken.text.as_bytes(), &bound) else { return plain() };
        let thing = thing(giver, taken);
        let placeholder = inspect::reversible(taken.finding, &mark(self.entropy.bits()));
        let (giver, policies) = (giver.clone(), policies.clone());
        let token = Token { sealed, giver, policies, thing, is_number: taken.is_number };
        let mut callers = self.callers();
        self.any.store(true, Ordering::Release);
        callers.keep(owner, placeholder, token, now)
    }

    /// What is sent to a server, with what this caller may have told it; `may` says it of policies that had something taken out.
    pub(crate) fn for_server(
        &self,
        owner: &SessionKey,
        server: &ServerName,
        text: &str,
        may: impl Fn(&PolicyId) -> bool,
        now: Timestamp,
    ) -> Option<String> {
        let within = |pointer: &str| {
            ["/params/arguments/", "/params/argument/", "/params/inputResponses/"]
                .iter()
                .any(|place| pointer.starts_with(place))
        };
        self.restored(owner, text, now, within, |token| match &token.giver {
            Giver::Server(origin) => origin == server || token.policies.iter().any(&may),
            Giver::Caller => false,
        })
    }

    /// What is answered to a caller, with what it had said itself.
    pub(crate) fn for_caller(&self, owner: &SessionKey, text: &str, now: Timestamp) -> Option<String> {
        let within = |pointer: &str| !matches!(pointer, "/id" | "/method" | "/jsonrpc");
        self.restored(owner, text, now, within, |token| token.giver == Giver::Caller)
    }

    fn restored(
        &self,
        owner: &SessionKey,
        text: &str,
        now: Timestamp,
        within: impl Fn(&str) -> bool,
        may: impl Fn(&Token) -> bool,
    ) -> Option<String> {
        let mut callers = self.callers();
        let kept = callers.each.get_mut(owner)?;
        kept.last_used = now;
        inspect::restore(text, within, |placeholder| {
            let token = kept.by_placeholder.get(placeholder).filter(|token| may(token))?;
            let opened = self.seal.open_text(&token.sealed, &holder::bound(owner, &token.giver.words()))?;
            Some(Restored { text: String::from_utf8(opened).ok()?, is_number: token.is_number })
        })
    }

    /// Forgets what belongs to callers that have been silent for long.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let mut callers = self.callers();
        let silent = |kept: &Kept| now.milliseconds_since(kept.last_used) > limits::TOKENS_IDLE_MILLISECONDS_MAX;
        let over: Vec<SessionKey> =
            callers.each.iter().filter(|(_, kept)| silent(kept)).map(|(owner, _)| owner.clone()).collect();
        over.iter().for_each(|owner| callers.forget(owner));
        self.any.store(!callers.each.is_empty(), Ordering::Release);
    }

    fn callers(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callers {
    fn keep(&mut self, owner: &SessionKey, placeholder: String, token: Token, now: Timestamp) -> String {
        if let Some(known) = self.known(owner, &token, now) {
            return known;
        }
        if !self.each.contains_key(owner) && self.each.len() >= limits::TOKEN_CALLERS_MAX {
            self.forget_longest_unused(owner);
        }
        let bytes = placeholder.len() + token.sealed.len();
        while self.bytes.saturating_add(bytes) > limits::TOKENS_BYTES_MAX && self.forget_longest_unused(owner) {}
        let none = || Kept {
            by_placeholder: HashMap::new(),
            by_thing: HashMap::new(),
            order: VecDeque::new(),
            last_used: now,
        };
        let kept = self.each.entry(owner.clone()).or_insert_with(none);
        kept.last_used = now;
        self.bytes = self.bytes.saturating_add(bytes);
        kept.by_thing.insert(token.thing, placeholder.clone());
        kept.by_placeholder.insert(placeholder.clone(), token);
        kept.order.push_back(placeholder.clone());
        if kept.order.len() > limits::TOKENS_PER_CALLER_MAX
            && let Some(oldest) = kept.order.pop_front()
            && let Some(token) = kept.by_placeholder.remove(&oldest)
        {
            kept.by_thing.remove(&token.thing);
            self.bytes = self.bytes.saturating_sub(oldest.len() + token.sealed.len());
        }
        placeholder
    }

    /// The placeholder that the same thing has already.
    fn known(&mut self, owner: &SessionKey, token: &Token, now: Timestamp) -> Option<String> {
        let kept = self.each.get_mut(owner)?;
        let placeholder = kept.by_thing.get(&token.thing)?.clone();
        kept.last_used = now;
        // What other policies had taken out is put back where those say.
        let same = kept.by_placeholder.get(&placeholder).is_some_and(|known| known.policies == token.policies);
        same.then_some(placeholder)
    }

    fn forget(&mut self, owner: &SessionKey) {
        if let Some(kept) = self.each.remove(owner) {
            let of_one = |(placeholder, token): (&String, &Token)| placeholder.len() + token.sealed.len();
            let bytes: usize = kept.by_placeholder.iter().map(of_one).sum();
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// Forgets another caller's, that of the one that was longest silent. Whether there was one.
    fn forget_longest_unused(&mut self, but: &SessionKey) -> bool {
        let others = self.each.iter().filter(|(owner, _)| *owner != but);
        let oldest = others.min_by_key(|(_, kept)| kept.last_used).map(|(owner, _)| owner.clone());
        oldest.inspect(|owner| self.forget(owner)).is_some()
    }
}

/// What is the same each time that it is said by the same: the rule that saw it belongs to it, as its placeholder names the rule.
fn thing(giver: &Giver, taken: Taken<'_>) -> Digest {
    let [kind, server] = giver.words();
    let number = if taken.is_number { "number" } else { "text" };
    Digest::of([kind, server, number, taken.finding.rule.as_str(), taken.text].join("\0").as_bytes())
}

/// Letters of a mark: without digits, so that no placeholder looks like a number or a key.
const LETTERS: &[u8; 16] = b"bcdfghjkmnpqrstv";
/// Letters in a mark: 64 bits, which nobody guesses one call at a time.
const MARK_LETTERS: u32 = 16;

fn mark(bits: u128) -> String {
    let letter = |place: u32| {
        let index = usize::try_from((bits >> (4 * place)) & 0xf).unwrap_or_default();
        LETTERS.get(index).copied().map_or('b', char::from)
    };
    (0..MARK_LETTERS).map(letter).collect()
}

#[cfg(test)]
mod tests;
