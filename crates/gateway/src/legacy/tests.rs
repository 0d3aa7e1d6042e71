use std::sync::atomic::AtomicU64;

use model::{Agent, AgentKind, Assurance, Entropy};

use super::*;

#[derive(Default)]
struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

fn legacies() -> Legacies {
    let entropy: Arc<dyn Entropy> = Arc::new(CountingEntropy::default());
    Legacies::new(Seal::new(Arc::clone(&entropy)).unwrap(), entropy)
}

fn caller(agent: &str, user: &str) -> Caller {
    let agent = Agent { id: agent.parse().unwrap(), kind: AgentKind::Delegated };
    Caller::new(agent, Some(user.parse().unwrap()), Vec::new(), Assurance::Development).unwrap()
}

fn endpoint(name: &str) -> EndpointName {
    name.parse().unwrap()
}

fn begin(legacies: &Legacies, caller: &Caller, at: u64) -> String {
    legacies
        .begin(caller, &endpoint("desk"), Revision::NEWEST_LEGACY, Capabilities::default(), None, Timestamp(at))
        .unwrap()
        .handle
}

fn session(legacies: &Legacies) -> Arc<Legacy> {
    let ana = caller("assistant", "ana");
    let handle = begin(legacies, &ana, 0);
    legacies.find(&handle, &ana, &endpoint("desk"), Timestamp(1)).unwrap()
}

#[test]
fn an_id_is_good_for_whom_it_was_given_to_where_it_was_given() {
    let (legacies, ana) = (legacies(), caller("assistant", "ana"));
    let handle = begin(&legacies, &ana, 0);
    let find = |caller: &Caller, at: &str| legacies.find(&handle, caller, &endpoint(at), Timestamp(1));
    assert!(find(&ana, "desk").is_ok());
    for (other, at) in [
        (caller("assistant", "bob"), "desk"),
        (caller("desktop", "ana"), "desk"),
        (caller("assistant", "ana"), "lobby"),
        (caller("assistantana", "ana"), "desk"),
    ] {
        assert_eq!(find(&other, at).err().unwrap().reason, Reason::SessionUnknown);
    }
}

#[test]
fn a_handle_of_a_stream_opens_no_session_and_the_other_way_round() {
    let (legacies, desk) = (legacies(), endpoint("desk"));
    let ana = caller("assistant", "ana").session_key();
    for (own, other) in [(Handle::Session, Handle::Line), (Handle::Line, Handle::Session)] {
        let (number, handle) = legacies.seal(own, &ana, &desk).unwrap();
        assert_eq!(legacies.open(own, &handle, &ana, &desk), Some(number));
        assert_eq!(legacies.open(other, &handle, &ana, &desk), None);
    }
}

