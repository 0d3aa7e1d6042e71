use super::*;

const MANY: u32 = limits::SERVER_FAILURES_MAX;
const REST: Duration = Duration::from_millis(limits::SERVER_REST_MILLISECONDS);

fn caller(name: &str) -> SessionKey {
    SessionKey { agent: name.parse().unwrap(), user: None, thread: None }
}

/// A breaker that has just opened, because no connection could be made.
fn opened(now: Instant) -> Breaker {
    let mut breaker = Breaker::new();
    let opened: Vec<bool> = (0..MANY).map(|_| breaker.failed(None, now)).collect();
    assert_eq!(opened.iter().filter(|opened| **opened).count(), 1);
    assert_eq!(opened.last(), Some(&true));
    breaker
}

#[test]
fn some_failures_in_a_row_are_borne_and_a_success_ends_the_row() {
    let (now, ana) = (Instant::now(), caller("ana"));
    let mut breaker = Breaker::new();
    for _ in 0..10 {
        for _ in 1..MANY {
            assert!(!breaker.failed(None, now));
            assert_eq!(breaker.admit(&ana, now), Ok(Admitted::Freely));
        }
        breaker.succeeded();
    }
}

#[test]
fn a_server_that_failed_is_left_alone_and_then_tried_once() {
    let (now, ana, bob) = (Instant::now(), caller("ana"), caller("bob"));
    let mut breaker = opened(now);
    let refused = breaker.admit(&ana, now).unwrap_err();
    assert_eq!(refused, Closed { failures: MANY, again_in: REST });
    assert!(breaker.admit(&ana, now + REST - Duration::from_millis(1)).is_err());
    assert_eq!(breaker.admit(&ana, now + REST), Ok(Admitted::AsProbe));
    let meanwhile = breaker.admit(&bob, now + REST).unwrap_err();
    assert!(meanwhile.again_in.is_zero());
    breaker.succeeded();
    assert_eq!(breaker.admit(&bob, now + REST), Ok(Admitted::Freely));
    assert_eq!(breaker.state(now), None);
}

#[test]
fn each_time_it_fails_again_it_is_left_alone_for_longer_up_to_a_bound() {
    let (start, ana) = (Instant::now(), caller("ana"));
    let (mut now, mut breaker, mut rests) = (start, opened(start), Vec::new());
    for _ in 0..40 {
        let rest = breaker.admit(&ana, now).unwrap_err().again_in;
        rests.push(rest);
        now += rest;
        assert_eq!(breaker.admit(&ana, now), Ok(Admitted::AsProbe));
        assert!(breaker.failed(None, now));
    }
    assert_eq!(rests[1], REST * 2);
    assert!(rests.is_sorted());
    assert_eq!(rests.last(), Some(&Duration::from_millis(limits::SERVER_REST_MILLISECONDS_MAX)));
}

#[test]
fn a_probe_that_finds_nothing_out_leaves_it_to_the_next_call() {
    let (now, ana) = (Instant::now(), caller("ana"));
    let mut breaker = opened(now);
    assert_eq!(breaker.admit(&ana, now + REST), Ok(Admitted::AsProbe));
    assert!(breaker.admit(&ana, now + REST).is_err());
    breaker.found_nothing_out();
    assert_eq!(breaker.admit(&ana, now + REST), Ok(Admitted::AsProbe));
}

#[test]
fn what_was_under_way_when_it_was_opened_does_not_lengthen_the_rest() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let before = breaker.state(now).unwrap().again_in;
    for _ in 0..100 {
        assert!(!breaker.failed(None, now));
    }
    assert_eq!(breaker.state(now).unwrap().again_in, before);
}

#[test]
fn late_answers_to_one_caller_close_the_server_to_that_caller_alone() {
    let (now, ana, bob) = (Instant::now(), caller("ana"), caller("bob"));
    let mut breaker = Breaker::new();
    for _ in 0..MANY {
        assert!(!breaker.failed(Some(&ana), now), "nobody else is concerned");
    }
    assert!(breaker.admit(&ana, now).is_err());
    assert_eq!(breaker.admit(&bob, now), Ok(Admitted::Freely));
    assert_eq!(breaker.admit(&bob, now + REST), Ok(Admitted::Freely), "nor is anybody else the probe");
    assert_eq!(breaker.admit(&ana, now + REST), Ok(Admitted::AsProbe));
    breaker.failed(Some(&bob), now + REST);
    assert!(breaker.admit(&bob, now + REST).is_err(), "late for several, it is late for all");
}

#[test]
fn late_answers_to_several_callers_close_the_server_to_all() {
    let now = Instant::now();
    let mut breaker = Breaker::new();
    for turn in 0..MANY {
        breaker.failed(Some(&caller(&format!("caller-{turn}"))), now);
    }
    assert!(breaker.admit(&caller("another"), now).is_err());
}
