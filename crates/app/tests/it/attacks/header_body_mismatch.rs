//! Headers that say one thing while the body says another: whoever routes, meters or filters by the header is fooled.

use drill::mcp::{Client, Reply};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::gate::files::ANA;
use crate::gate::{Gate, name, value};
use crate::verdict::{ARGUMENTS_INVALID, HEADER_MISMATCH, No, VERSION_UNSUPPORTED, passes};

fn params() -> Value {
    json!({ "name": "read_ticket", "arguments": { "ticket": "1" } })
}

async fn send(client: &Client, method: &str, params: Value, bend: impl FnOnce(&mut HeaderMap)) -> Reply {
    let mut headers = client.headers(method, &params);
    let body = client.body(method, params).to_string();
    bend(&mut headers);
    client.raw(body, headers).await.unwrap()
}

#[tokio::test]
async fn the_three_standard_headers_say_what_the_body_says() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    passes(&send(&client, "tools/call", params(), |_| {}).await);
    let bends: [(&str, &[&str]); 17] = [
        ("mcp-method", &[]),
        ("mcp-method", &["tools/list"]),
        ("mcp-method", &["TOOLS/CALL"]),
        ("mcp-method", &["tools/call", "tools/call"]),
        ("mcp-method", &["tools/call", "tools/list"]),
        ("mcp-method", &["tools/call, tools/list"]),
        ("mcp-method", &["=?base64?dG9vbHMvY2FsbA==?="]),
        ("mcp-name", &[]),
        ("mcp-name", &["purge"]),
        ("mcp-name", &["Read_Ticket"]),
        ("mcp-name", &["read_ticket", "read_ticket"]),
        // Base64 of `purge`; not base64; base64 with a tail; the sentinel overlapping itself.
        ("mcp-name", &["=?base64?cHVyZ2U=?="]),
        ("mcp-name", &["=?base64?read_ticket?="]),
        ("mcp-name", &["=?base64?cmVhZF90aWNrZXR?="]),
        ("mcp-name", &["=?base64?="]),
        ("mcp-protocol-version", &[]),
        ("mcp-protocol-version", &["2025-06-18"]),
    ];
    for (header, said) in bends {
        let reply = send(&client, "tools/call", params(), |headers| {
            headers.remove(header);
            said.iter().for_each(|said| _ = headers.append(name(header), value(said)));
        })
        .await;
        println!("{header}: {said:?}");
        gate.refuses(&reply, HEADER_MISMATCH).await;
    }
    assert_eq!(gate.desk.calls(), 1);
    // The right name in base64 is the right name.
    passes(&send(&client, "tools/call", params(), wrapped).await);
}

fn wrapped(headers: &mut HeaderMap) {
    headers.insert("mcp-name", value("=?base64?cmVhZF90aWNrZXQ=?="));
}

#[tokio::test]
async fn both_saying_an_unknown_version_learns_the_known_ones() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let mut params = params();
    params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": "2099-01-01" });
    let reply = send(&client, "tools/call", params, |headers| {
        headers.insert("mcp-protocol-version", value("2099-01-01"));
    })
    .await;
    gate.refuses(&reply, VERSION_UNSUPPORTED).await;
    let every = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
    assert_eq!(reply.error().unwrap()["data"]["supported"], json!(every));
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn a_resource_is_named_alike_in_header_and_body() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let params = json!({ "uri": "desk://tickets/1" });
    passes(&send(&client, "resources/read", params.clone(), |_| {}).await);
    for said in ["desk://vault/1", "desk://tickets/1/", "desk://tickets/%31"] {
        let reply = send(&client, "resources/read", params.clone(), |headers| {
            headers.insert("mcp-name", value(said));
        })
        .await;
        gate.refuses(&reply, HEADER_MISMATCH).await;
    }
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn mirrored_arguments_say_what_the_arguments_say() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let find = |arguments: Value, region: &'static [&'static str], limit: &'static [&'static str]| {
        let client = client.clone();
        async move {
            send(&client, "tools/call", json!({ "name": "find", "arguments": arguments }), |headers| {
                region.iter().for_each(|said| _ = headers.append(name("mcp-param-region"), value(said)));
                limit.iter().for_each(|said| _ = headers.append(name("mcp-param-limit"), value(said)));
            })
            .await
        }
    };
    let north = || json!({ "region": "north" });
    let ten = || json!({ "region": "north", "limit": 10 });
    passes(&find(north(), &["north"], &[]).await);
    passes(&find(ten(), &["=?base64?bm9ydGg=?="], &["10"]).await);
    let bent: [(Value, &'static [&'static str], &'static [&'static str]); 12] = [
        (north(), &[], &[]),
        (north(), &["south"], &[]),
        (north(), &["North"], &[]),
        (north(), &["north", "north"], &[]),
        (north(), &["north", "south"], &[]),
        (north(), &["=?base64?c291dGg=?="], &[]),
        (north(), &["=?base64?%%%?="], &[]),
        (north(), &["north"], &["10"]),
        (ten(), &["north"], &[]),
        (ten(), &["north"], &["11"]),
        (ten(), &["north"], &["010"]),
        (ten(), &["north"], &["1e1"]),
    ];
    // It is the approved definition that says which headers there are, so the call's validation compares them.
    let no = No { control: "read", ..HEADER_MISMATCH };
    for (arguments, region, limit) in bent {
        println!("{arguments} {region:?} {limit:?}");
        let reply = find(arguments, region, limit).await;
        gate.refuses(&reply, no).await;
    }
    let reply = find(json!({ "region": ["north"] }), &["north"], &[]).await;
    gate.refuses(&reply, no).await;
    // Where header and argument agree, the schema has the last word.
    let reply = find(json!({ "region": "north", "limit": 10, "all": true }), &["north"], &["10"]).await;
    gate.refuses(&reply, ARGUMENTS_INVALID).await;
    assert_eq!(gate.desk.calls(), 2);
}
