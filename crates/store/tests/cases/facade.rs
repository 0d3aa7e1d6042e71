use audit::port::Outbox;
use identity::port::{
    Device, Ended, Facade, Family, Grant, KeptKey, Person, Polled, Redeemed, Refresh, Rotated, SignIn,
};
use model::{Change, Digest, Timestamp};
use serde_json::json;

use super::Backend;
use super::samples::change;

const SOON: Timestamp = Timestamp(60_000);
const NOW: Timestamp = Timestamp(1_000);

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn later(at: u64) -> Change {
    Change { at: Timestamp(at), ..change() }
}

fn person() -> Person {
    Person {
        issuer: "https://id.example".to_owned(),
        subject: "248289761001".to_owned(),
        session: Some("08a5019c".to_owned()),
        user: "ada".parse().unwrap(),
        groups: vec!["finance".parse().unwrap()],
        acr: Some("mfa".to_owned()),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
        auth_time: Some(1),
    }
}

fn grant() -> Grant {
    Grant {
        client: "https://client.example/me.json".to_owned(),
        registration: "editor".to_owned(),
        agent: "editor".parse().unwrap(),
        person: Some(person()),
        endpoint: "sales".parse().unwrap(),
        scopes: vec!["mcp".to_owned()],
        redirect: "http://127.0.0.1:3000/cb".to_owned(),
        challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
        key: Some("thumbprint".to_owned()),
        certificate: Some("another thumbprint".to_owned()),
        attested: true,
        upstream: Some(json!({ "sealed": "text" })),
    }
}

fn family(id: &str) -> Family {
    Family { id: id.to_owned(), grant: grant(), begun: NOW, ends: Timestamp(1_000_000) }
}

fn refresh(name: &str) -> Refresh {
    Refresh { chain: digest(&format!("{name} chain")), link: digest(&format!("{name} link")) }
}

/// A family, begun with the code of its name.
async fn begun(store: &impl Facade, name: &str) -> Family {
    store.agree(digest(name), grant(), SOON, change()).await.unwrap();
    let redeemed = store.redeem(&digest(name), family(name), refresh(name), change()).await.unwrap();
    assert_eq!(redeemed, Redeemed::Begun);
    family(name)
}

pub(crate) async fn who_leaves_comes_back_once_and_in_time<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let browser = digest("cookie");
    let leaving = SignIn { browser, grant: grant(), state: Some("xyz".to_owned()), max_age: Some(60), device: None };
    store.leave(digest("one"), leaving.clone(), SOON, NOW).await.unwrap();
    store.leave(digest("two"), leaving.clone(), SOON, NOW).await.unwrap();
    let store = backend.open().await;
    assert_eq!(store.come_back(&digest("three"), NOW).await.unwrap(), None);
    assert_eq!(store.come_back(&digest("one"), NOW).await.unwrap(), Some(leaving));
    assert_eq!(store.come_back(&digest("one"), NOW).await.unwrap(), None, "once");
    assert_eq!(store.come_back(&digest("two"), SOON).await.unwrap(), None, "too late");
}

pub(crate) async fn a_code_begins_one_family_and_its_replay_ends_that<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.agree(digest("code"), grant(), SOON, change()).await.unwrap();
    assert_eq!(store.code(&digest("code"), NOW).await.unwrap(), Some(grant()));
    assert_eq!(store.code(&digest("code"), SOON).await.unwrap(), None, "its time is over");
    let redeem = |id: &str| {
        let (store, family, refresh) = (store.clone(), family(id), refresh(id));
        async move { store.redeem(&digest("code"), family, refresh, change()).await.unwrap() }
    };
    assert_eq!(redeem("f1").await, Redeemed::Begun);
    assert_eq!(store.code(&digest("code"), NOW).await.unwrap(), None);
    assert_eq!(store.family(&refresh("f1").chain, NOW).await.unwrap(), Some(family("f1")));
    assert_eq!(redeem("f2").await, Redeemed::Again("f1".to_owned()));
    assert_eq!(store.family(&refresh("f1").chain, NOW).await.unwrap(), None, "the replay ended what the code began");
    assert_eq!(store.family(&refresh("f2").chain, NOW).await.unwrap(), None);
    assert_eq!(store.revoked(NOW).await.unwrap(), ["f1"]);
    begun(&store, "f3").await;
    assert_eq!(store.replayed(&digest("f3"), change()).await.unwrap(), Some("f3".to_owned()));
    assert_eq!(store.replayed(&digest("f3"), change()).await.unwrap(), None, "it is over");
    assert_eq!(store.replayed(&digest("another"), change()).await.unwrap(), None);
}

