use super::*;
use crate::merkle::verify_consistency;
use crate::record::{Changed, End, Event};
use crate::testing::{intent_event, open, outcome_event, refused_event, wait, write_calls};

#[test]
fn a_receipt_is_found_by_its_id_and_proved() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let intents = write_calls(&journal, 1_200);
    journal.close();
    let archive = Archive::at(directory.path());
    for intent in [&intents[0], &intents[511], &intents[600], &intents[1_199]] {
        let receipt = archive.find(intent.id).unwrap().unwrap();
        assert_eq!(receipt.written.record, *intent);
        let outcome = receipt.outcome.unwrap();
        assert_eq!(outcome.record.closes(), Some(intent.id));

        let proof = receipt.proof.unwrap();
        let checkpoint = journal.public_key().open(&proof.checkpoint).unwrap();
        let path: Vec<_> = proof.path.iter().map(|hash| *hash.as_bytes()).collect();
        let mut bytes = Vec::new();
        intent.encode(&mut bytes).unwrap();
        let leaf = crate::merkle::leaf_hash(&bytes);
        let index = receipt.written.index;
        assert_eq!(verify_inclusion(&leaf, index, checkpoint.size, &path, &checkpoint.root), Ok(()));

        assert_eq!(archive.find(outcome.record.id).unwrap().unwrap().written.record, *intent, "by its outcome's id");
    }
    assert_eq!(archive.find(ReceiptId::new(1, 1)).unwrap(), None);
}

#[test]
fn an_id_whose_clock_was_wrong_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 10);
    let mut early = journal.record(refused_event("a clock that stepped back"));
    early.id = ReceiptId::new(5, 5);
    let mut late = journal.record(refused_event("a clock that ran ahead"));
    late.id = ReceiptId::new(4_000_000_000_000, 5);
    journal.queue(&early);
    journal.queue(&late);
    write_calls(&journal, 10);
    for record in [early, late] {
        assert_eq!(journal.archive().find(record.id).unwrap().unwrap().written.record, record);
    }
}

#[test]
fn a_journal_that_is_not_there_holds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let archive = Archive::at(directory.path());
    assert_eq!(archive.find(ReceiptId::new(1, 1)).unwrap(), None);
    assert_eq!(archive.tail(10).unwrap(), []);
}

#[test]
fn a_search_finds_the_newest_that_fit() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let failed = journal.record(intent_event());
    wait(journal.durable(&failed)).unwrap();
    journal.queue(&journal.record(outcome_event(failed.id, End::Unknown("the connection BROKE".to_owned()))));
    journal.queue(&journal.record(refused_event("amount over the limit")));
    let change = journal.record(Event::Changed(Changed {
        outbox: 1,
        revision: model::Revision(1),
        actor: model::Actor::Gate,
        what: "halt".to_owned(),
        subject: "everything".to_owned(),
        detail: serde_json::Value::Null,
    }));
    journal.queue(&change);
    wait(journal.flush()).unwrap();

    let kinds = |filter: Filter| -> Vec<&str> {
        let page = journal.archive().search(&filter, 10).unwrap();
        page.receipts.iter().map(|receipt| receipt.written.record.event.kind().as_str()).collect()
    };
    assert_eq!(kinds(Filter::default()), ["changed", "refused", "intent", "opened"]);
    let by_text = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    assert_eq!(kinds(by_text("LIMIT")), ["refused"]);
    assert_eq!(kinds(by_text("broke")), ["intent"], "in its outcome");
    assert_eq!(kinds(Filter { agent: Some("assistant".parse().unwrap()), ..Filter::default() }), ["refused", "intent"]);
    assert!(kinds(Filter { agent: Some("other".parse().unwrap()), ..Filter::default() }).is_empty());
    assert!(kinds(Filter { user: Some("bob@example.com".parse().unwrap()), ..Filter::default() }).is_empty());
    assert_eq!(kinds(Filter { kind: Some(Kind::Outcome), ..Filter::default() }), ["outcome"]);
    assert_eq!(kinds(Filter { since: Some(change.at), ..Filter::default() }), ["changed"]);
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let intents = write_calls(&journal, 25);
    let mut filter = Filter { kind: Some(Kind::Intent), ..Filter::default() };
    let mut found = Vec::new();
    loop {
        let page = journal.archive().search(&filter, 7).unwrap();
        assert!(page.receipts.iter().all(|receipt| receipt.outcome.is_some()));
        found.extend(page.receipts.into_iter().map(|receipt| receipt.written.record.id));
        match page.before {
            Some(before) => filter.before = Some(before),
            None => break,
        }
    }
    let newest_first: Vec<ReceiptId> = intents.iter().rev().map(|intent| intent.id).collect();
    assert_eq!(found, newest_first);
}

#[test]
fn what_the_journal_was_is_the_beginning_of_what_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 600);
    journal.close();
    let (_, old, old_root) = journal.archive().checkpoint().unwrap().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 600);
    journal.close();
    let (_, size, root) = journal.archive().checkpoint().unwrap().unwrap();
    let proof = journal.archive().consistency(old, size).unwrap().unwrap();
    let proof: Vec<_> = proof.iter().map(|hash| *hash.as_bytes()).collect();
    assert_eq!(verify_consistency(old, &old_root, size, &root, &proof), Ok(()));
    assert_eq!(journal.archive().consistency(old, size + 1).unwrap(), None);
}

#[test]
fn a_record_that_was_changed_is_not_shown_as_if_it_were_not() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let intents = write_calls(&journal, 3);
    journal.close();
    let segment = files::segment_path(directory.path(), 0);
    let mut bytes = std::fs::read(&segment).unwrap();
    let place = bytes.windows(13).position(|window| window == b"read_customer").unwrap();
    bytes[place] = b'R';
    std::fs::write(&segment, bytes).unwrap();
    let found = Archive::at(directory.path()).find(intents[0].id);
    assert!(matches!(found, Err(ReadError::Damaged { index: 1, .. })));
}
