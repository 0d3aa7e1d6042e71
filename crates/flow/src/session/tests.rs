use super::*;

fn key(agent: &str) -> SessionKey {
    SessionKey { agent: agent.parse().unwrap(), user: Some("ana".parse().unwrap()), thread: None }
}

#[test]
fn the_same_pair_is_the_same_session() {
    let sessions = Sessions::default();
    let first = sessions.enter(key("a"), Timestamp(1)).unwrap();
    let again = sessions.enter(key("a"), Timestamp(5)).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!((first.began, first.last_seen()), (Timestamp(1), Timestamp(5)));
    sessions.enter(key("b"), Timestamp(5)).unwrap();
    assert_eq!(sessions.count(), 2);
}

#[test]
fn streams_are_bounded_and_given_back() {
    let session = Sessions::default().enter(key("a"), Timestamp(1)).unwrap();
    let mut places: Vec<_> = (0..limits::STREAMS_PER_SESSION_MAX).map(|_| session.open_stream().unwrap()).collect();
    assert_eq!(session.open_stream().unwrap_err().reason, Reason::Overloaded);
    places.pop();
    assert!(session.open_stream().is_ok());
}

#[test]
fn calls_are_bounded_and_given_back() {
    let session = Sessions::default().enter(key("a"), Timestamp(1)).unwrap();
    let mut places: Vec<_> = (0..limits::CALLS_PER_CALLER_MAX).map(|_| session.begin_call().unwrap()).collect();
    assert_eq!(session.begin_call().unwrap_err().reason, Reason::Overloaded);
    assert!(session.open_stream().is_ok(), "streams have places of their own");
    places.pop();
    assert!(session.begin_call().is_ok());
}

#[test]
fn the_longest_idle_sessions_make_room() {
    let sessions = Sessions::default();
    let held = sessions.enter(key("held"), Timestamp(0)).unwrap();
    for n in 1..=limits::SESSIONS_MAX {
        sessions.enter(key(&format!("agent-{n}")), Timestamp(n as u64)).unwrap();
    }
    assert!(sessions.count() <= limits::SESSIONS_MAX);
    assert!(Arc::ptr_eq(&held, &sessions.enter(key("held"), Timestamp(9)).unwrap()), "a held session is kept");
}