pub(crate) async fn of_two_who_come_with_one_code_one_gets_something<B: Backend>() {
    let backend = B::new();
    let (one, other) = (backend.open().await, backend.open().await);
    one.agree(digest("code"), grant(), SOON, change()).await.unwrap();
    let code = digest("code");
    let (first, second) = tokio::join!(
        one.redeem(&code, family("f1"), refresh("f1"), change()),
        other.redeem(&code, family("f2"), refresh("f2"), change()),
    );
    let begun = [first.unwrap(), second.unwrap()].iter().filter(|redeemed| **redeemed == Redeemed::Begun).count();
    assert_eq!(begun, 1);
}

pub(crate) async fn a_code_that_expired_begins_nothing<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.agree(digest("code"), grant(), SOON, change()).await.unwrap();
    let redeemed = store.redeem(&digest("code"), family("f1"), refresh("f1"), later(60_000)).await.unwrap();
    assert_eq!(redeemed, Redeemed::Unknown);
}

pub(crate) async fn a_refresh_token_that_was_used_ends_its_family<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let mut family = begun(&store, "f1").await;
    family.grant.scopes = vec!["other".to_owned()];
    let (first, second) = (refresh("f1"), digest("second"));
    let rotated = store.rotate(first, second, family.clone(), change()).await.unwrap();
    assert_eq!(rotated, Rotated::Renewed);
    let store = backend.open().await;
    assert_eq!(store.family(&first.chain, NOW).await.unwrap(), Some(family.clone()), "what was learnt is kept");
    let again = store.rotate(first, digest("third"), family.clone(), change()).await.unwrap();
    assert_eq!(again, Rotated::Again("f1".to_owned()));
    let rightful = Refresh { link: second, ..first };
    let after = store.rotate(rightful, digest("fourth"), family, change()).await.unwrap();
    assert_eq!(after, Rotated::Unknown, "the newest token is worth nothing either");
}

pub(crate) async fn of_two_who_come_with_one_refresh_token_one_gets_something<B: Backend>() {
    let backend = B::new();
    let (one, other) = (backend.open().await, backend.open().await);
    let family = begun(&one, "f1").await;
    let (first, second) = tokio::join!(
        one.rotate(refresh("f1"), digest("a"), family.clone(), change()),
        other.rotate(refresh("f1"), digest("b"), family.clone(), change()),
    );
    let renewed = [first.unwrap(), second.unwrap()].iter().filter(|rotated| **rotated == Rotated::Renewed).count();
    assert_eq!(renewed, 1);
}

pub(crate) async fn families_end_by_person_session_consent_and_time<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let issuer = || "https://id.example".to_owned();
    for (name, ended) in [
        ("family", Ended::Family("family".to_owned())),
        ("subject", Ended::Subject { issuer: issuer(), subject: "248289761001".to_owned() }),
        ("session", Ended::Session { issuer: issuer(), session: "08a5019c".to_owned() }),
        ("consent", Ended::Consent { user: "ada".parse().unwrap(), client: grant().client }),
    ] {
        begun(&store, name).await;
        assert_eq!(store.end(ended.clone(), change()).await.unwrap(), [name]);
        assert_eq!(store.family(&refresh(name).chain, NOW).await.unwrap(), None);
        assert!(store.end(ended, change()).await.unwrap().is_empty(), "once");
    }
    let elsewhere = Ended::Subject { issuer: "https://other.example".to_owned(), subject: "248289761001".to_owned() };
    begun(&store, "stays").await;
    assert!(store.end(elsewhere, change()).await.unwrap().is_empty(), "another provider's person is another person");
    assert!(store.family(&refresh("stays").chain, NOW).await.unwrap().is_some());
    assert!(store.family(&refresh("stays").chain, Timestamp(1_000_000)).await.unwrap().is_none(), "it has an end");
}

