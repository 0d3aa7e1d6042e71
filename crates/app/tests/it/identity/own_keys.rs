//! The keys by which the gate is known to others: it signs as a client, and its keys follow one another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use identity::jwt::SigningKey;
use identity::keys::KeySet;
use std::sync::{Arc, Mutex};

use super::authorization::Authorization;
use super::issuer::now;
use super::own::ticket;
use super::person::Place;
use crate::gate::files::{ANA, write_private};
use crate::gate::{Gate, Setup};
use crate::verdict::passes;

const CLIENT_KEYS: &str = "/.well-known/portcullis-client-keys";
const ASSERTION_KEYS: &str = "/.well-known/portcullis-assertion-keys";
const DAY: u64 = 24 * 60 * 60;

async fn published(gate: &Gate, path: &str) -> KeySet {
    let heard = gate.send(gate.agents(), "GET", path, HeaderMap::new(), "").await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert!(!heard.text().contains("\"d\""), "only what everybody may know is published");
    KeySet::read(heard.text().as_bytes()).unwrap()
}

fn names(keys: &KeySet) -> Vec<String> {
    let published = keys.published();
    published["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_gate_proves_to_an_authorization_server_that_it_is_its_client_with_a_key_of_its_own() {
    let desk = Authorization::start().await;
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let credential =
        desk.client_credentials().replace("secret = \"file:secrets/client\"", "authentication = \"private-key-jwt\"");
    let guard = Some((desk.guard(&wants), credential));
    let gate = Gate::unapproved(Setup { guard, ..Setup::default() }).await;
    desk.knows_by_keys(published(&gate, CLIENT_KEYS).await);
    gate.must(&["server", "check", "desk"]).await;
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    passes(&gate.client(ANA).call("read_ticket", ticket()).await.unwrap());
    desk.found_no_fault();
    // With keys of somebody else, the same proof opens nothing.
    let stranger = SigningKey::generate().unwrap();
    desk.knows_by_keys(KeySet::of([Arc::clone(stranger.public())]));
    desk.revoke_all();
    let refused = gate.client(ANA).call("read_ticket", ticket()).await.unwrap();
    assert_ne!(refused.status, 200);
    let again = gate.client(ANA).call("read_ticket", ticket()).await.unwrap();
    assert_ne!(again.status, 200, "{}", again.text());
}

#[tokio::test]
async fn people_sign_in_at_a_gate_that_shows_its_provider_no_secret() {
    let place = Place::of("authentication = \"private_key_jwt\"\n", |setup| {
        setup.settings = setup.settings.replace("client_secret = \"file:secrets/provider\"\n", "");
    })
    .await;
    place.provider.knows_by_keys(published(&place.gate, CLIENT_KEYS).await);
    let tokens = place.tokens().await;
    assert_eq!(place.refresh(&tokens).await.status, 200);
    place.leaks_nothing().await;
}

#[tokio::test]
async fn keys_follow_one_another_and_the_last_one_is_published_until_nothing_of_it_is_about() {
    let gate = Gate::start().await;
    let first = published(&gate, ASSERTION_KEYS).await;
    gate.end().await;
    // A gate whose key is a month old: another one is published and does not sign yet.
    let file = gate.directory().join("data/assertion.key");
    let line = |made: u64, key: &SigningKey| {
        let kept = key.pkcs8().unwrap();
        let mut text = String::new();
        #[expect(clippy::disallowed_methods, reason = "a test writes the file of a gate of before")]
        STANDARD.encode_string(kept.open(), &mut text);
        format!("{} {text}\n", made * 1_000)
    };
    let old = SigningKey::generate().unwrap();
    write_private(&file, &line(now() - 31 * DAY, &old));
    gate.again().await;
    let both = published(&gate, ASSERTION_KEYS).await;
    assert!(names(&both).len() == 2 && names(&both)[1] == old.kid(), "{:?}", names(&both));
    assert!(!names(&both).contains(&names(&first)[0]));
    // One that has signed for half a day: the one before is still published. For two days: it is not.
    for (signed, left) in [(36 * 60 * 60, 2), (3 * DAY, 1)] {
        gate.end().await;
        let new = SigningKey::generate().unwrap();
        write_private(&file, &format!("{}{}", line(now() - signed, &new), line(now() - 40 * DAY, &old)));
        gate.again().await;
        let keys = published(&gate, ASSERTION_KEYS).await;
        assert_eq!((names(&keys).len(), names(&keys)[0].as_str()), (left, new.kid()));
    }
}
