//! Every route of the table, by the document that is built from it: who is let in, and who is not.

use http::StatusCode;
use model::Role;
use serde_json::{Value, json};

use crate::bench::{Bench, EVIL};

/// A route: its method, a path that leads to it, and the roles of those who may use it; none where everybody may.
struct Row {
    method: String,
    path: String,
    roles: Vec<String>,
}

async fn rows(bench: &Bench) -> Vec<Row> {
    let document = bench.done("GET", "/openapi.json", &Value::Null).await;
    let mut rows = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let path = path.replace("{name}", "crm").replace("{id}", "01KADZ3NRE0000000000000000");
            let roles = operation["x-roles"].as_array().into_iter().flatten();
            let roles = roles.map(|role| role.as_str().unwrap().to_owned()).collect();
            rows.push(Row { method: method.to_uppercase(), path, roles });
        }
    }
    assert!(rows.len() > 20);
    rows
}

#[tokio::test]
async fn no_route_lets_anybody_in_without_a_token_but_two_that_say_a_word() {
    let bench = Bench::open().await;
    let mut public = Vec::new();
    for Row { method, path, roles } in rows(&bench).await {
        let (status, _) = bench.call(None, &method, &path, &Value::Null).await;
        match roles.is_empty() {
            true => public.push((path, status)),
            false => assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}"),
        }
    }
    assert_eq!(public, [("/healthz".to_owned(), StatusCode::OK), ("/readyz".to_owned(), StatusCode::OK)]);
}

#[tokio::test]
async fn no_route_lets_a_stranger_s_token_in() {
    let bench = Bench::open().await;
    for Row { method, path, .. } in rows(&bench).await.into_iter().filter(|row| !row.roles.is_empty()) {
        let stranger = [("authorization", "Bearer stranger-stranger-stranger-stranger")];
        let (status, headers, _) = bench.send(bench.request(None, &method, &path, &stranger, &Value::Null)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn every_route_refuses_everyone_without_its_roles_and_lets_the_others_in() {
    let bench = Bench::open().await;
    for Row { method, path, roles } in rows(&bench).await {
        if roles.is_empty() {
            continue;
        }
        // A body that no route takes, so that those who are let in change nothing.
        let nonsense = json!({ "nonsense": true });
        for role in Role::ALL {
            let (status, answer) = bench.call(Some(role), &method, &path, &nonsense).await;
            let allowed = role == Role::Admin || roles.iter().any(|one| one == role.as_str());
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
    let nowhere = Row { method: "GET".to_owned(), path: "/nowhere".to_owned(), roles: Vec::new() };
    for Row { method, path, .. } in rows(&bench).await.into_iter().chain([nowhere]) {
        for (header, code) in EVIL.into_iter().zip(codes) {
            let request = bench.request(Some(Role::Admin), &method, &path, &[header], &Value::Null);
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
        for (method, path) in
            [("GET", "/"), ("GET", "/api/v1/nothing"), ("POST", "/api/v1/whoami"), ("PUT", "/metrics")]
        {
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
    for Row { method, path, .. } in rows(&bench).await {
        let (_, headers, _) = bench.send(bench.request(Some(Role::Admin), &method, &path, &[], &json!({"x": 1}))).await;
        assert_eq!(headers["cache-control"], "no-store", "{method} {path}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers.get("access-control-allow-origin").is_none());
    }
}