pub(crate) async fn a_consent_that_is_withdrawn_ends_what_was_given_for_it<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    begun(&store, "f1").await;
    let consents = store.consents().await.unwrap();
    assert_eq!(consents.len(), 1);
    assert_eq!((consents[0].user.as_str(), consents[0].endpoint.as_str()), ("ada", "sales"));
    let user = "ada".parse().unwrap();
    assert!(store.withdraw(&user, &grant().client, change()).await.unwrap());
    assert!(!store.withdraw(&user, &grant().client, change()).await.unwrap());
    assert_eq!(store.consents().await.unwrap(), []);
    assert_eq!(store.family(&refresh("f1").chain, NOW).await.unwrap(), None);
}

pub(crate) async fn a_device_hears_once_what_was_decided<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let bare = Grant { person: None, ..grant() };
    let device = |name: &str| Device {
        device: digest(name),
        user_code: digest(&format!("{name} code")),
        grant: bare.clone(),
        expires: SOON,
    };
    for name in ["yes", "no", "late"] {
        store.await_person(device(name), NOW).await.unwrap();
    }
    let poll = |name: &'static str, at: u64| {
        let store = store.clone();
        async move { store.poll(&digest(name), Timestamp(at)).await.unwrap() }
    };
    assert_eq!(poll("yes", 10_000).await, Polled::Pending);
    assert_eq!(poll("yes", 10_001).await, Polled::TooSoon);
    assert_eq!(store.device(&digest("yes code"), NOW).await.unwrap(), Some((digest("yes"), bare.clone())));
    assert!(store.decide(&digest("yes"), Some(grant()), change()).await.unwrap());
    assert!(!store.decide(&digest("yes"), None, change()).await.unwrap(), "it was decided");
    assert_eq!(store.device(&digest("yes code"), NOW).await.unwrap(), None, "nobody is asked again");
    assert_eq!(poll("yes", 20_000).await, Polled::Granted(Box::new(grant())));
    assert_eq!(poll("yes", 30_000).await, Polled::Unknown, "once");
    assert!(store.decide(&digest("no"), None, change()).await.unwrap());
    assert_eq!(poll("no", 20_000).await, Polled::Denied);
    assert_eq!(poll("late", 60_000).await, Polled::Unknown);
    assert!(!store.decide(&digest("late"), Some(grant()), later(60_000)).await.unwrap());
}

pub(crate) async fn an_assertion_is_spent_once_while_it_is_good<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    assert!(store.spend(&digest("jti"), SOON, NOW).await.unwrap());
    assert!(!backend.open().await.spend(&digest("jti"), SOON, NOW).await.unwrap());
    assert!(store.spend(&digest("other"), SOON, NOW).await.unwrap());
}

pub(crate) async fn of_two_who_make_a_signing_key_one_is_kept<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let key = |id: &str, at: u64| KeptKey { id: id.to_owned(), sealed: json!({ "of": id }), made: Timestamp(at) };
    let ids = |keys: Vec<KeptKey>| keys.into_iter().map(|key| key.id).collect::<Vec<_>>();
    let keep = |id: &'static str, at: u64, unless_since: u64, forget: u64| {
        let store = store.clone();
        async move { store.keep_signing_key(key(id, at), Timestamp(unless_since), Timestamp(forget)).await.unwrap() }
    };
    assert_eq!(ids(keep("one", 100, 50, 0).await), ["one"]);
    assert_eq!(ids(keep("two", 101, 51, 0).await), ["one"], "another was made just now");
    assert_eq!(ids(keep("three", 200, 150, 0).await), ["three", "one"]);
    assert_eq!(ids(keep("four", 300, 250, 150).await), ["four", "three"], "the oldest is forgotten");
    assert_eq!(ids(store.signing_keys().await.unwrap()), ["four", "three"]);
}

pub(crate) async fn what_opens_something_is_in_no_outbox_row<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let family = begun(&store, "f1").await;
    store.rotate(refresh("f1"), digest("next"), family.clone(), change()).await.unwrap();
    store.rotate(refresh("f1"), digest("again"), family, change()).await.unwrap();
    let rows = store.pending(100).await.unwrap();
    let told: Vec<&str> = rows.iter().map(|row| row.what.as_str()).collect();
    assert_eq!(told, ["signin.consent", "signin.begin", "signin.renew", "signin.reuse"]);
    let told = format!("{rows:?}");
    for secret in [digest("f1").to_string(), refresh("f1").chain.to_string(), "sealed".to_owned(), grant().challenge] {
        assert!(!told.contains(&secret), "{told}");
    }
}
