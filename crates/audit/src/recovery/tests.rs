use model::limits::JOURNAL_AHEAD_BYTES;

use super::*;
use crate::disk::RealDisk;
use crate::record::{End, Event, Record};
use crate::testing::{
    SEGMENT_BYTES, check, crash, frames, intent_event, open, open_error, outcome_event, refused_event, rewrite, wait,
    write_calls, written,
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
    let whole = written(&segment);
    assert!(length(&segment) >= whole.len() as u64 + JOURNAL_AHEAD_BYTES / 2, "the rest is zeros to grow into");
    // On a slow machine a second has passed, and more than the kept state is under a signed root.
    let note = std::fs::read_to_string(crashed.path().join(files::CHECKPOINT)).unwrap();
    let signed: usize = note.lines().nth(1).unwrap().parse().unwrap();
    let from = kept.offset.max(ends[signed - 1]);
    assert!(from < whole.len() as u64, "something must have come after the checkpoint");
    for at in usize::try_from(from).unwrap()..=whole.len() {
        let records = ends.iter().take_while(|&&end| end <= at as u64).count();
        let good = usize::try_from(ends[records - 1]).unwrap();
        // What the end of a torn record has of zeros cannot be told from what was written ahead.
        let torn = whole[good..at].iter().rposition(|&byte| byte != 0).map_or(0, |last| last as u64 + 1);
        for ahead in [0, 1, 5_000] {
            std::fs::write(&segment, [&whole[..at], &vec![0; ahead]].concat()).unwrap();
            let found = recovered(crashed.path()).unwrap();
            assert_eq!(found.records, u64::try_from(records).unwrap(), "cut at {at}, {ahead} zeros");
            assert_eq!(found.truncated_bytes, torn, "cut at {at}, {ahead} zeros");
            assert_eq!(std::fs::read(&segment).unwrap(), whole[..good], "cut at {at}, {ahead} zeros");
        }
    }
}

#[test]
fn a_batch_of_which_a_crash_kept_the_later_part_only_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 3);
    let crashed = crash(directory.path());
    let segment = files::segment_path(crashed.path(), 0);
    let all = frames(crashed.path());
    let good = all[..5].concat();
    // The sixth record's page is still what was written ahead; the seventh is whole behind it.
    std::fs::write(&segment, [good.as_slice(), &vec![0; all[5].len()], &all[6], &[0; 9_000]].concat()).unwrap();
    // Whether one was signed by then is chance; nothing is, here.
    let checkpoint = crashed.path().join(files::CHECKPOINT);
    if checkpoint.exists() {
        std::fs::remove_file(checkpoint).unwrap();
    }
    let found = recovered(crashed.path()).unwrap();
    assert_eq!((found.records, found.truncated_bytes), (5, (all[5].len() + all[6].len()) as u64));
    assert_eq!(std::fs::read(&segment).unwrap(), good);
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
        let whole = written(&segment);
        std::fs::write(&segment, [&whole[..whole.len() - bytes], &vec![0; bytes + 7_000]].concat()).unwrap();
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
fn zeros_after_the_last_record_are_its_end_and_noise_is_torn() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    write_calls(&journal, 2);
    let noise = vec![0xA5; 77];
    let cases = [(vec![0; 4_096], 0), (noise.clone(), 77), ([vec![0; 4_096], noise, vec![0; 10]].concat(), 4_173)];
    for (end, torn) in cases {
        let crashed = crash(directory.path());
        let segment = files::segment_path(crashed.path(), 0);
        let good = written(&segment);
        std::fs::write(&segment, [good.as_slice(), &end].concat()).unwrap();
        let found = recovered(crashed.path()).unwrap();
        assert_eq!((found.records, found.truncated_bytes), (5, torn));
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

    // Zeros in place of records that were signed are not the end, however much they look like it.
    let blanked = crash(directory.path());
    let all = frames(blanked.path());
    std::fs::remove_file(blanked.path().join(files::STATE)).unwrap();
    let segment = files::segment_path(blanked.path(), 0);
    let (kept, gone) = (all[..5].concat(), all[5..].concat());
    std::fs::write(&segment, [kept, vec![0; gone.len()]].concat()).unwrap();
    let error = open_error(blanked.path());
    assert!(matches!(&error, JournalError::Damaged { index: 5, .. }), "{error}");
    assert!(!check(blanked.path()).is_intact());

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
    std::fs::write(&segment, &bytes).unwrap();
    std::fs::remove_file(flipped.path().join(files::STATE)).unwrap();
    let zeros = [bytes.as_slice(), &[0; 3_000]].concat();
    assert!(matches!(open_error(flipped.path()), JournalError::Damaged { .. }));
    std::fs::write(&segment, zeros).unwrap();
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
fn a_full_segment_and_a_closed_journal_end_with_their_last_record() {
    let directory = segmented();
    let segments = files::segments(directory.path()).unwrap();
    for first in &segments {
        let segment = files::segment_path(directory.path(), *first);
        assert_eq!(length(&segment), written(&segment).len() as u64, "{first}");
    }
    let (_journal, recovery) = open(directory.path());
    assert_eq!(recovery.truncated_bytes, 0);
    let last = files::segment_path(directory.path(), *segments.last().unwrap());
    assert_eq!(length(&last), written(&last).len() as u64 + JOURNAL_AHEAD_BYTES, "it grows ahead again");
}

#[test]
fn zeros_at_the_end_of_a_full_segment_hide_nothing() {
    let directory = segmented();
    std::fs::remove_file(directory.path().join(files::STATE)).unwrap();
    let segment = files::segment_path(directory.path(), 0);
    let whole = written(&segment);
    // A crash came before the segment was cut to its length.
    std::fs::write(&segment, [whole.as_slice(), &[0; 5_000]].concat()).unwrap();
    assert_eq!(check(directory.path()).problems, []);
    assert_eq!(recovered(directory.path()).unwrap().records, 61);

    let last = frames(directory.path()).pop().unwrap().len();
    let blanked = [&whole[..whole.len() - last], &vec![0; last]].concat();
    let noisy = [whole.as_slice(), &[0; 5_000], &[1], &[0; 50]].concat();
    for wrong in [blanked, noisy] {
        std::fs::write(&segment, wrong).unwrap();
        std::fs::remove_file(directory.path().join(files::INDEX)).unwrap();
        assert!(!check(directory.path()).is_intact());
        assert!(matches!(recovered(directory.path()), Err(JournalError::Damaged { .. })));
    }
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
