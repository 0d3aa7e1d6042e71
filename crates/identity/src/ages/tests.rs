use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::*;
use crate::outgoing::Memory;
use crate::vault::KeyRing;

struct Time(AtomicU64);

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

struct Scene {
    ages: Ages,
    memory: Arc<Memory>,
    time: Arc<Time>,
    directory: tempfile::TempDir,
}

/// The clock stands a year and an hour after the file is written.
fn scene() -> Scene {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs((365 * 24 + 1) * 60 * 60);
    let time = Arc::new(Time(AtomicU64::new(u64::try_from(now.as_millis()).unwrap())));
    let memory = Arc::new(Memory::default());
    let directory = tempfile::tempdir().unwrap();
    write(&directory, "first");
    Scene { ages: ages(&memory, &time), memory, time, directory }
}

fn ages(memory: &Arc<Memory>, time: &Arc<Time>) -> Ages {
    let vault = Vault::new(Arc::new(KeyRing::new(&Secret::new("a".repeat(64)), &[]).unwrap()));
    Ages::new(vault, Arc::clone(memory) as _, Arc::clone(time) as _)
}

fn write(directory: &tempfile::TempDir, secret: &str) {
    let file = directory.path().join("key");
    fs::write(&file, secret).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

impl Scene {
    async fn look(&self, days: Option<u32>) -> Age {
        let key = SecretReference::File("key".into());
        self.ages.look(&crm(), &key, self.directory.path(), days).await.unwrap();
        self.ages.of(&crm()).unwrap()
    }
}

fn crm() -> ServerName {
    "crm".parse().unwrap()
}

#[tokio::test]
async fn a_key_is_as_old_as_its_text_whatever_its_file_says_later() {
    let scene = scene();
    let first = scene.look(Some(90)).await;
    let now = scene.time.now();
    assert!(now.milliseconds_since(first.since) >= 364 * DAY, "its file was a year old when it was first seen");
    assert_eq!(first.late(now).unwrap() / DAY, 365 - 90);
    // Written again with the same text, it is no other key; nor after a restart.
    let file = fs::File::options().append(true).open(scene.directory.path().join("key")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_millis(now.0)).unwrap();
    assert_eq!(scene.look(Some(90)).await, first);
    let again = ages(&scene.memory, &scene.time);
    again.look(&crm(), &SecretReference::File("key".into()), scene.directory.path(), None).await.unwrap();
    assert_eq!(again.of(&crm()).unwrap(), Age { due: None, ..first });

    write(&scene.directory, "second");
    let file = fs::File::options().append(true).open(scene.directory.path().join("key")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_millis(now.0)).unwrap();
    let second = scene.look(Some(90)).await;
    assert_eq!((second.since, second.late(now)), (now, None));
}

#[tokio::test]
async fn a_late_key_is_said_once_a_day() {
    let scene = scene();
    scene.look(Some(90)).await;
    assert_eq!(scene.ages.late(), [(crm(), 275)]);
    assert_eq!(scene.ages.late(), []);
    scene.look(Some(90)).await;
    assert_eq!(scene.ages.late(), [], "another look is no reason to say it again");
    scene.time.0.fetch_add(DAY, Ordering::Relaxed);
    assert_eq!(scene.ages.late(), [(crm(), 276)]);
    scene.look(Some(3_650)).await;
    assert_eq!(scene.ages.late(), []);
}

#[tokio::test]
async fn a_key_that_cannot_be_read_has_no_age_and_nothing_of_one_is_told() {
    let scene = scene();
    scene.look(None).await;
    let kept = format!("{:?}", scene.memory.kept_of(None).await.unwrap());
    let digest = Digest::of(b"key of crm\nfirst").to_string();
    assert!(!kept.contains("first") && !kept.contains(&digest), "{kept}");
    fs::remove_file(scene.directory.path().join("key")).unwrap();
    let key = SecretReference::File("key".into());
    scene.ages.look(&crm(), &key, scene.directory.path(), None).await.unwrap();
    assert_eq!(scene.ages.of(&crm()), None);
}
