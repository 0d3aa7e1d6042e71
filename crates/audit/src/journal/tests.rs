use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use model::{Reason, limits};

use super::*;
use crate::archive::Filter;
use crate::record::{End, Event, Kind};
use crate::testing::{
    SEGMENT_BYTES, SmallDisk, check, crash, intent_event, open, open_error, options, outcome_event, refused_event,
    wait, write_calls,
};

#[test]
fn a_call_leaves_an_intent_and_its_outcome_that_verify() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, recovery) = open(directory.path());
    assert_eq!((recovery.records, recovery.orphans, recovery.truncated_bytes), (0, 0, 0));
    let intents = write_calls(&journal, 3);
    let receipt = journal.archive().find(intents[1].id).unwrap().unwrap();
    assert_eq!(receipt.written.record, intents[1]);
    assert_eq!(receipt.outcome.unwrap().record.closes(), Some(intents[1].id));
    journal.close();

    let report = check(directory.path());
    assert_eq!(report.problems, []);
    assert_eq!((report.records, report.signed), (7, 7));
    assert!(report.open_intents.is_empty());
}

#[test]
fn records_stand_in_the_order_in_which_they_were_put() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let written: Vec<Record> = (0..50).map(|n| journal.record(refused_event(&format!("number {n}")))).collect();
    for record in &written {
        journal.queue(record);
    }
    wait(journal.flush()).unwrap();
    let mut found: Vec<Record> =
        journal.archive().tail(50).unwrap().into_iter().map(|receipt| receipt.written.record).collect();
    found.reverse();
    assert_eq!(found, written);
}

#[test]
fn a_queued_record_goes_out_without_company_after_the_delay() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    // Long enough for the committing thread to sleep until it is woken.
    std::thread::sleep(Duration::from_millis(1_300));
    let record = journal.record(refused_event("alone"));
    journal.queue(&record);
    let began = Instant::now();
    while journal.archive().find(record.id).unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(5), "the record never came out");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn many_tasks_share_flushes_and_all_are_answered() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let journal = Arc::new(journal);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let journal = Arc::clone(&journal);
            runtime.spawn(async move {
                for _ in 0..20 {
                    let intent = journal.record(intent_event());
                    journal.durable(&intent).await.unwrap();
                    journal.queue(&journal.record(outcome_event(intent.id, End::Completed)));
                }
            })
        })
        .collect();
    for task in tasks {
        wait(task).unwrap();
    }
    journal.close();
    let report = check(directory.path());
    assert_eq!(report.problems, []);
    assert_eq!(report.records, 1 + 32 * 20 * 2);
}

#[test]
fn a_future_that_is_dropped_does_not_take_its_record_back() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let intent = journal.record(intent_event());
    drop(journal.durable(&intent));
    wait(journal.flush()).unwrap();
    assert!(journal.archive().find(intent.id).unwrap().is_some());
}

#[test]
fn a_second_gate_is_refused_until_the_first_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    assert!(matches!(open_error(directory.path()), JournalError::Locked { .. }));
    drop(journal);
    open(directory.path());
}

#[test]
fn the_directory_and_its_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("audit");
    let (journal, _) = open(&directory);
    journal.close();
    assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    for entry in std::fs::read_dir(&directory).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn a_journal_keeps_its_name_and_its_keys() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).0.close();
    let renamed = Journal::open(directory.path(), Options { origin: "other.example.com".to_owned(), ..options() });
    assert!(matches!(renamed.err(), Some(JournalError::OtherKey { .. })));
    std::fs::remove_file(directory.path().join(files::SIGNING_KEY)).unwrap();
    assert!(matches!(open_error(directory.path()), JournalError::File(error) if error.is_missing()));
}

#[test]
fn a_name_with_white_space_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let opened = Journal::open(directory.path(), Options { origin: "my gate".to_owned(), ..options() });
    assert!(matches!(opened.err(), Some(JournalError::Origin { .. })));
}

