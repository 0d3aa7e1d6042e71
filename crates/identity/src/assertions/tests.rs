use model::Timestamp;

use super::*;
use crate::jwt::{Audience, Claims, JwtError, Rule, Unverified};
use crate::keys::Algorithm;

const SERVER: &str = "https://crm.example/mcp";

struct At(u64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp(self.0)
    }
}

struct Same;

impl Entropy for Same {
    fn bits(&self) -> u128 {
        7
    }
}

fn assertions(file: &Path) -> Assertions {
    Assertions::open("https://gate.example".to_owned(), file, Arc::new(At(1_000_000)), Arc::new(Same)).unwrap()
}

fn checked(assertions: &Assertions, token: &HeaderValue, audience: &str, now: u64) -> Result<Claims, JwtError> {
    let keys = KeySet::read(assertions.published.to_string().as_bytes()).unwrap();
    let rule = Rule {
        algorithms: &[Algorithm::Es256],
        typ: &[TYP],
        issuer: "https://gate.example",
        audience: Audience::Only(audience),
        skew: 0,
        now: Timestamp(now),
        required: &["sub", "iat", "jti"],
    };
    Unverified::read(token.to_str().unwrap())?.verify(&keys, &rule)
}

fn caller(user: Option<&str>) -> SessionKey {
    SessionKey { agent: "helpdesk".parse().unwrap(), user: user.map(|user| user.parse().unwrap()), thread: None }
}

#[test]
fn an_assertion_says_who_calls_for_whom_at_one_server_for_a_minute() {
    let directory = tempfile::tempdir().unwrap();
    let assertions = assertions(&directory.path().join("key"));
    let token = assertions.sign(SERVER, Some(&caller(Some("ana")))).unwrap();
    assert!(token.is_sensitive());
    let claims = checked(&assertions, &token, SERVER, 1_001_000).unwrap();
    assert_eq!((claims.text("sub"), claims.text("sub_kind")), (Some("ana"), Some("user")));
    assert_eq!(claims.object("act").unwrap()["sub"], "helpdesk");
    assert!(checked(&assertions, &token, "https://hr.example/mcp", 1_001_000).is_err(), "at no other server");
    let later = 1_000_000 + (limits::ASSERTION_SECONDS + 1) * 1_000;
    assert!(checked(&assertions, &token, SERVER, later).is_err(), "not for long");
}

#[test]
fn an_agent_for_nobody_and_the_gate_itself_are_told_from_people_of_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let assertions = assertions(&directory.path().join("key"));
    for (caller, subject, kind) in [(Some(caller(None)), "helpdesk", "agent"), (None, "portcullis", "gate")] {
        let token = assertions.sign(SERVER, caller.as_ref()).unwrap();
        let claims = checked(&assertions, &token, SERVER, 1_000_000).unwrap();
        assert_eq!((claims.text("sub"), claims.text("sub_kind")), (Some(subject), Some(kind)));
        assert!(!claims.has("act"));
    }
}

#[test]
fn the_key_stays_the_same_and_a_file_that_holds_none_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    let first = assertions(&file).published;
    assert_eq!(assertions(&file).published, first);
    assert!(first["keys"][0].get("d").is_none());
    write_private(&file, b"not-a-key").unwrap();
    let opened = Assertions::open(String::new(), &file, Arc::new(At(0)), Arc::new(Same));
    assert!(matches!(opened, Err(AssertionError::Kept)));
}
