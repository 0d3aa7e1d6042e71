use model::Timestamp;

use super::*;
use crate::jwt::{Audience, Claims, JwtError, Rule, Unverified};
use crate::keys::{Algorithm, KeySet};
use crate::secrets::opened_text;

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
    let keys = KeySet::read(assertions.keys.published().to_string().as_bytes()).unwrap();
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

fn caller(user: Option<&str>) -> Behalf {
    Behalf { agent: "helpdesk".parse().unwrap(), user: user.map(|user| user.parse().unwrap()), through: Vec::new() }
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
fn the_agents_through_which_a_call_came_are_named_from_the_nearest_to_the_farthest() {
    let directory = tempfile::tempdir().unwrap();
    let assertions = assertions(&directory.path().join("key"));
    let through: Vec<AgentId> = vec!["router".parse().unwrap(), "desktop".parse().unwrap()];
    let caller = |user| Behalf { through: through.clone(), ..caller(user) };
    let chain = json!({ "sub": "router", "act": { "sub": "desktop" } });
    let said = |token: &HeaderValue| checked(&assertions, token, SERVER, 1_000_000).unwrap();
    let for_ana = said(&assertions.sign(SERVER, Some(&caller(Some("ana")))).unwrap());
    assert_eq!(for_ana.get("act"), Some(&json!({ "sub": "helpdesk", "act": chain })));
    let for_nobody = said(&assertions.sign(SERVER, Some(&caller(None))).unwrap());
    assert_eq!((for_nobody.text("sub"), for_nobody.get("act")), (Some("helpdesk"), Some(&chain)));
}

#[test]
fn what_an_authorization_server_is_told_is_no_assertion_for_a_server() {
    let directory = tempfile::tempdir().unwrap();
    let assertions = assertions(&directory.path().join("key"));
    let told = assertions.subject(SERVER, &"ana".parse().unwrap(), &[]).unwrap();
    let told = HeaderValue::from_str(opened_text(&told)).unwrap();
    assert!(matches!(checked(&assertions, &told, SERVER, 1_000_000), Err(JwtError::Type)));
}

#[test]
fn the_keys_stay_the_same_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    let first = assertions(&file).keys.published();
    assert_eq!(assertions(&file).keys.published(), first);
    assert!(first["keys"][0].get("d").is_none());
}
