//! Agents whose software somebody vouches for: tokens for whoever holds the key that the voucher names, and endpoints that take
//! no others.

use identity::jwt::SigningKey;
use serde_json::{Value, json};

use super::issuer::now;
use super::person::{GATE, Page as _, Place, claims, encoded, keys, public, resource};
use super::possession::{Holder, asked_again, proven};
use super::read_as;
use crate::gate::files::endpoint;
use crate::gate::{Heard, bearer};
use crate::verdict::{STEP_UP_REQUIRED, passes};

const ATTESTER: &str = "https://devices.example";

/// A gate whose endpoint `desk` takes attested agents alone, and one that is registered so.
struct Attested {
    place: Place,
    attester: SigningKey,
    own: Holder,
    made: std::cell::Cell<u32>,
}

impl Attested {
    async fn start() -> Self {
        let attester = SigningKey::generate().unwrap();
        let worker = format!(
            "\n[[clients]]\nissuer = \"{GATE}\"\nid = \"worker\"\n[clients.attester]\nissuer = \"{ATTESTER}\"\n{}",
            keys(&attester)
        );
        let desk = endpoint("desk", "desk") + "\n[authentication]\nassurance = \"attested\"\n";
        let place = Place::of("", |setup| {
            let own = |(file, _): &&mut (String, String)| file == "agents/reconciler.toml";
            setup.state.iter_mut().find(own).unwrap().1.push_str(&worker);
            setup.state.push(("endpoints/desk.toml".to_owned(), desk));
        })
        .await;
        Self { place, attester, own: Holder::new(), made: std::cell::Cell::new(0) }
    }

    /// The attester's word for a key, with edits; `null` takes a claim out.
    fn word(&self, key: &SigningKey, edits: &Value) -> String {
        let cnf = json!({ "jwk": public(key) });
        let claims = json!({ "iss": ATTESTER, "sub": "worker", "exp": now() + 300, "cnf": cnf });
        self.attester.sign("oauth-client-attestation+jwt", edited(claims, edits).as_object().unwrap()).unwrap()
    }

    /// The software's proof that it holds the key.
    fn proof(&self, key: &SigningKey, edits: &Value) -> String {
        self.made.set(self.made.get() + 1);
        let claims = json!({ "aud": GATE, "iat": now(), "jti": format!("pop-{}", self.made.get()) });
        key.sign("oauth-client-attestation-pop+jwt", edited(claims, edits).as_object().unwrap()).unwrap()
    }

    /// Asks for a token with these words, and a `DPoP` proof by this key.
    async fn ask(&self, nonce: Option<&str>, word: &str, proof: &str, holder: &Holder) -> Heard {
        let dpop = holder.proof("", nonce, &json!({ "htu": format!("{GATE}/oauth/token"), "ath": null }));
        let desk = resource("desk");
        let form = [("grant_type", "client_credentials"), ("client_id", "worker"), ("resource", desk.as_str())];
        let headers =
            [("dpop", dpop.as_str()), ("oauth-client-attestation", word), ("oauth-client-attestation-pop", proof)];
        self.place.send("POST", "/oauth/token", &headers, &encoded(&form)).await
    }

    /// The nonce for `DPoP` proofs.
    async fn nonce(&self) -> String {
        let (word, proof) = (self.word(&self.own.key, &json!({})), self.proof(&self.own.key, &json!({})));
        asked_again(&self.ask(None, &word, &proof, &self.own).await, "use_dpop_nonce")
    }
}

fn edited(mut claims: Value, edits: &Value) -> Value {
    claims.as_object_mut().unwrap().extend(edits.as_object().unwrap().clone());
    claims.as_object_mut().unwrap().retain(|_, said| !said.is_null());
    claims
}

#[tokio::test]
async fn software_that_somebody_vouches_for_is_known_so_and_others_are_not() {
    let at = Attested::start().await;
    let (none, nonce) = (json!({}), at.nonce().await);
    let given = at.ask(Some(&nonce), &at.word(&at.own.key, &none), &at.proof(&at.own.key, &none), &at.own).await;
    assert_eq!(given.status, 200, "{}", given.text());
    let given = given.json();
    let access = given["access_token"].as_str().unwrap();
    assert_eq!((&given["token_type"], &claims(&given["access_token"])["attested"]), (&json!("DPoP"), &json!(true)));
    let desk = json!({ "htu": resource("desk") });
    let reply = read_as(&at.place.gate, "desk", proven(access, &at.own.proof(access, Some(&nonce), &desk))).await;
    passes(&reply);

    // A client that signs is somebody, and is not known so well.
    let proof = at.place.assertion("robot", "1", &[]);
    let desk = resource("desk");
    let heard = at.place.by_assertion(&proof, &[("grant_type", "client_credentials"), ("resource", &desk)]).await;
    let plain = heard.json()["access_token"].as_str().unwrap().to_owned();
    let reply = read_as(&at.place.gate, "desk", bearer(&plain)).await;
    at.place.gate.refuses(&reply, STEP_UP_REQUIRED).await;
    assert_eq!(at.place.gate.desk.calls(), 1);
    at.place.leaks_nothing().await;
}

