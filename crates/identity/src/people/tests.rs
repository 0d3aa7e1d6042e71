use super::*;

fn terms(roles: &[(Role, &[&str])]) -> Terms {
    let groups = |groups: &[&str]| groups.iter().map(|group| group.parse().unwrap()).collect();
    Terms {
        url: "https://gate.example".to_owned(),
        roles: roles.iter().map(|(role, named)| (*role, groups(named))).collect(),
        acr_values: Vec::new(),
        session_seconds: 60,
        idle_seconds: 60,
        command_line_seconds: 60,
        check_seconds: 60,
    }
}

fn session(groups: &[&str], first: bool) -> port::Session {
    let person = Person {
        issuer: "https://id.example".to_owned(),
        subject: "s-1".to_owned(),
        session: None,
        user: "ana".parse().unwrap(),
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
        acr: None,
        amr: Vec::new(),
        auth_time: None,
    };
    port::Session { kind: SessionKind::Browser, person, first, upstream: None, begun: Timestamp(0), ends: Timestamp(1) }
}

#[test]
fn roles_follow_from_groups_and_from_nothing_else() {
    let terms = terms(&[(Role::Viewer, &["staff"]), (Role::Approver, &["security", "leads"])]);
    assert_eq!(terms.roles_of(&session(&["staff"], false)), [Role::Viewer]);
    assert_eq!(terms.roles_of(&session(&["leads", "staff"], false)), [Role::Viewer, Role::Approver]);
    assert_eq!(terms.roles_of(&session(&["admin", "approver", "Staff"], false)), []);
    assert_eq!(terms.roles_of(&session(&[], true)), [Role::Admin], "the first administrator");
}

#[test]
fn what_a_page_sends_is_of_one_session_and_is_not_printed() {
    let (one, other) = (Csrf::of(b"one"), Csrf::of(b"other"));
    assert!(one.is(one.as_str().as_bytes()) && !one.is(other.as_str().as_bytes()) && !one.is(b""));
    assert_eq!(format!("{one:?}"), "Csrf");
    let mut headers = HeaderMap::new();
    assert!(!one.is_in(&headers));
    headers.append(Csrf::HEADER, one.as_str().parse().unwrap());
    assert!(one.is_in(&headers));
    headers.append(Csrf::HEADER, one.as_str().parse().unwrap());
    assert!(!one.is_in(&headers), "two readers could take different ones");
}

#[test]
fn the_code_for_the_first_administrator_is_for_its_owner_s_eyes_and_goes() {
    use std::os::unix::fs::PermissionsExt as _;
    struct Seven;
    impl Entropy for Seven {
        fn bits(&self) -> u128 {
            7
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("first.code");
    FirstCode::forget(&file).unwrap();
    FirstCode::write(&file, &Seven, Timestamp(0)).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    FirstCode::forget(&file).unwrap();
    assert!(!file.exists());
}
