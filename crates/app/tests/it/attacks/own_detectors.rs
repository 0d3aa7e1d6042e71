//! Detectors of somebody's own, asked over HTTP: what they find is policies' to act on, and one that is slow, dead or
//! lies lets nothing pass that it was to look at, nor holds up anybody else.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::{Value, json};

use super::data_leaks::{arrived, call, token};
use crate::detector::{Detector, Manner};
use crate::gate::files::person_token;
use crate::gate::{Gate, Setup, bearer};
use crate::verdict::{INSPECTION_FAILED, POLICY_FORBIDS, RELEASE_REFUSED, passes, receipt_id};

const NO_PROJECTS: &str = r#"
@id("projects-stay")
forbid (principal, action in [Action::"call", Action::"release"], resource in Server::"desk")
when { context.findings.classes.contains("project") };
"#;

const NO_PROJECTS_IN: &str = r#"
@id("projects-stay-out") @redact("project")
forbid (principal, action == Action::"release", resource in Server::"desk");
"#;

async fn gate(detector: &Detector, more: &str, policies: &str) -> Gate {
    Gate::with(Setup {
        settings: detector.settings(more),
        secrets: vec![("detector", "token-for-the-detector-0123456789".to_owned())],
        state: vec![("policies/own.cedar".to_owned(), policies.to_owned())],
        ..Setup::default()
    })
    .await
}

fn fields(fields: &Value) -> Value {
    json!({ "ticket": "1", "amount": 1, "fields": fields })
}

#[tokio::test]
async fn what_a_detector_finds_is_forbidden_by_policy_and_named_in_the_receipt() {
    let detector = Detector::start(Manner::Finds("BLUEBIRD", "project")).await;
    let gate = gate(&detector, "fails = \"closed\"", NO_PROJECTS).await;
    passes(&call(&gate, "annotate", fields(&json!({ "note": "all is well" }))).await);
    let reply = call(&gate, "annotate", fields(&json!({ "note": "BLUEBIRD ships in May" }))).await;
    let event = gate.refuses(&reply, POLICY_FORBIDS).await;
    assert_eq!(event["findings"]["list"][0]["rule"], "callout.own.word", "{event:#}");
    assert_eq!(gate.desk.calls(), 1);
    let (authorization, question) = detector.asked().pop().unwrap();
    assert_eq!(authorization.as_deref(), Some("Bearer token-for-the-detector-0123456789"));
    assert_eq!((&question["format"], &question["action"]), (&json!(1), &json!("call")), "{question:#}");
    let heard = gate.send(gate.admin(), "GET", "/metrics", bearer(&person_token("viewer")), "").await;
    assert!(
        heard.text().contains("portcullis_callouts_total{callout=\"own\",outcome=\"found\"} 1"),
        "{}",
        heard.text()
    );
    let listed = gate.must(&["inspect", "suppressions"]).await;
    assert!(listed.contains("callout.own") && listed.contains("fails closed"), "{listed}");
}

#[tokio::test]
async fn an_answer_is_released_without_what_a_detector_finds() {
    let detector = Detector::start(Manner::Finds("BLUEBIRD", "project")).await;
    let gate = gate(&detector, "fails = \"closed\"", NO_PROJECTS_IN).await;
    let reply = call(&gate, "annotate", fields(&json!({ "answer": "BLUEBIRD ships in May" }))).await;
    passes(&reply);
    assert_eq!(reply.json["result"]["content"][0]["text"], "[callout.own.word]", "{:#}", reply.json);
}

#[tokio::test]
async fn a_detector_is_sent_nothing_that_the_gate_found_unless_settings_say_so() {
    for (sends, is_sent) in [("", false), ("sends = \"whole\"", true)] {
        let detector = Detector::start(Manner::Finds("BLUEBIRD", "project")).await;
        let gate = gate(&detector, &format!("fails = \"closed\"\n{sends}"), NO_PROJECTS).await;
        passes(&call(&gate, "annotate", fields(&json!({ "note": token() }))).await);
        assert_eq!(arrived(&gate)["fields"]["note"], token());
        let asked = detector.asked();
        let question = &asked.first().unwrap().1;
        assert_eq!(question.to_string().contains(&token()), is_sent, "{question:#}");
        assert_eq!(question["findings"][0]["rule"], "secret.github.token", "{question:#}");
    }
}

