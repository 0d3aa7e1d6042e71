//! A session's id in other hands: another caller's, the same user's with another agent, at another endpoint, bent, after
//! its end, after a restart. It is answered as one that never was, and nothing of the session is touched, heard or ended.

use serde_json::{Value, json};

use crate::gate::files::{ANA, ANA_AT_DESKTOP, ANA_WITH_SCOUT, BOB, CROWD, RECONCILER};
use crate::session::{Answer, Session};
use crate::sessions::{Lobby, taken, text};
use crate::talker::{Speech, TALK, form};
use crate::verdict::{PARAMS_INVALID, SESSION_UNKNOWN, passes};

/// A session with everything in it that can be stolen: a call whose stream broke off with something kept, another that
/// goes on, a question that is open, and somebody who listens.
struct Loot {
    session: Session,
    /// The event after which the broken stream goes on.
    last: String,
    kept: Speech,
    open: Answer,
    speech: Speech,
    question: Value,
    heard: Answer,
    aside: Speech,
}

impl Loot {
    async fn laid_out(lobby: &Lobby) -> Self {
        let session = lobby.begin(ANA).await;
        let (heard, aside) = lobby.aside(&session).await;
        let (mut broken, kept) = lobby.talk(&session).await;
        kept.logs("heard");
        broken.message().await;
        let last = broken.last.clone().unwrap();
        drop(broken);
        kept.logs("a secret");
        let (mut open, speech) = lobby.talk(&session).await;
        speech.asks(7, "elicitation/create", form("Who?"));
        let question = open.message().await["id"].clone();
        Self { session, last, kept, open, speech, question, heard, aside }
    }

    /// All of it is as it was.
    async fn holds(mut self, lobby: &Lobby) {
        assert!(self.kept.is_heard() && self.speech.is_heard() && self.aside.is_heard());
        assert_eq!(lobby.talker.responses().len(), 0);
        assert_eq!(lobby.talker.heard("notifications/cancelled").len(), 0);
        self.aside.logs("news");
        assert_eq!(self.heard.message().await["params"]["data"], "news");
        let mut again = self.session.read_on(&self.last).await;
        assert_eq!(again.message().await["params"]["data"], "a secret");
        taken(&self.session.answer(&self.question, json!({ "action": "decline" })).await);
        lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
        self.speech.answers("done");
        assert_eq!(text(&self.open.message().await), "done");
        self.kept.answers("done");
        assert_eq!(text(&again.message().await), "done");
        passes(&self.session.read_ticket().await);
    }
}

/// Everything that somebody could try with a session's id.
async fn tries(stolen: &Session, loot: (&str, &Value, &Value)) -> Vec<drill::mcp::Reply> {
    let (last, question, call) = loot;
    let from_the_start = format!("{}-0", last.split_once('-').unwrap().0);
    vec![
        stolen.read_on(last).await.whole().await,
        stolen.read_on(&from_the_start).await.whole().await,
        stolen.read_on("0-0").await.whole().await,
        stolen.listen().await.whole().await,
        stolen.answer(question, json!({ "action": "accept", "content": {} })).await,
        stolen.take_back(call).await,
        stolen.read_ticket().await,
        stolen.send("tools/list", json!({})).await,
        stolen.send("resources/list", json!({})).await,
        stolen.send("ping", json!({})).await,
        stolen.send("logging/setLevel", json!({ "level": "debug" })).await,
        stolen.tell("notifications/roots/list_changed", json!({})).await,
        stolen.tell("notifications/initialized", json!({})).await,
        stolen.delete().await,
    ]
}

/// What was answered, without what differs between any two answers.
fn likeness(reply: &drill::mcp::Reply) -> (u16, String) {
    let receipt = reply.headers["portcullis-receipt"].to_str().unwrap();
    let mut said = reply.json.clone();
    if let Some(members) = said.as_object_mut() {
        members.remove("id");
    }
    (reply.status.as_u16(), said.to_string().replace(receipt, "…"))
}