#[test]
fn a_closed_journal_refuses_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    journal.close();
    journal.close();
    assert!(matches!(wait(journal.durable(&journal.record(intent_event()))), Err(JournalError::Closed)));
    assert_eq!(journal.health().condition, Condition::Closed);
}

#[test]
fn a_full_disk_refuses_calls_keeps_outcomes_and_heals() {
    let directory = tempfile::tempdir().unwrap();
    let disk = SmallDisk::default();
    disk.room.store(1 << 20, Ordering::SeqCst);
    let (journal, _) = Journal::open_on(Box::new(disk.clone()), SEGMENT_BYTES, directory.path(), options()).unwrap();
    let sent = journal.record(intent_event());
    wait(journal.durable(&sent)).unwrap();

    let room = disk.room.swap(100, Ordering::SeqCst);
    let refused = journal.record(intent_event());
    assert!(matches!(wait(journal.durable(&refused)), Err(JournalError::Unwritable(_))));
    let Condition::Unwritable { why, .. } = journal.health().condition else { panic!("it should be unwritable") };
    assert!(why.contains("no storage space"), "{why}");
    let outcome = journal.record(outcome_event(sent.id, End::Completed));
    journal.queue(&outcome);
    assert!(matches!(wait(journal.durable(&journal.record(intent_event()))), Err(JournalError::Unwritable(_))));

    disk.room.store(room, Ordering::SeqCst);
    let began = Instant::now();
    while journal.health().condition != Condition::Writing {
        assert!(began.elapsed() < Duration::from_secs(10), "the journal never healed");
        std::thread::sleep(Duration::from_millis(20));
    }
    wait(journal.durable(&journal.record(refused_event("after")))).unwrap();
    assert_eq!(journal.archive().find(sent.id).unwrap().unwrap().outcome.unwrap().record, outcome);
    assert!(journal.archive().find(refused.id).unwrap().is_none());
    let told = Filter { kind: Some(Kind::Unrecorded), ..Filter::default() };
    let told = journal.archive().search(&told, 10).unwrap().receipts;
    assert!(
        matches!(&told[..], [one] if matches!(&one.written.record.event, Event::Unrecorded(lost) if lost.count == 2))
    );
    journal.close();
    assert_eq!(check(directory.path()).problems, []);
}

#[test]
fn a_full_disk_is_told_when_the_space_taken_ahead_is_used_up() {
    let directory = tempfile::tempdir().unwrap();
    let disk = SmallDisk::default();
    disk.room.store(1 << 30, Ordering::SeqCst);
    let (journal, _) = Journal::open_on(Box::new(disk.clone()), u64::MAX, directory.path(), options()).unwrap();
    wait(journal.durable(&journal.record(intent_event()))).unwrap();

    // Room for the index, and for little more.
    let room = disk.room.swap(limits::JOURNAL_AHEAD_BYTES / 2, Ordering::SeqCst);
    let long = "x".repeat(40_000);
    let mut taken = 1;
    let refused = loop {
        assert!(taken < 60, "the disk is full, and records are still taken");
        match wait(journal.durable(&journal.record(refused_event(&long)))) {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, JournalError::Unwritable(_)), "{refused}");
    assert!(taken > 30, "the space ahead and all the room that was left are for records, not for zeros: {taken}");
    let Condition::Unwritable { why, .. } = journal.health().condition else { panic!("it should be unwritable") };
    assert!(why.contains("no storage space"), "{why}");

    disk.room.store(room, Ordering::SeqCst);
    let began = Instant::now();
    while journal.health().condition != Condition::Writing {
        assert!(began.elapsed() < Duration::from_secs(10), "the journal never healed");
        std::thread::sleep(Duration::from_millis(20));
    }
    journal.close();
    let report = check(directory.path());
    assert_eq!(report.problems, []);
    assert_eq!(report.records, 1 + taken + 1, "the opening, what was taken, and what was not");
}

