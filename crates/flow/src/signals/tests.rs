use model::{Agent, AgentKind, Assurance, Authentication, Signal, TokenFamily, TokenKey};

use super::*;

fn caller(family: Option<&str>, signed_in: Option<u64>, key: Option<&str>) -> Caller {
    let agent = Agent { id: "helper".parse().unwrap(), kind: AgentKind::Delegated };
    let caller = Caller::new(agent, Some("ann".parse().unwrap()), Vec::new(), Assurance::Public).unwrap();
    caller.with(Authentication {
        family: TokenFamily(family.map(Arc::from)),
        signed_in: signed_in.map(Timestamp),
        key: TokenKey(key.map(Arc::from)),
        ..Authentication::default()
    })
}

fn told(changed: Changed) -> Vec<Signal> {
    changed.signals().collect()
}

fn compare(signals: &Signals, caller: &Caller, address: &str, software: Option<&str>) -> Vec<Signal> {
    told(signals.compare(caller, at(address), software.map(str::as_bytes), Timestamp(0)).0)
}

fn at(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_message_is_compared_with_the_first_of_its_sign_in_and_not_with_the_last() {
    let (signals, ann) = (Signals::default(), caller(Some("f"), None, Some("k")));
    let compare = |address: &str, software: Option<&str>| compare(&signals, &ann, address, software);
    assert_eq!(compare("192.0.2.1", Some("editor/1")), []);
    assert_eq!(compare("192.0.2.254", Some("editor/1")), []);
    assert_eq!(compare("192.0.3.1", Some("editor/1")), [Signal::Network]);
    assert_eq!(compare("2001:db8::1", Some("curl/8")), [Signal::Network, Signal::Client]);
    assert_eq!(compare("192.0.2.1", None), [Signal::Client]);
    assert_eq!(compare("::ffff:192.0.2.1", Some("editor/1")), [], "a mapped address is that address");
    let other = caller(Some("f"), None, Some("another"));
    assert_eq!(self::compare(&signals, &other, "192.0.2.1", Some("editor/1")), [Signal::Key]);
    assert_eq!(compare("192.0.2.9", Some("editor/1")), [], "whoever was first is as before");
}

#[test]
fn a_new_sign_in_begins_anew() {
    let signals = Signals::default();
    for (one, other) in [
        (caller(Some("f"), Some(1), None), caller(Some("g"), Some(1), None)),
        (caller(None, Some(1), None), caller(None, Some(2), None)),
    ] {
        assert_eq!(compare(&signals, &one, "192.0.2.1", None), []);
        assert_eq!(compare(&signals, &one, "198.51.100.1", None), [Signal::Network]);
        assert_eq!(compare(&signals, &other, "198.51.100.1", None), []);
    }
    // A renewed token of one family is of one sign-in, whatever it says of the moment.
    let renewed = caller(Some("f"), Some(9), None);
    assert_eq!(compare(&signals, &renewed, "198.51.100.1", None), [Signal::Network]);
}

#[test]
fn a_sign_in_that_was_silent_for_long_begins_anew() {
    let (signals, ann) = (Signals::default(), caller(None, None, None));
    let idle = limits::SIGN_IN_IDLE_MILLISECONDS_MAX;
    let compare = |address: &str, now: u64| told(signals.compare(&ann, at(address), None, Timestamp(now)).0);
    assert_eq!(compare("192.0.2.1", 0), []);
    assert_eq!(compare("198.51.100.1", idle), [Signal::Network], "its silence is counted from its last message");
    assert_eq!(compare("198.51.100.1", 2 * idle), [Signal::Network]);
    assert_eq!(compare("198.51.100.1", 3 * idle + 1), []);
    assert_eq!(compare("192.0.2.1", 3 * idle + 2), [Signal::Network]);
    signals.sweep(Timestamp(4 * idle));
    assert!(signals.beginning(&ann).is_some());
    signals.sweep(Timestamp(5 * idle));
    assert!(signals.beginning(&ann).is_none());
}

#[test]
fn what_software_says_of_itself_is_compared_where_it_says_something() {
    let (signals, ann) = (Signals::default(), caller(Some("f"), None, None));
    assert!(signals.beginning(&ann).is_none());
    let (_, begun) = signals.compare(&ann, at("192.0.2.1"), None, Timestamp(0));
    let introduce = |said: &str| told(signals.introduce(&begun, said.as_bytes()));
    assert_eq!(introduce(r#"{"name":"editor"}"#), []);
    assert_eq!(introduce(r#"{"name":"editor"}"#), []);
    assert_eq!(introduce(r#"{"name":"curl"}"#), [Signal::Client]);
    assert!(Arc::ptr_eq(&signals.beginning(&ann).unwrap(), &begun));
}

#[test]
fn a_network_of_ipv6_is_a_site() {
    assert_eq!(network(at("2001:db8:1:2::3")), network(at("2001:db8:1:ffff::9")));
    assert_ne!(network(at("2001:db8:1::3")), network(at("2001:db8:2::3")));
}
