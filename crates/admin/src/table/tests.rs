use std::collections::BTreeSet;

use axum::http::StatusCode;
use model::Role;
use serde_json::{Value, json};

use super::*;
use crate::route::{Door, Verb};
use crate::testing::{Bench, EVIL};

/// Every route: its method, a path that leads to it, and who may use it; `None` for everybody.
fn rows() -> Vec<(&'static str, String, Option<&'static [Role]>)> {
    let row = |route: Route| {
        let verb = match route.verb {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        };
        let path = route.path.replace("{name}", "crm").replace("{id}", "01KADZ3NRE0000000000000000");
        let roles = match route.door {
            Door::Public(_) => None,
            Door::Plain(roles, _) | Door::Json(roles, _) => Some(roles),
        };
        (verb, path, roles)
    };
    routes().into_iter().map(row).collect()
}

#[tokio::test]
async fn no_route_lets_anybody_in_without_a_token_but_two_that_say_a_word() {
    let bench = Bench::open().await;
    let mut public = Vec::new();
    for (method, path, roles) in rows() {
        let (status, _) = bench.call(None, method, &path, &Value::Null).await;
        match roles {
            None => public.push((path, status)),
            Some(_) => assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}"),
        }
    }
    assert_eq!(public, [("/healthz".to_owned(), StatusCode::OK), ("/readyz".to_owned(), StatusCode::OK)]);
}

#[tokio::test]
async fn no_route_lets_a_stranger_s_token_in() {
    let bench = Bench::open().await;
    for (method, path, _) in rows().into_iter().filter(|(_, _, roles)| roles.is_some()) {
        let stranger = [("authorization", "Bearer stranger-stranger-stranger-stranger")];
        let (status, headers, _) = bench.send(bench.request(None, method, &path, &stranger, &Value::Null)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn every_route_refuses_everyone_without_its_roles_and_lets_the_others_in() {
    let bench = Bench::open().await;
    for (method, path, roles) in rows() {
        let Some(roles) = roles else { continue };
        // A body that no route takes, so that those who are let in change nothing.
        let nonsense = json!({ "nonsense": true });
        for role in Role::ALL {
            let (status, answer) = bench.call(Some(role), method, &path, &nonsense).await;
            let allowed = role == Role::Admin || roles.contains(&role);
            assert_eq!(status != StatusCode::FORBIDDEN, allowed, "{method} {path} as {}", role.as_str());
            if !allowed {
                assert_eq!(answer["error"]["code"], "role-missing");
            }
        }
    }
}

#[tokio::test]
async fn every_route_refuses_a_foreign_host_and_a_foreign_origin() {
    let bench = Bench::open().await;
    let codes = ["host-unknown", "origin-refused"];
    for (method, path, _) in rows().into_iter().chain([("GET", "/nowhere".to_owned(), None)]) {
        for (header, code) in EVIL.into_iter().zip(codes) {
            let request = bench.request(Some(Role::Admin), method, &path, &[header], &Value::Null);
            let (status, _, body) = bench.send(request).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} {header:?}");
            let answer: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(answer["error"]["code"], code);
        }
    }
}

#[tokio::test]
async fn strangers_cannot_tell_which_paths_there_are() {
    let bench = Bench::open().await;
    let answers = async |role| {
        let mut answers = Vec::new();
        for (method, path) in [("GET", "/"), ("GET", "/api/v1/nothing"), ("POST", "/api/v1/whoami"), ("PUT", "/metrics")] {
            answers.push(bench.call(role, method, path, &Value::Null).await.0.as_u16());
        }
        answers
    };
    assert_eq!(answers(None).await, [401; 4]);
    assert_eq!(answers(Some(Role::Viewer)).await, [404, 404, 405, 405]);
}

#[tokio::test]
async fn every_answer_is_for_whoever_asked_and_is_what_it_says() {
    let bench = Bench::open().await;
    for (method, path, _) in rows() {
        let (_, headers, _) = bench.send(bench.request(Some(Role::Admin), method, &path, &[], &json!({"x": 1}))).await;
        assert_eq!(headers["cache-control"], "no-store", "{method} {path}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers.get("access-control-allow-origin").is_none());
    }
}

#[test]
fn no_row_is_there_twice_or_without_words() {
    let mut seen = BTreeSet::new();
    for route in routes() {
        assert!(seen.insert((route.path, route.verb.as_str())), "{} {}", route.verb.as_str(), route.path);
        assert!(route.summary.ends_with('.'), "{}", route.path);
    }
}

#[test]
fn only_an_admin_applies_and_removes() {
    let admins = rows().into_iter().filter(|(_, _, roles)| *roles == Some(&[Role::Admin]));
    let admins: Vec<_> = admins.map(|(method, path, _)| format!("{method} {path}")).collect();
    assert_eq!(admins, ["DELETE /api/v1/servers/crm", "POST /api/v1/apply"]);
}
