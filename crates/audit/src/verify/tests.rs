use super::*;
use crate::journal::Journal;
use crate::record::End;
use crate::testing::{
    check, crash, frame_of, frames, intent_event, open, options, outcome_event, refused_event, rewrite, wait,
    write_calls, written,
};

/// A closed journal of seven records: the opening, and three calls.
fn journal() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 3);
    journal.close();
    directory
}

fn meanings(report: &Report) -> String {
    report.problems.iter().map(|problem| format!("{}: {}\n", problem.index, problem.meaning)).collect()
}

#[test]
fn a_journal_as_it_was_written_is_intact() {
    let directory = journal();
    let report = check(directory.path());
    assert!(report.is_intact(), "{}", meanings(&report));
    assert_eq!((report.records, report.signed, report.segments, report.unfinished_bytes), (7, 7, 1, 0));
    assert!(report.checkpoints >= 2, "the latest, and the history's");
}

#[test]
fn a_journal_that_is_being_written_verifies_too() {
    let directory = tempfile::tempdir().unwrap();
    write_calls(&open(directory.path()).0, 1);
    let (journal, _) = open(directory.path());
    let intent = journal.record(intent_event());
    wait(journal.durable(&intent)).unwrap();
    let report = check(directory.path());
    assert!(report.is_intact(), "{}", meanings(&report));
    assert_eq!(report.open_intents, [intent.id]);
    assert_eq!(report.unfinished_bytes, 0, "what it will grow into is not counted");

    let torn = crash(directory.path());
    let segment = files::segment_path(torn.path(), 0);
    let bytes = written(&segment);
    std::fs::write(&segment, [bytes.as_slice(), &[1, 2, 3], &[0; 2_000]].concat()).unwrap();
    let report = check(torn.path());
    assert!(report.is_intact(), "{}", meanings(&report));
    assert_eq!(report.unfinished_bytes, 3);
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let directory = journal();
    let segment = files::segment_path(directory.path(), 0);
    let good = std::fs::read(&segment).unwrap();
    for byte in 0..good.len() {
        let mut bytes = good.clone();
        bytes[byte] ^= 1 << (byte % 8);
        std::fs::write(&segment, bytes).unwrap();
        let report = check(directory.path());
        assert!(!report.is_intact(), "byte {byte}");
        assert_eq!(report.problems[0].file, "00000000000000000000.records");
    }
}

