use super::*;
use crate::disk::RealDisk;
use crate::record::{End, Event, Record};
use crate::testing::{
    SEGMENT_BYTES, check, crash, frames, intent_event, open, open_error, outcome_event, refused_event, rewrite, wait,
    write_calls,
};

/// What recovery alone finds, without what opening then writes.
fn recovered(directory: &Path) -> Result<Found, JournalError> {
    let key = files::read(&directory.join(files::PUBLIC_KEY)).unwrap().parse().unwrap();
    recover(directory, Box::new(RealDisk), &key, SEGMENT_BYTES).map(|(_, found)| found)
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

fn cut(path: &Path, length: u64) {
    File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[test]
fn a_journal_cut_at_any_byte_after_the_checkpoint_opens_with_every_whole_record() {
    let directory = tempfile::tempdir().unwrap();
    write_calls(&open(directory.path()).0, 2);
    let (journal, _) = open(directory.path());
    write_calls(&journal, 1);
    let crashed = crash(directory.path());
    let kept = Standing::read(crashed.path()).unwrap().unwrap();
    let segment = files::segment_path(crashed.path(), 0);
    let ends: Vec<u64> = frames(crashed.path())
        .iter()
        .scan(0, |end, frame| {
            *end += u64::try_from(frame.len()).unwrap();
            Some(*end)
        })
        .collect();
    let whole = std::fs::read(&segment).unwrap();
    // On a slow machine a second has passed, and more than the kept state is under a signed root.
    let note = std::fs::read_to_string(crashed.path().join(files::CHECKPOINT)).unwrap();
    let signed: usize = note.lines().nth(1).unwrap().parse().unwrap();
    let from = kept.offset.max(ends[signed - 1]);
    assert!(from < length(&segment), "something must have come after the checkpoint");
    for at in from..=length(&segment) {
        std::fs::write(&segment, &whole[..usize::try_from(at).unwrap()]).unwrap();
        let found = recovered(crashed.path()).unwrap();
        let records = ends.iter().take_while(|&&end| end <= at).count();
        assert_eq!(found.records, u64::try_from(records).unwrap(), "cut at {at}");
        assert_eq!(found.truncated_bytes, at - ends[..records].last().unwrap(), "cut at {at}");
        assert_eq!(length(&segment), ends[records - 1]);
    }
}

#[test]
fn a_torn_journal_goes_on_and_verifies() {
    let directory = tempfile::tempdir().unwrap();
    write_calls(&open(directory.path()).0, 2);
    let (journal, _) = open(directory.path());
    write_calls(&journal, 2);
    for bytes in [1, 30, 300, 700] {
        let crashed = crash(directory.path());
        let segment = files::segment_path(crashed.path(), 0);
        cut(&segment, length(&segment) - bytes);
        let (again, recovery) = open(crashed.path());
        assert!(recovery.truncated_bytes > 0);
        write_calls(&again, 1);
        again.close();
        let report = check(crashed.path());
        assert_eq!(report.problems, []);
        assert_eq!(report.signed, report.records);
    }
}

#[test]
fn zeros_and_noise_at_the_end_are_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 2);
    for end in [vec![0; 4_096], vec![0xA5; 77]] {
        let crashed = crash(directory.path());
        let segment = files::segment_path(crashed.path(), 0);
        let good = std::fs::read(&segment).unwrap();
        std::fs::write(&segment, [good.as_slice(), &end].concat()).unwrap();
        let found = recovered(crashed.path()).unwrap();
        assert_eq!((found.records, found.truncated_bytes), (5, u64::try_from(end.len()).unwrap()));
        assert_eq!(std::fs::read(&segment).unwrap(), good);
    }
}

#[test]
fn an_intent_without_an_outcome_is_closed_as_unknown() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let ended = journal.record(intent_event());
    let orphan = journal.record(intent_event());
    wait(journal.durable(&ended)).unwrap();
    wait(journal.durable(&orphan)).unwrap();
    journal.queue(&journal.record(outcome_event(ended.id, End::Completed)));
    wait(journal.flush()).unwrap();
    for closed in [false, true] {
        if closed {
            journal.close();
        }
        let crashed = crash(directory.path());
        let (again, recovery) = open(crashed.path());
        assert_eq!(recovery.orphans, 1);
        let outcome = again.archive().find(orphan.id).unwrap().unwrap().outcome.unwrap();
        assert!(matches!(outcome.record.event, Event::Outcome(outcome) if matches!(outcome.end, End::Unknown(_))));
        again.close();
        assert_eq!(check(crashed.path()).problems, []);
        assert_eq!(open(crashed.path()).1.orphans, 0);
    }
}

