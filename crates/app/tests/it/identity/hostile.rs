//! Hostile tokens as numbered cases. Each is refused with the same words as every other, so that nothing is learnt from them,
//! and each is counted; none reaches the server.

mod forge;

use drill::mcp::Reply;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::issuer::{TestIssuer, now};
use super::{Company, DESK, PUBLIC, challenge, parameter, read_as};
use crate::gate::files::{endpoint, policies_at};
use crate::gate::{name, value};
use crate::verdict::{UNAUTHENTICATED, passes};
use forge::{Forge, encoded};

/// A case: what it is, and what the request says of who asks.
type Case = (String, HeaderMap);

fn said(header: &str, text: &str) -> HeaderMap {
    HeaderMap::from_iter([(name(header), value(text))])
}

fn bearer(what: &str, token: &str) -> Case {
    (what.to_owned(), said("authorization", &format!("Bearer {token}")))
}

/// Ways of presenting a good token, or none, that are none.
fn presented(good: &str) -> Vec<Case> {
    let ways = [
        ("an empty header", String::new()),
        ("a scheme alone", "Bearer".to_owned()),
        ("a scheme and a space", "Bearer ".to_owned()),
        ("two spaces", format!("Bearer  {good}")),
        ("no scheme", good.to_owned()),
        ("another scheme", format!("Token {good}")),
        ("a password", "Basic dXNlcjpwYXNz".to_owned()),
        ("two tokens in one header", format!("Bearer {good} {good}")),
        ("two credentials in one header", format!("Bearer {good}, Bearer {good}")),
        ("a quoted token", format!("Bearer \"{good}\"")),
        ("an encoded token", format!("Bearer {}", good.replace('.', "%2E"))),
        ("a token in braces", format!("Bearer {{{good}}}")),
        ("a token with another's scheme", format!("DPoP {good}")),
        ("a token that is too long", format!("Bearer {}", "a".repeat(9 * 1024))),
        ("a token with more behind it", format!("Bearer {good};x=1")),
    ];
    let mut cases: Vec<Case> =
        ways.iter().map(|(what, text)| ((*what).to_owned(), said("authorization", text))).collect();
    cases.push(("nothing at all".to_owned(), HeaderMap::new()));
    for elsewhere in ["proxy-authorization", "x-forwarded-authorization", "cookie", "x-api-key", "access-token", "dpop"]
    {
        cases.push((format!("a token in `{elsewhere}` alone"), said(elsewhere, &format!("Bearer {good}"))));
    }
    let mut twice = said("authorization", &format!("Bearer {good}"));
    twice.append("authorization", value(&format!("Bearer {good}")));
    cases.push(("two headers".to_owned(), twice));
    let mut proof = said("authorization", &format!("Bearer {good}"));
    proof.append("dpop", value(good));
    cases.push(("a proof with a token that needs none".to_owned(), proof));
    let bytes = http::HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap();
    cases.push(("bytes that are no text".to_owned(), HeaderMap::from_iter([(name("authorization"), bytes)])));
    cases
}

