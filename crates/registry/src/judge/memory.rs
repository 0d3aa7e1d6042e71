//! Is a tool a memory that agents write to?
//!
//! What is written there is read in later conversations, as if the agent had thought it: whoever gets an instruction into it
//! steers every agent that reads it. So policies can name such tools as a class (`ToolClass::"memory"`), whoever serves them.
//!
//! It is told from the approved definition: from its name, from a verb of keeping near a word for memory in its description, and
//! from its arguments' names. Tools that only read are none, and neither is the memory of a machine.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};
use serde_json::Value;

use super::plain::plain;
use crate::Definition;

/// Without one of these words a definition says nothing of the kind: most are passed over unread.
static HINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new("(?i)memor|remember|observations|entities|relations|preference|fact|learning|insight|recollection|episode|conversations|sessions|chats")
        .ok()
});

/// Names that say it. Words of a name are apart by `_`, `-`, `.`, `/` or a capital letter.
static NAMES: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSet::new([
        r"(^| )(remember|memori[sz]e)( |$)",
        r"(^| )(save|store|add|create|write|update|upsert|append|insert|set|put|record|edit|log)( \w+)? (memory|memories)( |$)",
        r"(^| )(memory|memories) (\w+ )?(save|store|add|create|write|update|upsert|append|insert|set|put|record|edit|delete)( |$)",
        r"(^| )(create entities|create relations|add observations|delete observations|delete entities|delete relations)( |$)",
        r"(^| )(add|save|create|write) (fact|facts|preference|preferences|episode|learning|insight|recollection)( |$)",
    ])
    .ok()
});

/// What descriptions say: that something is kept, and for whom.
static WORDS: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSet::new([
        r"\b(stor|sav|add|creat|writ|updat|persist|record|append|remember|keep|retain|insert)\w*\b[^.]{0,80}\b(knowledge graph|long[- ]term memory|agent'?s? memory|your memory|user'?s? memory|memory (bank|store|graph)|(the |a )?memor(y|ies) (for|about|of|so|across))\b",
        r"\b(stor|sav|add|creat|writ|updat|persist|record|remember|keep|retain)\w*\b[^.]{0,80}\b((across|between|in|for) (future |later |other |multiple )?(sessions|conversations|chats))\b",
        r"\bremember\w*\b[^.]{0,60}\b(for later|about the user|user preferences|in future)\b",
        r"^(add|create|store|save|write)s? (a |new |one |more )*(memory|memories)\b",
    ])
    .ok()
});

/// Words of tools that only read, or that speak of a machine.
static NOT: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSet::new([
        r"\b(memory (usage|limit|leak|size|dump|pressure|consumption|allocation|bytes)|in-memory|shared memory|ram|heap|virtual memory)\b",
        r"^(get|search|read|list|find|query|recall|retrieve|fetch|open|show|lookup|look up)s? ",
    ])
    .ok()
});

/// Whether agents write to it as to a memory.
pub fn is_memory(tool: &Definition) -> bool {
    if !HINT.as_ref().is_some_and(|hint| hint.is_match(&tool.name) || hint.is_match(tool.raw.get())) {
        return false;
    }
    let value = tool.value();
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if value.pointer("/annotations/readOnlyHint") == Some(&Value::Bool(true)) {
        return false;
    }
    let first = |text: &str| plain(text).readings.into_iter().next().unwrap_or_default();
    let matches = |set: &LazyLock<Option<RegexSet>>, text: &str| set.as_ref().is_some_and(|set| set.is_match(text));
    let (name, says) = (apart(&tool.name), first(text("/description")));
    if matches(&NOT, &name) {
        return false;
    }
    matches(&NAMES, &name) || (matches(&WORDS, &says) && !matches(&NOT, &says))
}

/// A name as words.
fn apart(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            words.push(' ');
        } else {
            if letter.is_uppercase() && before.is_lowercase() {
                words.push(' ');
            }
            words.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
