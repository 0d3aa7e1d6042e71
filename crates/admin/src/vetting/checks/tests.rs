use model::{Actor, Change, Expected};
use registry::Eyes;
use serde_json::json;

use super::*;

fn server() -> Server {
    let manifest = json!({ "name": "desk", "url": "https://desk.example/mcp", "owner": "o", "purpose": "p" });
    Server::submit(serde_json::from_value(manifest).unwrap(), &by("ada"))
}

fn by(name: &str) -> Change {
    let reason = Some("we know".to_owned());
    Change { actor: Actor::Person(name.to_owned()), expected: Expected::Any, at: Timestamp(1), reason }
}

fn malice(id: &str) -> (VettingCheck, Answer) {
    (VettingCheck::Malice, Answer::found(Severity::Critical, "it is").with([id.to_owned()]))
}

fn blocks(server: &Server, answers: Vec<(VettingCheck, Answer)>, modes: &FailModes) -> bool {
    report(server, answers, modes, Timestamp(1)).checks.iter().any(|row| row.blocks)
}

#[test]
fn what_blocks_is_what_was_found_or_could_not_be_looked_at() {
    let (server, modes) = (server(), FailModes::default());
    let one = |answer: Answer| vec![(VettingCheck::Malice, answer)];
    assert!(blocks(&server, one(Answer::found(Severity::Low, "it")), &modes));
    assert!(blocks(&server, one(Answer::could_not_look("it")), &modes), "who cannot look does not know");
    assert!(!blocks(&server, one(Answer::passed("it")), &modes));
    assert!(!blocks(&server, one(Answer::nothing("it")), &modes));
    let warn = FailModes::new([(VettingCheck::Malice, FailMode::Warn)].into());
    assert!(!blocks(&server, one(Answer::found(Severity::Critical, "it")), &warn));
}

#[test]
fn what_somebody_accepted_is_that_and_nothing_else() {
    let (mut server, modes) = (server(), FailModes::default());
    let found = report(&server, vec![malice("MAL-1")], &modes, Timestamp(1));
    let of = found.checks[0].of.parse().unwrap();
    server.accept("malice", of, Eyes::Four, &by("bob")).unwrap();
    assert!(!blocks(&server, vec![malice("MAL-1")], &modes));
    assert!(blocks(&server, vec![malice("MAL-2")], &modes), "another one");
    let elsewhere = (VettingCheck::Provenance, malice("MAL-1").1);
    assert!(blocks(&server, vec![elsewhere], &modes), "another check");
    let manifest = json!({ "name": "desk", "url": "https://other.example/mcp", "owner": "o", "purpose": "p" });
    server.resubmit(serde_json::from_value(manifest).unwrap(), &by("ada")).unwrap();
    assert!(blocks(&server, vec![malice("MAL-1")], &modes), "another server");
}

#[test]
fn the_score_is_the_sum_of_lines_that_say_why() {
    let answers = vec![
        malice("MAL-1"),
        (VettingCheck::Name, Answer::passed("like no other")),
        (VettingCheck::Package, Answer::could_not_look("nobody did")),
    ];
    let found = report(&server(), answers, &FailModes::default(), Timestamp(1));
    let lines: Vec<_> = found.score.iter().map(|line| (line.points, line.why.as_str())).collect();
    assert_eq!(lines, [(60, "malice: it is"), (2, "package: nobody did")]);
    assert_eq!(found.points, 62);
}

#[test]
fn every_check_has_a_word_that_settings_know() {
    for check in VettingCheck::ALL {
        assert_eq!(json!(check), json!(check.word()), "{check:?}");
        assert!(check.asks().ends_with('?'));
    }
}
