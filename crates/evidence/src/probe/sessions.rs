//! What a session is worth: whether its id can be guessed, and whether to have one is to be known.

use bytes::Bytes;
use http::{HeaderValue, Method};

use super::asker::{Asker, Question};
use super::hello::{Era, SESSION, Way, bounds, hello};
use super::notes::Notes;
use crate::Severity;

/// Characters that an id has which nobody guesses, if each is as good as any other.
const LENGTH_MIN: usize = 16;
/// Different characters that such an id has.
const DIFFERENT_MIN: usize = 8;
/// Sessions that are opened to be compared, besides the first.
const MORE: usize = 2;
/// How far apart numbers are that follow on one another.
const APART_MAX: u64 = 1_000;

pub(super) async fn ask(way: &Way, asker: &mut Asker<'_>, notes: &mut Notes) {
    if let Some(why) = &way.unreached {
        return notes.unknown("sessions", why.clone());
    }
    let (Some(Era::Legacy), Some(first)) = (way.era, &way.session) else {
        return notes.unknown("sessions", "it has none, or tells nobody of them");
    };
    let mut ids = vec![first.clone()];
    let mut missed = None;
    if way.presents {
        missed = alone(way, first, asker, notes).await;
    }
    for _ in 0..MORE {
        let question = hello(Era::Legacy, "", way.presents);
        match asker.ask(&question).await {
            Ok(heard) => {
                bounds(&question, &heard, notes);
                ids.extend(heard.headers.get(SESSION).cloned());
            }
            Err(why) => missed = Some(why.words()),
        }
    }
    judge(&ids, notes);
    for id in &ids {
        let question = Question {
            shape: "the end of a session".to_owned(),
            method: Method::DELETE,
            url: None,
            headers: vec![(SESSION, id.clone())],
            body: Bytes::new(),
            presents: way.presents,
        };
        // Servers that do not let sessions be ended say so.
        let _ = asker.ask(&question).await;
    }
    match missed {
        Some(why) => notes.unknown("sessions", why),
        None => notes.done("sessions", "their ids cannot be guessed"),
    }
}

/// Whether whoever has a session needs nothing else.
async fn alone(way: &Way, session: &HeaderValue, asker: &mut Asker<'_>, notes: &mut Notes) -> Option<String> {
    let mut question = way.within(Some(session), "tools/list", false);
    question.shape = "tools/list, with a session that somebody else opened, without a credential".to_owned();
    match asker.ask(&question).await {
        Ok(heard) => {
            bounds(&question, &heard, notes);
            if heard.said().is_result() {
                let title = "takes a session for a credential: whoever has its id is whoever opened it";
                notes.found("session-is-credential", Severity::High, title, &question.shape, &heard.words());
            }
            None
        }
        Err(why) => Some(why.words()),
    }
}

/// Ids are told by their shape alone: they are as good as what they stand for.
fn judge(ids: &[HeaderValue], notes: &mut Notes) {
    let ids: Vec<String> = ids.iter().map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned()).collect();
    let sent = "some sessions were opened";
    if let [one, other, ..] = ids.as_slice()
        && one == other
    {
        let title = "gives different clients the same session";
        return notes.found("sessions-shared", Severity::Critical, title, sent, "twice the same id");
    }
    if let [one, other, ..] = ids.as_slice()
        && let Some(apart) = apart(one, other)
    {
        let title = "numbers its sessions one after the other: whoever has one can guess the next";
        let came = format!("ids that differ by {apart} and in nothing else");
        return notes.found("sessions-in-order", Severity::High, title, sent, &came);
    }
    let Some(id) = ids.first() else { return };
    let different = id.chars().collect::<std::collections::BTreeSet<_>>().len();
    if id.chars().count() < LENGTH_MIN || different < DIFFERENT_MIN {
        let title = "has session ids so short or so plain that they can be guessed";
        let came = format!("{} characters, {different} different ones", id.chars().count());
        notes.found("sessions-guessable", Severity::High, title, sent, &came);
    }
}

/// How far apart two ids are that are the same but for a number at their end.
fn apart(one: &str, other: &str) -> Option<u64> {
    let split = |id: &str| {
        let digits = id.bytes().rev().take_while(u8::is_ascii_digit).count().min(18);
        let (head, number) = id.split_at_checked(id.len() - digits)?;
        Some((head.to_owned(), number.parse::<u64>().ok()?))
    };
    let ((head, first), (other_head, second)) = (split(one)?, split(other)?);
    let apart = first.abs_diff(second);
    (head == other_head && apart <= APART_MAX).then_some(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ids: &[&str]) -> Vec<String> {
        let mut notes = Notes::default();
        let ids: Vec<_> = ids.iter().map(|id| HeaderValue::from_str(id).unwrap()).collect();
        judge(&ids, &mut notes);
        notes.whole().1.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn ids_that_can_be_guessed_are_told_from_those_that_cannot() {
        assert_eq!(seen(&["41", "42"]), ["sessions-in-order"]);
        assert_eq!(seen(&["session-0001", "session-0003"]), ["sessions-in-order"]);
        assert_eq!(seen(&["a1b2", "c3d4"]), ["sessions-guessable"]);
        assert_eq!(seen(&["aaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbb"]), ["sessions-guessable"]);
        assert_eq!(seen(&["x", "x"]), ["sessions-shared"]);
        let good = ["0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"];
        assert_eq!(seen(&good), [""; 0]);
    }
}