#[test]
fn an_ended_session_is_like_one_that_never_was() {
    let (legacies, ana) = (legacies(), caller("assistant", "ana"));
    let handle = begin(&legacies, &ana, 0);
    let other = begin(&legacies, &ana, 0);
    let ended = legacies.end(|session| session.began() == Timestamp(0) && session.label().ends_with('0'));
    assert!(ended.len() < 2, "only what was picked");
    legacies.end(|_| true);
    for text in [handle.as_str(), other.as_str(), "", "made-up"] {
        let refusal = legacies.find(text, &ana, &endpoint("desk"), Timestamp(1)).err().unwrap();
        assert_eq!(refusal.reason, Reason::SessionUnknown);
    }
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_calls_and_streams() {
    let legacies = legacies();
    let session = session(&legacies);
    let call = session.call(&Id::number(1)).unwrap();
    let stream = session.stream(Id::number(1), Vec::new(), Vec::new()).unwrap();
    let mut reader = stream.read(None).unwrap();
    let mut aside = session.aside.read(None).unwrap();
    legacies.end(|_| true);
    call.taken_back().await;
    session.over().await;
    assert!(reader.next().await.is_none());
    assert!(aside.next().await.is_none());
    assert_eq!(session.call(&Id::number(2)).err().unwrap().reason, Reason::SessionUnknown);
}

#[test]
fn a_caller_has_so_many_sessions_and_then_its_oldest_goes() {
    let (legacies, ana, bob) = (legacies(), caller("assistant", "ana"), caller("assistant", "bob"));
    let bobs = begin(&legacies, &bob, 0);
    let first = begin(&legacies, &ana, 1);
    let handles: Vec<_> =
        (2..=limits::LEGACY_SESSIONS_PER_CALLER_MAX as u64).map(|at| begin(&legacies, &ana, at)).collect();
    assert!(legacies.find(&first, &ana, &endpoint("desk"), Timestamp(1_000)).is_ok(), "and is used again");
    let begun = legacies
        .begin(&ana, &endpoint("desk"), Revision::NEWEST_LEGACY, Capabilities::default(), None, Timestamp(1_001))
        .unwrap();
    assert!(begun.ended.is_some());
    let find = |handle: &str, caller: &Caller| legacies.find(handle, caller, &endpoint("desk"), Timestamp(1_002));
    assert!(find(&first, &ana).is_ok());
    assert!(find(&handles[0], &ana).is_err(), "the one that was longest unused");
    assert!(find(&handles[1], &ana).is_ok());
    assert!(find(&bobs, &bob).is_ok(), "nobody else's");
}

#[tokio::test]
async fn a_call_is_taken_back_by_its_own_id_and_ids_are_not_shared() {
    let legacies = legacies();
    let session = session(&legacies);
    let one = session.call(&Id::text("one")).unwrap();
    let two = session.call(&Id::number(2)).unwrap();
    assert_eq!(session.call(&Id::number(2)).err().unwrap().reason, Reason::ParamsInvalid);
    session.take_back(&Id::text("one"));
    session.take_back(&Id::text("nobody"));
    one.taken_back().await;
    let waiting = two.taken_back();
    assert!(tokio::time::timeout(std::time::Duration::from_millis(20), waiting).await.is_err());
    drop(two);
    assert!(session.call(&Id::number(2)).is_ok(), "an id is free again after its call");
}

#[test]
fn a_question_is_answered_once_and_by_the_gates_own_id() {
    let legacies = legacies();
    let session = session(&legacies);
    let server: ServerName = "crm".parse().unwrap();
    let open = |id: i64| Open {
        server: server.clone(),
        id: Id::number(id),
        method: "roots/list",
        objects: Vec::new(),
        asker: Asker::Session,
    };
    let (one, two) = (session.ask(open(7)).unwrap(), session.ask(open(8)).unwrap());
    assert_ne!(one, two);
    assert_eq!(session.answered(&one).unwrap().id, Id::number(7));
    assert!(session.answered(&one).is_none());
    assert!(session.answered(&Id::number(8)).is_none(), "the server's own id is nothing to the client");
    assert!(session.answered(&Id::text("2")).is_none());
    assert_eq!(session.withdrawn(&server, &Id::number(8)), Some(two.clone()));
    assert!(session.answered(&two).is_none());
    let other: ServerName = "erp".parse().unwrap();
    session.ask(open(9)).unwrap();
    assert!(session.withdrawn(&other, &Id::number(9)).is_none(), "a server takes back its own questions only");
}

#[test]
fn questions_and_streams_are_bounded() {
    let legacies = legacies();
    let session = session(&legacies);
    let server: ServerName = "crm".parse().unwrap();
    let open = || Open {
        server: server.clone(),
        id: Id::number(1),
        method: "roots/list",
        objects: Vec::new(),
        asker: Asker::Session,
    };
    let asked = (0..1_000).take_while(|_| session.ask(open()).is_ok()).count();
    assert_eq!(asked, limits::QUESTIONS_MAX);
    let streams: Vec<_> =
        (0..1_000).map_while(|id| session.stream(Id::number(id), Vec::new(), Vec::new()).ok()).collect();
    assert_eq!(streams.len(), limits::REPLAYS_PER_SESSION_MAX);
    streams[3].end();
    let next = session.stream(Id::number(2_000), Vec::new(), Vec::new()).unwrap();
    assert!(session.find_stream(streams[3].number).is_none(), "an ended one made room");
    assert!(session.find_stream(next.number).is_some());
    assert!(session.find_stream(0).is_some(), "what is said unasked");
}

#[test]
fn an_elicitations_end_is_told_once_and_only_if_it_was_shown() {
    let legacies = legacies();
    let session = session(&legacies);
    let (crm, erp): (ServerName, ServerName) = ("crm".parse().unwrap(), "erp".parse().unwrap());
    session.elicited(&crm, "one");
    assert!(!session.elicitation_ended(&crm, "two"));
    assert!(!session.elicitation_ended(&erp, "one"), "another server's");
    assert!(session.elicitation_ended(&crm, "one"));
    assert!(!session.elicitation_ended(&crm, "one"));
}