#[test]
fn a_removed_record_is_found() {
    for removed in 0..7 {
        let directory = journal();
        let mut all = frames(directory.path());
        all.remove(removed);
        rewrite(directory.path(), &all);
        let found = meanings(&check(directory.path()));
        // The first record has a checkpoint of its own, from when the journal was opened.
        let expected = if removed == 0 { "are not those that were signed" } else { "the end was removed" };
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn a_record_put_in_is_found() {
    for place in 0..=7 {
        let directory = journal();
        let mut all = frames(directory.path());
        let (forged, _) = open(tempfile::tempdir().unwrap().path());
        all.insert(place, frame_of(&forged.record(refused_event("forged"))));
        rewrite(directory.path(), &all);
        let report = check(directory.path());
        // Put in after the last signed record, it is one that is not signed yet, and told as such.
        assert_eq!(report.is_intact(), place == 7, "{place}: {}", meanings(&report));
        assert!(report.signed < report.records);
    }
}

#[test]
fn records_in_another_order_are_found() {
    for place in 0..6 {
        let directory = journal();
        let mut all = frames(directory.path());
        all.swap(place, place + 1);
        rewrite(directory.path(), &all);
        let found = meanings(&check(directory.path()));
        assert!(found.contains("are not those that were signed"), "{found}");
    }
}

#[test]
fn a_changed_record_is_told_at_its_place() {
    let directory = journal();
    let mut all = frames(directory.path());
    let (forged, _) = open(tempfile::tempdir().unwrap().path());
    all[3] = frame_of(&forged.record(intent_event()));
    std::fs::write(files::segment_path(directory.path(), 0), all.concat()).unwrap();
    let report = check(directory.path());
    assert_eq!(report.problems[0].index, 3, "{}", meanings(&report));
    assert_eq!(report.problems[0].offset, all[..3].iter().map(|frame| frame.len() as u64).sum::<u64>());
    assert!(meanings(&report).contains("are not those that were signed"));
}

#[test]
fn a_second_outcome_and_one_without_an_intent_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let intents = write_calls(&journal, 1);
    journal.queue(&journal.record(outcome_event(intents[0].id, End::Cancelled)));
    journal.queue(&journal.record(outcome_event(journal.receipt_id(), End::Completed)));
    journal.close();
    let report = check(directory.path());
    let places: Vec<u64> = report.problems.iter().map(|problem| problem.index).collect();
    assert_eq!(places, [3, 4], "{}", meanings(&report));
}

#[test]
fn a_record_of_another_version_is_told_though_it_is_whole() {
    let directory = journal();
    let mut all = frames(directory.path());
    let mut newer = Vec::new();
    crate::frame::seal(&mut newer, |out| {
        out.extend_from_slice(br#"{"v":2,"id":"01M3250V000000000000000005"}"#);
        Ok::<(), ()>(())
    })
    .unwrap();
    all.push(newer);
    rewrite(directory.path(), &all);
    let found = meanings(&check(directory.path()));
    assert!(found.contains("version 2 is not known"), "{found}");
}

#[test]
fn a_journal_rewritten_with_a_key_of_its_own_is_found_by_what_was_kept_elsewhere() {
    let genuine = journal();
    let key: PublicKey = files::read(&genuine.path().join(files::PUBLIC_KEY)).unwrap().parse().unwrap();
    let note = files::read(&genuine.path().join(files::CHECKPOINT)).unwrap();
    let forged = journal();
    assert!(check(forged.path()).is_intact());

    let trusted = Trusted { key: Some(key), checkpoints: Vec::new() };
    let report = verify(forged.path(), &trusted, &mut |_| {}).unwrap();
    assert!(meanings(&report).contains("not the trusted one"), "{}", meanings(&report));
    assert_eq!(report.checkpoints, 0);

    let trusted = Trusted { key: None, checkpoints: vec![note] };
    assert!(!verify(forged.path(), &trusted, &mut |_| {}).unwrap().is_intact());
    assert!(verify(genuine.path(), &trusted, &mut |_| {}).unwrap().is_intact());
}

#[test]
fn a_journal_set_back_to_an_earlier_day_is_found_by_a_later_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    write_calls(&open(directory.path()).0, 1);
    let earlier = crash(directory.path());
    let (journal, _) = open(directory.path());
    write_calls(&journal, 1);
    journal.close();
    let note = files::read(&directory.path().join(files::CHECKPOINT)).unwrap();
    assert!(check(earlier.path()).is_intact());
    let trusted = Trusted { key: None, checkpoints: vec![note] };
    let report = verify(earlier.path(), &trusted, &mut |_| {}).unwrap();
    assert!(meanings(&report).contains("the end was removed"), "{}", meanings(&report));
}

#[test]
fn a_checkpoint_that_was_changed_or_taken_away_is_told() {
    let directory = journal();
    let path = directory.path().join(files::CHECKPOINT);
    let note = files::read(&path).unwrap();
    std::fs::write(&path, note.replace("\n7\n", "\n6\n")).unwrap();
    assert!(meanings(&check(directory.path())).contains("cannot be believed"));
    std::fs::remove_file(&path).unwrap();
    assert!(check(directory.path()).is_intact(), "the history still vouches");
    std::fs::remove_file(directory.path().join(files::CHECKPOINTS)).unwrap();
    assert!(meanings(&check(directory.path())).contains("nothing vouches"));
}

#[test]
fn every_earlier_checkpoint_stays_checkable() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..4 {
        let (journal, _) = Journal::open(directory.path(), options()).unwrap();
        write_calls(&journal, 2);
        journal.close();
    }
    let report = check(directory.path());
    assert!(report.is_intact(), "{}", meanings(&report));
    assert!(report.checkpoints >= 5, "{}", report.checkpoints);
}

#[test]
fn much_that_is_wrong_is_counted_and_told_in_part() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    for _ in 0..limits::PROBLEMS_MAX + 20 {
        journal.queue(&journal.record(outcome_event(journal.receipt_id(), End::Completed)));
    }
    journal.close();
    let report = check(directory.path());
    assert_eq!(report.problems.len(), limits::PROBLEMS_MAX);
    assert_eq!(report.problems_total, u64::try_from(limits::PROBLEMS_MAX + 20).unwrap());
}