#[test]
fn a_full_disk_that_leaves_no_room_for_the_index_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let disk = SmallDisk::default();
    disk.room.store(1 << 30, Ordering::SeqCst);
    let (journal, _) = Journal::open_on(Box::new(disk.clone()), SEGMENT_BYTES, directory.path(), options()).unwrap();
    disk.room.store(10, Ordering::SeqCst);
    let durable = journal.record(intent_event());
    wait(journal.durable(&durable)).unwrap();
    assert!(matches!(wait(journal.durable(&journal.record(intent_event()))), Err(JournalError::Unwritable(_))));
    let crashed = crash(directory.path());
    assert_eq!(open(crashed.path()).1.orphans, 1, "the index is made anew");
}

#[test]
fn who_waits_for_a_flush_finds_what_was_put_before_however_busy_the_journal_is() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let journal = Arc::new(journal);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|task| {
            let journal = Arc::clone(&journal);
            runtime.spawn(async move {
                for _ in 0..30 {
                    let intent = journal.record(intent_event());
                    journal.durable(&intent).await.unwrap();
                    if task == 0 {
                        journal.flush().await.unwrap();
                        assert!(journal.archive().find(intent.id).unwrap().is_some());
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        wait(task).unwrap();
    }
}

#[test]
fn a_flush_that_fails_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let disk = SmallDisk::default();
    disk.room.store(1 << 20, Ordering::SeqCst);
    let (journal, _) = Journal::open_on(Box::new(disk.clone()), SEGMENT_BYTES, directory.path(), options()).unwrap();
    let length = || std::fs::metadata(files::segment_path(directory.path(), 0)).unwrap().len();
    let before = length();
    disk.sync_fails.store(true, Ordering::SeqCst);
    assert!(wait(journal.durable(&journal.record(intent_event()))).is_err());
    assert_eq!(length(), before);
    disk.sync_fails.store(false, Ordering::SeqCst);
    journal.close();
    let report = check(directory.path());
    assert_eq!(report.problems, []);
    assert_eq!(report.records, 2, "the opening, and what was not recorded");
}

#[test]
fn more_than_may_wait_is_refused_but_outcomes_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let disk = SmallDisk::default();
    disk.room.store(1 << 30, Ordering::SeqCst);
    let (journal, _) = Journal::open_on(Box::new(disk.clone()), SEGMENT_BYTES, directory.path(), options()).unwrap();
    disk.sync_fails.store(true, Ordering::SeqCst);
    assert!(wait(journal.durable(&journal.record(intent_event()))).is_err());
    let record = journal.record(refused_event("again"));
    for _ in 0..limits::RECORDS_PENDING_MAX + 10 {
        journal.queue(&record);
    }
    let full = journal.health().pending;
    assert!(full <= u64::try_from(limits::RECORDS_PENDING_MAX).unwrap());
    journal.queue(&journal.record(outcome_event(record.id, End::Completed)));
    assert!(journal.health().pending > full || full == 0);
    disk.sync_fails.store(false, Ordering::SeqCst);
}

#[test]
fn strangers_are_counted_and_told_of_at_a_bounded_rate() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    for _ in 0..1_000 {
        journal.stranger("192.0.2.7", Reason::Unauthenticated);
    }
    let told = Filter { kind: Some(Kind::Strangers), ..Filter::default() };
    let began = Instant::now();
    let found = loop {
        let found = journal.archive().search(&told, 10).unwrap().receipts;
        if !found.is_empty() {
            break found;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "nothing was told");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(found.len(), 1);
    assert!(matches!(&found[0].written.record.event, Event::Strangers(s) if s.count == 1_000));
}

#[test]
fn checkpoints_are_signed_while_the_journal_grows() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let intents = write_calls(&journal, 5);
    let began = Instant::now();
    let proof = loop {
        if let Some(proof) = journal.archive().find(intents[4].id).unwrap().unwrap().proof {
            break proof;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(10));
    };
    let checkpoint = journal.public_key().open(&proof.checkpoint).unwrap();
    assert_eq!(checkpoint.size, 11);
    assert_eq!(journal.health().checkpoint, None);
}