#[tokio::test]
async fn a_word_is_the_attesters_for_this_client_and_the_very_key_that_asks() {
    let at = Attested::start().await;
    let (none, nonce) = (json!({}), at.nonce().await);
    let (own, thief) = (&at.own.key, Holder::new());
    let refused = async |word: &str, proof: &str, holder: &Holder, error: &str, what: &str| {
        let heard = at.ask(Some(&nonce), word, proof, holder).await;
        assert_eq!(heard.error(), error, "{what}: {}", heard.text());
    };
    let word = at.word(own, &none);
    for (edits, what) in [
        (json!({ "iss": "https://evil.example" }), "another attester"),
        (json!({ "sub": "robot" }), "another client"),
        (json!({ "sub": null }), "no client"),
        (json!({ "exp": now() - 600 }), "over"),
        (json!({ "exp": null }), "without an end"),
        (json!({ "nbf": now() + 600 }), "of the future"),
        (json!({ "cnf": null }), "no key"),
        (json!({ "cnf": { "jkt": own.kid() } }), "a key that is only named"),
        (json!({ "aud": "https://other.example" }), "for another server"),
    ] {
        refused(&at.word(own, &edits), &at.proof(own, &none), &at.own, "invalid_client", what).await;
    }
    for (edits, what) in [
        (json!({ "aud": "https://other.example" }), "a proof for another server"),
        (json!({ "aud": null }), "a proof for nobody"),
        (json!({ "iat": now() - 600 }), "an old proof"),
        (json!({ "iat": null }), "a proof of no time"),
        (json!({ "jti": null }), "a proof without an id"),
        (json!({ "iss": "robot" }), "another client's proof"),
    ] {
        refused(&word, &at.proof(own, &edits), &at.own, "invalid_client", what).await;
    }
    refused(&word, &at.proof(&thief.key, &none), &at.own, "invalid_client", "a proof by another key").await;
    refused(&word, &word, &at.own, "invalid_client", "the word as its own proof").await;
    let said = json!({ "iss": ATTESTER, "sub": "worker", "exp": now() + 300, "cnf": { "jwk": public(own) } });
    let plain = at.attester.sign("JWT", said.as_object().unwrap()).unwrap();
    refused(&plain, &at.proof(own, &none), &at.own, "invalid_client", "what the attester signed for something else")
        .await;
    let said = json!({ "aud": GATE, "iat": now(), "jti": "plain" });
    let plain = own.sign("JWT", said.as_object().unwrap()).unwrap();
    refused(&word, &plain, &at.own, "invalid_client", "what the key signed for something else").await;
    let forged = thief.key.sign(
        "oauth-client-attestation+jwt",
        json!({ "iss": ATTESTER, "sub": "worker", "exp": now() + 300, "cnf": { "jwk": public(&thief.key) } })
            .as_object()
            .unwrap(),
    );
    refused(&forged.unwrap(), &at.proof(&thief.key, &none), &thief, "invalid_client", "a word that one gave oneself")
        .await;
    // Everything right, but the token would be bound to another key.
    refused(&word, &at.proof(own, &none), &thief, "invalid_dpop_proof", "another key's token").await;
    // A proof is good once.
    let proof = at.proof(own, &none);
    assert_eq!(at.ask(Some(&nonce), &word, &proof, &at.own).await.status, 200);
    refused(&word, &proof, &at.own, "invalid_client", "a proof that comes again").await;

    // Neither is the client let in by anything less.
    let desk = resource("desk");
    let form = [("grant_type", "client_credentials"), ("client_id", "worker"), ("resource", desk.as_str())];
    assert_eq!(at.place.post("/oauth/token", &form).await.error(), "invalid_client");
    let assertion = at.place.assertion("worker", "2", &[]);
    let heard = at.place.by_assertion(&assertion, &[("grant_type", "client_credentials"), ("resource", &desk)]).await;
    assert_eq!(heard.error(), "invalid_client");
    assert_eq!(at.place.gate.desk.calls(), 0);
}
