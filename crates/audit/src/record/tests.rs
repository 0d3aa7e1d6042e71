use model::{Digest, Object, PolicyId};

use super::*;
use crate::commitments::Commitment;
use crate::testing::{intent_event, outcome_event, refused_event, who};

fn record(event: Event) -> Record {
    Record { id: ReceiptId::new(1_790_000_000_000, 5), at: Timestamp(1_790_000_000_001), event }
}

fn text(record: &Record) -> String {
    let mut bytes = Vec::new();
    record.encode(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn every_kind() -> Vec<Event> {
    let commitment = Commitment { bytes: 42, hash: Digest::of(b"42") };
    let Event::Intent(intent) = intent_event() else { panic!("an intent") };
    let ends = [
        End::Completed,
        End::ToolError,
        End::ServerError(-32_000),
        End::InputRequired,
        End::BecameTask,
        End::ResultWithheld(Reason::AnswerRefused),
        End::Cut(Reason::Halted),
        End::Unknown("the connection broke".to_owned()),
        End::Cancelled,
        End::NotSent(Reason::ServerUnreachable),
    ];
    let mut events: Vec<Event> =
        ends.into_iter().map(|end| outcome_event(ReceiptId::new(1_790_000_000_000, 4), end)).collect();
    events.extend([
        Event::Opened(Opened { version: "0.1.0".to_owned(), records: 7, truncated_bytes: 1, orphans: 2 }),
        Event::Intent(Intent {
            session: Some("s".to_owned()),
            call: Some(ReceiptId::new(1_790_000_000_000, 5)),
            arguments: Some(commitment),
            object: Some(Object::Prompt { server: intent.server.clone(), name: "greet".parse().unwrap() }),
            ..intent.clone()
        }),
        Event::Intent(Intent { request: None, object: None, pin: None, policies: Vec::new(), ..intent }),
        refused_event("no policy permits it"),
        Event::Listed(Listed {
            who: who(),
            endpoint: "support".parse().unwrap(),
            method: "tools/list".to_owned(),
            shown: 3,
            hidden: 1,
            revision: Revision(12),
        }),
        Event::Changed(Changed {
            outbox: 5,
            revision: Revision(13),
            actor: Actor::Person("root".to_owned()),
            what: "server.approve".to_owned(),
            subject: "crm".to_owned(),
            detail: serde_json::json!({"pins": 4, "reason": "read"}),
        }),
        Event::Strangers(Strangers { source: "192.0.2.7".to_owned(), reason: Reason::Unauthenticated, count: 1_000 }),
        Event::Unrecorded(Unrecorded { count: 3, since: Timestamp(1_790_000_000_000) }),
    ]);
    events
}

#[test]
fn an_intent_and_its_outcome_read_like_this() {
    assert_eq!(
        text(&record(intent_event())),
        concat!(
            r#"{"v":1,"id":"01M3250V000000000000000005","at":1790000000001,"kind":"intent","event":{"#,
            r#""who":{"agent":"assistant","kind":"delegated","user":"alice@example.com"},"#,
            r#""endpoint":"support","server":"crm","method":"tools/call","request":"7","#,
            r#""object":{"type":"tool","server":"crm","name":"read_customer"},"#,
            r#""pin":"sha256:4c4ed1afbfdaa1e4c3bf7bbb82d730cecb7e384da91eea4f3cc093fd545524d6","#,
            r#""request_bytes":420,"policies":["support-reads"],"revision":12}}"#
        )
    );
    let end = End::ResultWithheld(Reason::ReleaseRefused);
    assert_eq!(
        text(&record(outcome_event(ReceiptId::new(1_790_000_000_000, 5), end))),
        concat!(
            r#"{"v":1,"id":"01M3250V000000000000000005","at":1790000000001,"kind":"outcome","event":{"#,
            r#""intent":"01M3250V000000000000000005","#,
            r#""end":{"type":"result-withheld","why":"release-refused"},"milliseconds":3}}"#
        )
    );
}

#[test]
fn every_record_is_read_as_it_was_written() {
    for event in every_kind() {
        let written = record(event);
        let text = text(&written);
        assert_eq!(Record::decode(text.as_bytes()).unwrap(), written, "{text}");
        let head = Head::read(text.as_bytes()).unwrap();
        assert_eq!((head.id, head.kind, head.closes), (written.id, written.event.kind(), written.closes()));
    }
}

#[test]
fn a_line_with_other_members_or_another_order_is_no_record() {
    let good = text(&record(outcome_event(ReceiptId::new(1, 1), End::Completed)));
    assert!(Record::decode(good.as_bytes()).is_ok());
    let rest = good.strip_prefix(r#"{"v":1,"#).unwrap();
    let event = good.split_once(r#","kind""#).unwrap().1;
    for bad in [
        format!("{{{rest}"),
        format!(r#"{{"v":2,{rest}"#),
        format!(r#"{{"v":1,"v":1,{rest}"#),
        format!(r#"{{"v":1,"at":1,"id":"01M3250V000000000000000005","kind"{event}"#),
        good.replace("milliseconds", "millis"),
        good.replace(r#""milliseconds":3"#, r#""milliseconds":3,"more":1"#),
        good.replace("outcome", "intent"),
        format!("{} ", good.strip_suffix('}').unwrap()),
        format!("{},\"more\":1}}", good.strip_suffix('}').unwrap()),
    ] {
        assert!(Record::decode(bad.as_bytes()).is_err(), "{bad}");
    }
}

/// The longest name there is, which JSON makes longer still.
fn long_name() -> String {
    "\"".repeat(limits::NAME_BYTES_MAX)
}

/// A text far beyond the limit, each byte of which JSON escapes to six.
fn long_text() -> String {
    "\u{1}".repeat(100_000)
}

#[test]
fn the_longest_texts_are_shortened_until_the_record_fits() {
    let who = Who {
        agent: long_name().parse().unwrap(),
        kind: AgentKind::Delegated,
        user: Some(long_name().parse().unwrap()),
        through: vec![long_name().parse().unwrap(); limits::ACTORS_MAX],
        changed: Vec::new(),
    };
    let label: String = "a".repeat(limits::LABEL_BYTES_MAX);
    let object = Some(Object::Resource { server: label.parse().unwrap(), uri: long_text() });
    let policies: Vec<PolicyId> = (0..500).map(|_| long_name().parse().unwrap()).collect();
    let Event::Intent(intent) = intent_event() else { panic!("an intent") };
    let rule: String = "r".repeat(limits::RULE_ID_BYTES_MAX);
    let sight = Sight {
        rule: rule.parse().unwrap(),
        class: rule.parse().unwrap(),
        severity: model::Severity::Critical,
        place: long_text(),
    };
    let list = vec![sight; limits::RECEIPT_FINDINGS_MAX];
    let saw = Saw { list, more: 1, complete: false, suppressed: 1, done: vec![format!("redact {rule}"); 8] };
    let Event::Refused(refused) = refused_event("") else { panic!("a refusal") };
    let events = [
        Event::Intent(Intent {
            who: who.clone(),
            session: Some(long_text()),
            method: long_text(),
            request: Some(long_text()),
            object: object.clone(),
            findings: Some(Box::new(saw.clone())),
            policies: policies.clone(),
            ..intent
        }),
        Event::Refused(Refused {
            who: Some(who),
            method: Some(long_text()),
            request: Some(long_text()),
            object,
            control: long_text(),
            detail: long_text(),
            findings: Some(Box::new(saw.clone())),
            policies,
            ..refused
        }),
        Event::Outcome(Outcome {
            intent: ReceiptId::new(1, 1),
            end: End::Unknown(long_text()),
            milliseconds: 1,
            answer: None,
            findings: Some(Box::new(saw)),
            detail: Some(long_text()),
        }),
        Event::Changed(Changed {
            outbox: 1,
            revision: Revision(1),
            actor: Actor::Person(long_text()),
            what: long_text(),
            subject: long_text(),
            detail: serde_json::json!({ "long": long_text() }),
        }),
        Event::Opened(Opened { version: long_text(), records: 0, truncated_bytes: 0, orphans: 0 }),
        Event::Strangers(Strangers { source: long_text(), reason: Reason::Unauthenticated, count: 1 }),
    ];
    for event in events {
        let line = text(&record(event));
        assert!(line.len() <= limits::RECORD_BYTES_MAX, "{}", line.len());
        assert!(line.contains("bytes more]"), "{line}");
        Record::decode(line.as_bytes()).unwrap();
    }
}

#[test]
fn a_text_is_cut_between_characters_and_says_how_much_is_missing() {
    let detail = "é".repeat(40_000);
    let line = text(&record(refused_event(&detail)));
    let Event::Refused(refused) = Record::decode(line.as_bytes()).unwrap().event else { panic!("a refusal") };
    assert_eq!(refused.detail, format!("{}…[75904 bytes more]", "é".repeat(2_048)));
}

#[test]
fn a_row_of_the_outbox_becomes_a_change() {
    let row = OutboxRow {
        id: 9,
        revision: Revision(3),
        actor: Actor::Gate,
        what: "halt".to_owned(),
        subject: "everything".to_owned(),
        detail: serde_json::Value::Null,
        at: Timestamp(1),
    };
    assert_eq!(Changed::from(row.clone()).outbox, row.id);
}

#[test]
fn a_kind_is_one_word_everywhere() {
    for kind in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}