/// Texts that are no strict compact JWT, made of a good one.
fn shapes(good: &str) -> Vec<Case> {
    let parts: Vec<&str> = good.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { panic!("three parts") };
    let twice = |of: &str, member: &str| encoded(&format!("{{{member},{}", of.trim_start_matches('{')));
    let open = |part: &str| String::from_utf8(forge::decoded(part)).unwrap();
    let deep = format!("{}{}", "[".repeat(400), "]".repeat(400));
    let swapped = good.replace(claims, &encoded(&open(claims).replace("\"ana\"", "\"bob\"")));
    [
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as if encrypted", format!("{header}.{claims}.{claims}.{claims}.{signature}")),
        ("no signature", format!("{header}.{claims}.")),
        ("no header", format!(".{claims}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("dots alone", "..".to_owned()),
        ("padding", format!("{header}=.{claims}.{signature}")),
        ("the other base64", format!("{header}.{claims}.+/{}", signature.chars().skip(2).collect::<String>())),
        ("a header that is no JSON", format!("{}.{claims}.{signature}", encoded("alg=ES256"))),
        ("a header that is a list", format!("{}.{claims}.{signature}", encoded("[]"))),
        ("claims that are no JSON", format!("{header}.{}.{signature}", encoded("sub=ana"))),
        ("claims that are a text", format!("{header}.{}.{signature}", encoded("\"ana\""))),
        ("claims that are a list", format!("{header}.{}.{signature}", encoded("[{}]"))),
        ("claims without end", format!("{header}.{}.{signature}", encoded(&format!("{{\"a\":{deep}}}")))),
        ("a name twice in the header", format!("{}.{claims}.{signature}", twice(&open(header), "\"alg\":\"none\""))),
        ("a name twice in the claims", format!("{header}.{}.{signature}", twice(&open(claims), "\"sub\":\"bob\""))),
        ("text behind the claims", format!("{header}.{}.{signature}", encoded(&format!("{} {{}}", open(claims))))),
        ("a signature cut short", format!("{header}.{claims}.{}", signature.chars().take(40).collect::<String>())),
        ("a signature of zeros", format!("{header}.{claims}.{}", forge::encoded_bytes(&[0; 64]))),
        ("a signature of ones", format!("{header}.{claims}.{}", forge::encoded_bytes(&[0xff; 64]))),
        ("another person under the same signature", swapped),
        ("a signature in its other encoding", format!("{header}.{claims}.{}", forge::der(signature))),
    ]
    .map(|(what, token)| bearer(what, &token))
    .into()
}

/// Headers by which a token would choose how, or by whose key, it is checked.
fn headers(forge: &Forge, claims: &Map<String, Value>) -> Vec<Case> {
    let own = Forge::new("forge");
    let mut cases = Vec::new();
    let right = forge.header();
    let mut bent = |what: &str, edits: Value| {
        let mut header = right.as_object().unwrap().clone();
        header.extend(edits.as_object().unwrap().clone());
        header.retain(|_, said| !said.is_null());
        cases.push(bearer(what, &forge.token(&Value::Object(header), claims)));
    };
    for algorithm in
        ["none", "None", "NONE", "nOnE", "", "ES384", "ES512", "RS256", "PS256", "EdDSA", "ES256K", "HS256", "es256"]
    {
        bent(&format!("algorithm `{algorithm}`"), json!({ "alg": algorithm }));
    }
    bent("no algorithm", json!({ "alg": null }));
    bent("several algorithms", json!({ "alg": ["ES256"] }));
    bent("a number as algorithm", json!({ "alg": 256 }));
    for kid in ["unknown", "", "../../../../dev/null", "forge' OR '1'='1", "https://attacker.example/key", "forge\u{0}"]
    {
        bent(&format!("key `{}`", kid.escape_default()), json!({ "kid": kid }));
    }
    bent("a number as key", json!({ "kid": 1 }));
    bent("a key at a URL", json!({ "jku": "https://attacker.example/keys" }));
    bent("a certificate at a URL", json!({ "x5u": "https://attacker.example/certificate" }));
    bent("a certificate", json!({ "x5c": ["MIIB"] }));
    bent("a key of its own", json!({ "jwk": own.jwk() }));
    bent("its own key of the issuer's", json!({ "jwk": forge.jwk() }));
    bent("what must be understood", json!({ "crit": ["exp"] }));
    bent("nothing that must be understood", json!({ "crit": [] }));
    bent("claims as they are", json!({ "b64": false, "crit": ["b64"] }));
    bent("a compressed text", json!({ "zip": "DEF" }));
    bent("an encrypted text", json!({ "enc": "A256GCM" }));
    for typ in ["id+jwt", "dpop+jwt", "oauth-id-jag+jwt", "logout+jwt", "secevent+jwt", "token-introspection+jwt"] {
        bent(&format!("a token of type `{typ}`"), json!({ "typ": typ }));
    }
    bent("a number as type", json!({ "typ": 1 }));
    let unsigned = json!({ "alg": "none", "typ": "at+jwt" });
    cases.push(bearer("no signature at all", &format!("{}.", forge::signed_part(&unsigned, claims))));
    for secret in [forge.jwk().to_string(), forge.jwk()["x"].as_str().unwrap().to_owned(), String::new()] {
        let token = forge.hmac(&json!({ "alg": "HS256", "typ": "at+jwt", "kid": "forge" }), claims, secret.as_bytes());
        cases.push(bearer("a public key as a shared secret", &token));
    }
    cases.push(bearer("a key of the same name", &own.token(&right, claims)));
    cases
}

/// Claims that are not those of a caller at the desk.
fn claims(issuer: &TestIssuer) -> Vec<(String, Value)> {
    let mut cases: Vec<(String, Value)> = Vec::new();
    let mut each = |claim: &str, values: Vec<Value>| {
        for said in values {
            cases.push((
                format!("`{claim}` {}", said.to_string().chars().take(60).collect::<String>()),
                json!({ claim: said }),
            ));
        }
    };
    let url = issuer.url();
    each(
        "iss",
        vec![json!(null), json!(format!("{url}/")), json!(url.to_uppercase()), json!([url]), json!(1), json!("")],
    );
    let desk = |text: &str| json!(text);
    each(
        "aud",
        vec![
            json!(null),
            json!([]),
            json!(1),
            json!({ "desk": true }),
            desk(PUBLIC),
            desk(&format!("{DESK}/")),
            desk(&format!("{DESK}?x=1")),
            desk(&format!("{DESK}#x")),
            desk(&DESK.to_uppercase()),
            desk(&DESK.replace("desk", "lobby")),
            desk(&DESK.replace("https", "http")),
            desk(&DESK.replace("gate.example", "gate.example:443")),
            desk("desk"),
            desk("client-of-helpdesk"),
            json!([DESK, DESK.replace("desk", "lobby")]),
            json!([DESK, "https://crm.example"]),
        ],
    );
    let soon = now() + 300;
    each(
        "exp",
        vec![json!(null), json!(0), json!(-1), json!(now() - 60), json!(soon.to_string()), json!(true), json!([soon])],
    );
    each("nbf", vec![json!(soon), json!(soon.to_string()), json!(true)]);
    each(
        "client_id",
        vec![
            json!(null),
            json!(""),
            json!(1),
            json!(["client-of-helpdesk"]),
            json!("helpdesk"),
            json!("CLIENT-OF-HELPDESK"),
        ],
    );
    let long = "a".repeat(4_000);
    each(
        "sub",
        vec![
            json!(null),
            json!(""),
            json!(1),
            json!(["ana"]),
            json!("an\na"),
            json!("client-of-helpdesk"),
            json!(long),
        ],
    );
    let many: Vec<String> = (0..600).map(|number| format!("g{number}")).collect();
    each(
        "groups",
        vec![
            json!(1),
            json!({ "support": true }),
            json!(["support", 1]),
            json!(["sup\nport"]),
            json!(true),
            json!(many),
        ],
    );
    each("scope", vec![json!(1), json!([{ "mcp": 1 }]), json!(many)]);
    each("amr", vec![json!(1), json!([1])]);
    each(
        "act",
        vec![
            json!("client-of-desktop"),
            json!(["client-of-desktop"]),
            json!({}),
            json!({ "sub": 1 }),
            json!({ "sub": "nobody-registered" }),
            json!({ "sub": "client-of-desktop", "iss": "https://elsewhere.example" }),
            json!({ "sub": "client-of-desktop", "act": "client-of-scout" }),
        ],
    );
    each(
        "cnf",
        vec![
            json!({}),
            json!("key"),
            json!({ "x5t#S256": "AAAA" }),
            json!({ "jkt": "AAAA" }),
            json!({ "jkt": "AAAA", "kid": "x" }),
            json!({ "jwk": {} }),
        ],
    );
    cases.push(("an autonomous agent for a person".to_owned(), json!({ "client_id": "client-of-reconciler" })));
    cases.push(("an agent by another claim".to_owned(), json!({ "client_id": null, "azp": "helpdesk" })));
    cases
}

/// What an answer says, without what differs from request to request.
fn told(reply: &Reply) -> String {
    let mut message = reply.json.clone();
    message["id"] = Value::Null;
    message.to_string()
}

#[tokio::test]
async fn every_hostile_token_is_refused_in_the_same_words_counted_and_forwarded_nowhere() {
    let issuer = TestIssuer::start().await;
    let forge = Forge::new("forge");
    issuer.publish(Some(json!({ "keys": [forge.jwk(), issuer.key().public_jwk()] }).to_string()));
    let state = vec![
        ("endpoints/lobby.toml".to_owned(), endpoint("lobby", "desk")),
        ("policies/lobby.cedar".to_owned(), policies_at("lobby")),
    ];
    let company = Company::of(issuer, "", state).await;
    let (issuer, gate) = (&company.issuer, &company.gate);
    let good = issuer.edited(&json!({}));
    let right = forge.token(&forge.header(), &good);
    passes(&company.read(&right).await);
    let passed = gate.desk.calls();

    let mut cases = presented(&right);
    cases.extend(shapes(&right));
    cases.extend(headers(&forge, &good));
    cases.extend(claims(issuer).into_iter().map(|(what, edits)| bearer(&what, &issuer.token(&edits))));
    let count = cases.len();
    assert!(count >= 120, "{count} cases");
    let (mut words, mut wrong) = (None, Vec::new());
    for (number, (what, who)) in cases.into_iter().enumerate() {
        let reply = company.read_as(who).await;
        if reply.status != 401 {
            wrong.push(format!("{number}: {what}: {} {}", reply.status, told(&reply)));
            continue;
        }
        gate.says(&reply, UNAUTHENTICATED);
        assert!(!reply.headers.contains_key("portcullis-receipt"), "{number}: {what}");
        let same = words.get_or_insert_with(|| told(&reply));
        assert_eq!(*same, told(&reply), "{number}: {what}: every refusal has the same words");
        let error = parameter(&challenge(&reply), "error");
        assert!(
            matches!(error.as_deref(), None | Some("invalid_token" | "invalid_dpop_proof")),
            "{number}: {what}: {error:?}"
        );
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    // A good token for this endpoint is nobody's at another one.
    for other in ["lobby", "nowhere"] {
        gate.turns_away(
            &read_as(gate, other, said("authorization", &format!("Bearer {right}"))).await,
            UNAUTHENTICATED,
        )
        .await;
    }
    assert_eq!(gate.desk.calls(), passed, "nothing of it reached the server");
    let all = u64::try_from(count).unwrap() + 2;
    let counted = |page: &Value| {
        let receipts = page["receipts"].as_array().cloned().unwrap_or_default();
        let of = |one: &Value| {
            let event = &one["record"]["event"];
            if event["reason"] == "unauthenticated" { event["count"].as_u64().unwrap_or_default() } else { 0 }
        };
        receipts.iter().map(of).sum::<u64>() >= all
    };
    gate.until("/receipts?kind=strangers&limit=100", counted).await;
    passes(&company.read(&right).await);
}