#[tokio::test]
async fn in_any_other_hands_it_is_the_id_of_no_session() {
    let lobby = Lobby::start().await;
    let loot = Loot::laid_out(&lobby).await;
    let calls = lobby.talker.calls();
    let session = &loot.session;
    let mut hands: Vec<(&str, Session)> = Vec::new();
    for (whose, caller) in [
        ("the user's other agent", ANA_AT_DESKTOP),
        ("the user's agent that may only look", ANA_WITH_SCOUT),
        ("one more agent of the user", CROWD),
        ("another user with the same agent", BOB),
        ("an agent for nobody", RECONCILER),
    ] {
        hands.push((whose, session.with(lobby.line(caller))));
    }
    hands.push(("the caller itself at another endpoint", session.with(lobby.line_at("annex", ANA))));
    for (how, bent) in bent(&session.id) {
        hands.push((how, session.named(&bent)));
    }
    // A real session of the thief's own, to compare with: there is no telling a stolen id from a made-up one.
    let made_up = session.named("made-up");
    let none = likeness(&made_up.read_ticket().await);
    for (whose, stolen) in &hands {
        for (number, reply) in tries(stolen, (&loot.last, &loot.question, &loot.speech.id)).await.iter().enumerate() {
            let event = lobby.gate.refuses(reply, SESSION_UNKNOWN).await;
            assert_eq!(likeness(reply), none, "{whose}, try {number}");
            assert!(!event.to_string().contains(&session.id), "a receipt holds the id");
        }
    }
    assert_eq!(lobby.talker.calls(), calls, "nothing reached the server");
    loot.holds(&lobby).await;
}

/// The id with a little changed.
fn bent(id: &str) -> Vec<(&'static str, String)> {
    let swap = |place: usize| {
        let mut bytes = id.as_bytes().to_vec();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let cut = |length: usize| id.chars().take(length).collect();
    vec![
        ("its first letter changed", swap(0)),
        ("its middle changed", swap(id.len() / 2)),
        ("its last letter but two changed", swap(id.len() - 3)),
        ("cut short", cut(id.len() - 1)),
        ("cut to half", cut(id.len() / 2)),
        ("grown", format!("{id}A")),
        ("doubled", format!("{id}{id}")),
        (
            "in the other case",
            id.chars()
                .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
                .collect(),
        ),
        ("padded", format!("{id}=")),
    ]
}

#[tokio::test]
async fn one_session_of_a_caller_is_not_another() {
    let lobby = Lobby::start().await;
    let loot = Loot::laid_out(&lobby).await;
    let other = lobby.begin(ANA).await;
    let calls = lobby.talker.calls();
    lobby.gate.refuses(&other.read_on(&loot.last).await.whole().await, PARAMS_INVALID).await;
    let answer = other.answer(&loot.question, json!({ "action": "accept" })).await;
    lobby.gate.refuses(&answer, PARAMS_INVALID).await;
    taken(&other.take_back(&loot.speech.id).await);
    let mut heard = other.listen().await;
    loot.aside.logs("for the first session");
    assert!(heard.is_silent().await);
    assert_eq!(lobby.talker.calls(), calls);
    let mut loot = loot;
    assert_eq!(loot.heard.message().await["params"]["data"], "for the first session");
    assert_eq!(other.delete().await.status, 204);
    loot.holds(&lobby).await;
}

#[tokio::test]
async fn after_its_end_an_id_is_like_one_that_never_was() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.logs("working");
    answer.message().await;
    let last = answer.last.clone().unwrap();
    let none = likeness(&session.named("made-up").read_ticket().await);
    assert_eq!(session.delete().await.status, 204);
    let calls = || lobby.talker.forwarded().iter().filter(|seen| seen.method() != "notifications/cancelled").count();
    let before = calls();
    for reply in tries(&session, (&last, &json!(1), &speech.id)).await {
        assert_eq!(likeness(&reply), none);
    }
    assert_eq!(calls(), before);
}

#[tokio::test]
async fn after_a_restart_every_id_is_unknown() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    passes(&session.read_ticket().await);
    lobby.gate.kill();
    lobby.gate.again().await;
    let session = session.with(lobby.line(ANA));
    let calls = lobby.talker.calls();
    for reply in tries(&session, ("1-1", &json!(1), &json!(1))).await {
        lobby.gate.refuses(&reply, SESSION_UNKNOWN).await;
    }
    assert_eq!(lobby.talker.calls(), calls);
    passes(&lobby.begin(ANA).await.read_ticket().await);
}

#[tokio::test]
async fn an_id_from_another_gate_opens_nothing() {
    let (one, two) = (Lobby::start().await, Lobby::start().await);
    let foreign = one.begin(ANA).await;
    let own = two.begin(ANA).await;
    let reply = own.named(&foreign.id).call(TALK, json!({})).await;
    two.gate.refuses(&reply, SESSION_UNKNOWN).await;
    assert_eq!((one.talker.calls(), two.talker.calls()), (0, 0));
}
