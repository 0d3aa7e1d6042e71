use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{Clock, Timestamp};
use serde_json::json;
use url::Url;

use super::{KeySets, KeySource, KeysError};
use crate::fetch::fake::FakeFetch;
use crate::jwt::SigningKey;
use crate::keys::Algorithm;

const KEYS: &str = "https://login.example/keys";

#[derive(Default)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(1_700_000_000_000 + self.0.load(Ordering::Relaxed))
    }
}

impl Hand {
    fn forward(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}

struct Stage {
    fetch: Arc<FakeFetch>,
    clock: Arc<Hand>,
    sets: Arc<KeySets>,
}

fn stage(source: KeySource) -> Stage {
    let (fetch, clock) = (Arc::new(FakeFetch::default()), Arc::new(Hand::default()));
    let sets = Arc::new(KeySets::new(Arc::clone(&fetch) as _, source, Arc::clone(&clock) as _, 24 * 3_600));
    Stage { fetch, clock, sets }
}

impl Stage {
    fn at_url() -> Self {
        stage(KeySource::At(Url::parse(KEYS).unwrap()))
    }

    fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
        self.fetch.tell(KEYS, json!({"keys": keys}).to_string());
    }

    /// Waits until so many questions were asked, and what came of them is known.
    async fn asked(&self, times: usize) {
        for _ in 0..2_000 {
            if self.fetch.asked().len() >= times {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.fetch.asked().len(), times);
        // Whoever asks has the turn until they know.
        drop(self.sets.fetching.lock().await);
    }
}

fn key() -> SigningKey {
    SigningKey::generate().unwrap()
}

#[tokio::test]
async fn whoever_comes_at_the_same_time_waits_for_one_fetch() {
    let stage = Stage::at_url();
    stage.publish(&[&key()]);
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let sets = Arc::clone(&stage.sets);
            tokio::spawn(async move { sets.current().await.map(|set| set.len()) })
        })
        .collect();
    for one in waiting {
        assert_eq!(one.await.unwrap().unwrap(), 1);
    }
    assert_eq!(stage.fetch.asked().len(), 1);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_refuses_nobody_until_its_keys_are_too_old() {
    let stage = Stage::at_url();
    stage.publish(&[&key()]);
    stage.sets.current().await.unwrap();
    stage.fetch.forget(KEYS);
    // Past the time to fetch again: the known ones are given at once, and a fetch goes on beside.
    stage.clock.forward(2 * 3_600);
    assert_eq!(stage.sets.current().await.unwrap().len(), 1);
    stage.asked(2).await;
    stage.clock.forward(21 * 3_600);
    assert_eq!(stage.sets.current().await.unwrap().len(), 1);
    stage.asked(3).await;
    assert!(stage.sets.health().trouble.is_some());
    // Older than the maximum.
    stage.clock.forward(3 * 3_600);
    assert!(matches!(stage.sets.current().await, Err(KeysError::Fetch(_))));
    assert!(matches!(stage.sets.current().await, Err(KeysError::Unknown)), "it is not tried again at once");
    stage.asked(4).await;
    // It comes back.
    stage.publish(&[&key()]);
    stage.clock.forward(6);
    assert_eq!(stage.sets.current().await.unwrap().len(), 1);
    assert_eq!(stage.sets.health().trouble, None);
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_invented_ones_cause_one_fetch_in_30_seconds() {
    let stage = Stage::at_url();
    let (old, new) = (key(), key());
    stage.publish(&[&old]);
    let seen = stage.sets.current().await.unwrap();
    stage.clock.forward(31);
    stage.publish(&[&old, &new]);
    let newer = stage.sets.newer(&seen).await.unwrap();
    assert!(newer.find(Some(new.kid()), Algorithm::Es256).is_some());
    assert!(newer.find(Some(old.kid()), Algorithm::Es256).is_some());
    for _ in 0..100 {
        assert!(stage.sets.newer(&newer).await.is_none());
    }
    // Whoever still holds the older set is given the newer one without a fetch.
    assert!(stage.sets.newer(&seen).await.is_some());
    assert_eq!(stage.fetch.asked().len(), 2);
    stage.clock.forward(31);
    let _ = stage.sets.newer(&newer).await;
    assert_eq!(stage.fetch.asked().len(), 3);
}

#[tokio::test]
async fn a_set_that_cannot_be_believed_changes_nothing() {
    let stage = Stage::at_url();
    stage.publish(&[&key()]);
    let seen = stage.sets.current().await.unwrap();
    for bad in [json!({"keys": []}), json!({"keys": [{"kty": "oct", "k": "AAAA"}]}), json!([]), json!("<html>")] {
        stage.fetch.tell(KEYS, bad.to_string());
        stage.clock.forward(31);
        assert!(stage.sets.newer(&seen).await.is_none());
        assert!(Arc::ptr_eq(&stage.sets.current().await.unwrap(), &seen));
    }
    stage.fetch.tell_as(KEYS, 302, &[("location", "https://elsewhere.example/keys")], "");
    stage.clock.forward(31);
    assert!(stage.sets.newer(&seen).await.is_none());
    assert!(stage.fetch.asked().iter().all(|asked| asked.url == KEYS), "a redirect is not followed");
}

#[tokio::test]
async fn metadata_is_believed_only_of_the_issuer_that_it_is_about() {
    let issuer = "https://login.example/tenant";
    let (oidc, oauth) = (
        "https://login.example/tenant/.well-known/openid-configuration",
        "https://login.example/.well-known/oauth-authorization-server/tenant",
    );
    for (told, works) in [
        (json!({"issuer": issuer, "jwks_uri": KEYS}), true),
        (json!({"issuer": "https://login.example/tenant/", "jwks_uri": KEYS}), false),
        (json!({"issuer": "https://LOGIN.example/tenant", "jwks_uri": KEYS}), false),
        (json!({"issuer": "https://evil.example", "jwks_uri": KEYS}), false),
        (json!({"jwks_uri": KEYS}), false),
        (json!({"issuer": issuer}), false),
    ] {
        for (first, second) in [(oidc, None), (oauth, Some(oidc))] {
            let stage = stage(KeySource::Discovered(issuer.to_owned()));
            stage.publish(&[&key()]);
            stage.fetch.tell(first, told.to_string());
            if let Some(second) = second {
                stage.fetch.tell_as(second, 404, &[], "");
            }
            assert_eq!(stage.sets.current().await.is_ok(), works, "{told}");
        }
    }
}

#[tokio::test]
async fn keys_are_fetched_again_when_the_issuer_says_within_bounds() {
    let stage = Stage::at_url();
    for (said, seconds) in [("max-age=1", 300), ("public, max-age=900", 900), ("no-store", 3_600), ("max-age=x", 3_600)]
    {
        let keys = json!({"keys": [key().public_jwk()]}).to_string();
        stage.fetch.tell_as(KEYS, 200, &[("cache-control", said)], keys);
        // The set that is known is due, so that this one takes its place.
        stage.clock.forward(12 * 3_600);
        let before = stage.fetch.asked().len();
        stage.sets.current().await.unwrap();
        stage.asked(before + 1).await;
        let due = stage.sets.known().due.milliseconds_since(stage.clock.now());
        assert_eq!(due, seconds * 1_000, "{said}");
    }
}
