//! Whose tokens are taken: those that nobody gave out, those that are over, those that are for somebody else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::asker::{Asker, Said};
use super::hello::{Way, bounds};
use super::notes::Notes;
use crate::Severity;

/// Whom no token of these is for. Such names never lead anywhere (RFC 6761).
const ELSEWHERE: &str = "https://portcullis-probe.invalid";
/// A moment that is long over, and one that is far away, in seconds.
const OVER: u64 = 1_000_000_000;
const FAR: u64 = 4_102_444_800;

pub(super) async fn ask(way: &Way, asker: &mut Asker<'_>, notes: &mut Notes) {
    if let Some(why) = &way.unreached {
        return notes.unknown("tokens", why.clone());
    }
    if way.open == Some(true) {
        return notes.unknown("tokens", "it asks nobody for one");
    }
    let mut missed = None;
    for (rule, title, shape, token) in tokens() {
        let mut question = way.door();
        question.shape = format!("{}, with {shape}", question.shape.split(',').next().unwrap_or_default());
        question.headers.extend(HeaderValue::from_str(&format!("Bearer {token}")).map(|value| (AUTHORIZATION, value)));
        match asker.ask(&question).await {
            Ok(heard) => {
                bounds(&question, &heard, notes);
                match heard.said() {
                    Said::Result(_) => notes.found(rule, Severity::Critical, title, &question.shape, &heard.words()),
                    Said::Error(_) | Said::Other if heard.status >= 500 => {
                        let title = "fails over a token instead of refusing it";
                        notes.found("token-breaks-it", Severity::Low, title, &question.shape, &heard.words());
                    }
                    Said::Error(_) | Said::Other | Said::Refused if heard.status != 401 => {
                        let title = "refuses a bad token in a way that clients do not understand";
                        notes.found("refuses-oddly", Severity::Note, title, &question.shape, &heard.words());
                    }
                    Said::Error(_) | Said::Other | Said::Refused => {}
                }
            }
            Err(why) => missed = Some(why.words()),
        }
    }
    match missed {
        Some(why) => notes.unknown("tokens", why),
        None => notes.done("tokens", "none that is not good is taken"),
    }
}

/// Tokens that nobody may take: rule, words, shape, token.
fn tokens() -> [(&'static str, &'static str, &'static str, String); 3] {
    let claims = |audience: &str, until: u64| json!({ "iss": ELSEWHERE, "sub": "nobody", "aud": audience, "iat": OVER, "exp": until });
    let unsigned = jwt(&json!({ "alg": "none", "typ": "JWT" }), &claims(ELSEWHERE, OVER + 1), &[]);
    let elsewhere =
        jwt(&json!({ "alg": "RS256", "typ": "JWT", "kid": "probe" }), &claims(ELSEWHERE, FAR), &[0x5a; 256]);
    [
        (
            "takes-any-token",
            "takes a token that nobody gave out",
            "a token that is no token",
            "portcullis-probe-no-token".to_owned(),
        ),
        (
            "takes-unsigned-tokens",
            "takes a token that nobody signed, and that is over",
            "a token without a signature (`alg` none) that is over",
            unsigned,
        ),
        (
            "takes-tokens-for-others",
            "takes a token that is for somebody else, signed by nobody it knows",
            "a token for another audience, of another issuer, with a made-up signature",
            elsewhere,
        ),
    ]
}

fn jwt(head: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    format!("{}.{}.{}", part(head.to_string().as_bytes()), part(claims.to_string().as_bytes()), part(signature))
}