#[test]
fn only_what_came_after_the_checkpoint_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 20);
    journal.close();
    let recovery = open(directory.path()).1;
    assert_eq!((recovery.records, recovery.replayed), (41, 0));
}

#[test]
fn a_lost_or_changed_state_or_index_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let intents = write_calls(&journal, 20);
    journal.close();
    let spoilt = |file: &str, spoil: fn(&Path)| {
        let crashed = crash(directory.path());
        spoil(&crashed.path().join(file));
        let (again, recovery) = open(crashed.path());
        assert_eq!((recovery.records, recovery.replayed), (41, 41), "{file}");
        assert!(again.archive().find(intents[3].id).unwrap().unwrap().proof.is_some());
        again.close();
        assert_eq!(check(crashed.path()).problems, []);
    };
    spoilt(files::STATE, |path| std::fs::remove_file(path).unwrap());
    spoilt(files::STATE, |path| std::fs::write(path, "sha256:00\n{}").unwrap());
    spoilt(files::INDEX, |path| std::fs::remove_file(path).unwrap());
    spoilt(files::INDEX, |path| cut(path, 100));
}

#[test]
fn records_that_were_signed_and_are_gone_are_damage() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 3);
    journal.close();

    let shorter = crash(directory.path());
    let segment = files::segment_path(shorter.path(), 0);
    cut(&segment, length(&segment) - 1);
    let error = open_error(shorter.path());
    assert!(matches!(&error, JournalError::Damaged { meaning, .. } if meaning.contains("the file ends")), "{error}");

    let empty = crash(directory.path());
    std::fs::remove_file(files::segment_path(empty.path(), 0)).unwrap();
    let error = open_error(empty.path());
    assert!(matches!(&error, JournalError::Damaged { meaning, .. } if meaning.contains("7 records")), "{error}");
}

#[test]
fn a_changed_record_is_damage_when_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 3);
    journal.close();

    let flipped = crash(directory.path());
    let segment = files::segment_path(flipped.path(), 0);
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[400] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    std::fs::remove_file(flipped.path().join(files::STATE)).unwrap();
    assert!(matches!(open_error(flipped.path()), JournalError::Damaged { .. }));

    // Framed anew, so that only the signed root can tell.
    let swapped = crash(directory.path());
    let mut all = frames(swapped.path());
    all.swap(1, 3);
    rewrite(swapped.path(), &all);
    let error = open_error(swapped.path());
    assert!(matches!(&error, JournalError::Damaged { meaning, .. } if meaning.contains("signed")), "{error}");
}

#[test]
fn a_checkpoint_of_another_key_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    open(directory.path()).0.close();
    open(other.path()).0.close();
    std::fs::copy(other.path().join(files::CHECKPOINT), directory.path().join(files::CHECKPOINT)).unwrap();
    let error = open_error(directory.path());
    assert!(matches!(&error, JournalError::Damaged { file, .. } if file == files::CHECKPOINT), "{error}");
}

/// A journal of several segments.
fn segmented() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let long = "x".repeat(60_000);
    for _ in 0..60 {
        wait(journal.durable(&journal.record(refused_event(&long)))).unwrap();
    }
    journal.close();
    directory
}

#[test]
fn full_segments_are_followed_by_new_ones() {
    let directory = segmented();
    assert!(files::segments(directory.path()).unwrap().len() > 3);
    assert_eq!(check(directory.path()).problems, []);
    std::fs::remove_file(directory.path().join(files::STATE)).unwrap();
    let (journal, recovery) = open(directory.path());
    assert_eq!(recovery.records, 61);
    let oldest: Vec<Record> = journal.archive().tail(100).unwrap().into_iter().map(|it| it.written.record).collect();
    assert_eq!(oldest.len(), 62);
}

#[test]
fn a_missing_segment_is_damage() {
    for missing in [0, 1] {
        let directory = segmented();
        let first = files::segments(directory.path()).unwrap()[missing];
        std::fs::remove_file(files::segment_path(directory.path(), first)).unwrap();
        assert!(check(directory.path()).problems_total > 0);
        std::fs::remove_file(directory.path().join(files::STATE)).unwrap();
        let error = open_error(directory.path());
        assert!(matches!(&error, JournalError::Damaged { meaning, .. } if meaning.contains("missing")), "{error}");
    }
}

#[test]
fn a_torn_record_in_a_segment_that_others_follow_is_damage() {
    let directory = segmented();
    let segment = files::segment_path(directory.path(), 0);
    cut(&segment, length(&segment) - 1);
    std::fs::remove_file(directory.path().join(files::STATE)).unwrap();
    std::fs::remove_file(directory.path().join(files::CHECKPOINT)).unwrap();
    assert!(matches!(open_error(directory.path()), JournalError::Damaged { .. }));
}