/// Detectors that do not answer as they should.
fn unusable() -> Vec<Manner> {
    let finding = |finding: Value| Manner::Says(json!({ "findings": [finding] }).to_string());
    let many = vec![json!({ "class": "project", "severity": "low" }); 65];
    vec![
        Manner::Slow(Duration::from_secs(20)),
        Manner::Fails(StatusCode::INTERNAL_SERVER_ERROR),
        Manner::Fails(StatusCode::FOUND),
        Manner::Says("no JSON".to_owned()),
        Manner::Says("{}".to_owned()),
        Manner::Says(format!("{{\"findings\": [], \"more\": \"{}\"}}", "x".repeat(600 * 1024))),
        Manner::Says(json!({ "findings": many }).to_string()),
        // It passes for the gate itself, or for what it is not.
        finding(json!({ "class": "vault-secret", "severity": "high" })),
        finding(json!({ "class": "canary", "severity": "high" })),
        finding(json!({ "class": "project", "severity": "dreadful" })),
        finding(json!({ "class": "project", "severity": "low", "pointer": "/not/there" })),
        finding(json!({ "class": "project", "severity": "low", "rule": "No Rule" })),
    ]
}

#[tokio::test]
async fn nothing_passes_that_a_detector_has_not_looked_at_where_it_has_to() {
    for manner in unusable() {
        let detector = Detector::start(Manner::Finds("BLUEBIRD", "project")).await;
        let gate = gate(&detector, "fails = \"closed\"\nmilliseconds = 300", NO_PROJECTS).await;
        passes(&call(&gate, "annotate", fields(&json!({ "note": "all is well" }))).await);
        detector.is(manner);
        let begun = Instant::now();
        let reply = call(&gate, "annotate", fields(&json!({ "note": "all is well" }))).await;
        gate.refuses(&reply, INSPECTION_FAILED).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "nobody waits for it longer than settings say");
        assert_eq!(gate.desk.calls(), 1);
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_for_a_detector_is_one_that_it_has_not_looked_at() {
    let detector = Detector::start(Manner::Finds("BLUEBIRD", "project")).await;
    let gate = gate(&detector, "fails = \"closed\"\nabout = [\"call\"]", NO_PROJECTS).await;
    let large = "all is well. ".repeat(1024 * 1024 / 12);
    gate.refuses(&call(&gate, "annotate", fields(&json!({ "note": large }))).await, INSPECTION_FAILED).await;
    assert_eq!((detector.asked().len(), gate.desk.calls()), (0, 0));
}

#[tokio::test]
async fn a_detector_is_asked_about_its_servers_and_a_finding_of_its_can_be_suppressed() {
    let detector = Detector::start(Manner::Finds("BLUEBIRD", "project")).await;
    let bluebird = fields(&json!({ "note": "BLUEBIRD ships in May" }));
    let elsewhere = gate(&detector, "fails = \"closed\"\nservers = [\"lobby\"]", NO_PROJECTS).await;
    passes(&call(&elsewhere, "annotate", bluebird.clone()).await);
    assert_eq!(detector.asked().len(), 0);
    let suppressed = "fails = \"closed\"\n[[inspection.suppress]]\nrule = \"callout.own.word\"\nowner = \"ana\"\n\
                      reason = \"a bird\"\nuntil = \"2999-12-31\"";
    let gate = gate(&detector, suppressed, NO_PROJECTS).await;
    passes(&call(&gate, "annotate", bluebird).await);
    assert!(!detector.asked().is_empty());
}

#[tokio::test]
async fn an_answer_that_a_detector_has_not_looked_at_is_withheld() {
    let detector = Detector::start(Manner::Finds("BLUEBIRD", "project")).await;
    let gate = gate(&detector, "fails = \"closed\"\nabout = [\"release\"]", NO_PROJECTS).await;
    detector.die();
    let reply = call(&gate, "annotate", fields(&json!({ "answer": "all is well" }))).await;
    gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
    assert_eq!(gate.desk.calls(), 1);
    let heard = gate.send(gate.admin(), "GET", "/metrics", bearer(&person_token("viewer")), "").await;
    let counted = "portcullis_callouts_total{callout=\"own\",outcome=\"unreachable\"} 1";
    assert!(heard.text().contains(counted), "{}", heard.text());
}

#[tokio::test]
async fn where_settings_say_so_a_message_goes_on_with_a_finding_that_it_was_not_looked_at() {
    for manner in unusable() {
        let detector = Detector::start(manner).await;
        let gate = gate(&detector, "fails = \"open\"\nmilliseconds = 300\nabout = [\"call\"]", NO_PROJECTS).await;
        let reply = call(&gate, "annotate", fields(&json!({ "note": "all is well" }))).await;
        passes(&reply);
        let receipt = gate.receipt(receipt_id(&reply)).await;
        let found = &receipt["record"]["event"]["findings"]["list"][0];
        assert_eq!(
            (&found["rule"], &found["class"]),
            (&json!("callout.own.failed"), &json!("unchecked")),
            "{receipt:#}"
        );
    }
    // Policies may say what follows.
    let detector = Detector::start(Manner::Fails(StatusCode::BAD_GATEWAY)).await;
    let strict = NO_PROJECTS.replace("contains(\"project\")", "contains(\"unchecked\")");
    let gate = gate(&detector, "fails = \"open\"", &strict).await;
    let reply = call(&gate, "annotate", fields(&json!({ "note": "all is well" }))).await;
    gate.refuses(&reply, POLICY_FORBIDS).await;
}

#[tokio::test]
async fn a_slow_detector_holds_up_nobody_but_those_who_ask_it_and_is_left_alone() {
    let detector = Detector::start(Manner::Slow(Duration::from_secs(20))).await;
    let settings = "fails = \"closed\"\nmilliseconds = 3000\nat_once = 2\nservers = [\"desk\"]\nabout = [\"call\"]";
    let policies = r#"
@id("projects-stay")
forbid (principal, action == Action::"call", resource == Tool::"desk/annotate")
when { context.findings.classes.contains("project") };
"#;
    let gate = gate(&detector, settings, policies).await;
    let large = "x".repeat(100 * 1024);
    let ask = |note: &str| call(&gate, "annotate", fields(&json!({ "note": note })));
    let order = json!({ "order": "A-1", "amount": 10.5, "note": large.clone() });
    let others = async {
        // Once both are waited for, others go on: those of another tool, large ones among them, and whoever asks is told.
        while detector.asked().len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let begun = Instant::now();
        let refused = ask("third").await;
        gate.refuses(&refused, INSPECTION_FAILED).await;
        passes(&call(&gate, "refund", order).await);
        begun.elapsed()
    };
    let (first, second, took) = tokio::join!(ask(&large), ask("second"), others);
    assert!(took < Duration::from_millis(2_500), "{took:?}");
    for reply in [first, second] {
        gate.refuses(&reply, INSPECTION_FAILED).await;
    }
    gate.refuses(&ask("fourth").await, INSPECTION_FAILED).await;
    let asked = detector.asked().len();
    // It failed three times: now it is not asked at all, and nobody waits for it.
    let begun = Instant::now();
    gate.refuses(&ask("fifth").await, INSPECTION_FAILED).await;
    assert!(begun.elapsed() < Duration::from_millis(2_500));
    assert_eq!(detector.asked().len(), asked);
    assert_eq!(asked, 3);
}
