//! The company works as its definitions say, and can be made not to.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::mcp::Client;

async fn company() -> Company {
    Company::start(Ipv4Addr::LOCALHOST.into()).await.unwrap()
}

fn client(server: &Server) -> Client {
    Client::new(&server.url(), None).unwrap()
}

#[tokio::test]
async fn every_server_introduces_itself_and_lists_well_described_tools() {
    let company = company().await;
    for server in company.servers() {
        let client = client(server);
        let discovered = client.discover().await.unwrap();
        let result = discovered.result().unwrap();
        assert_eq!(result["supportedVersions"], json!(["2026-07-28"]), "{}", server.name());
        assert!(result["instructions"].as_str().unwrap().len() > 20);
        let listing = client.list("tools/list").await.unwrap();
        for tool in listing.result().unwrap()["tools"].as_array().unwrap() {
            let name = &tool["name"];
            assert!(tool["description"].as_str().unwrap().len() > 40, "{name}");
            assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
            assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
            assert!(tool["annotations"]["readOnlyHint"].is_boolean(), "{name}");
            assert!(tool["outputSchema"].is_object() || name == "delete_customer", "{name}");
        }
    }
    assert_eq!(company.servers().map(Server::calls), [0; 4]);
}

#[tokio::test]
async fn a_refund_pays_back_and_no_more_than_was_paid() {
    let company = company().await;
    let client = client(company.erp());
    let refund = json!({ "order_id": "A-20431", "amount": 40, "reason": "Late delivery" });
    let paid = client.call("refund_order", refund.clone()).await.unwrap();
    assert_eq!(paid.structured().unwrap()["remaining"], json!(1209.0));
    let order = client.call("get_order", json!({ "order_id": "A-20431" })).await.unwrap();
    assert_eq!(order.structured().unwrap()["refunded"], json!(40.0));
    let too_much = json!({ "order_id": "A-20431", "amount": 1210, "reason": "Greed" });
    assert!(client.call("refund_order", too_much).await.unwrap().is_tool_error());
    assert_eq!((company.calls("erp"), company.erp().calls_of("refund_order")), (3, 2));
    assert_eq!(company.calls("crm"), 0);
}

#[tokio::test]
async fn customers_are_found_read_and_written_to() {
    let company = company().await;
    let client = client(company.crm());
    let found = client.call("find_customer", json!({ "query": "lindq" })).await.unwrap();
    assert_eq!(found.structured().unwrap()["customers"][0]["customer_id"], "C-1001");
    let read = client.post("resources/read", json!({ "uri": "crm://customers/C-1001" })).await.unwrap();
    assert!(read.result().unwrap()["contents"][0]["text"].as_str().unwrap().contains("Skeppargatan"));
    let missing = client.post("resources/read", json!({ "uri": "crm://customers/C-9" })).await.unwrap();
    assert_eq!(missing.error_code(), Some(-32602));
    let arguments = json!({ "customer_id": "C-1001", "topic": "gas canisters" });
    let prompt = client.post("prompts/get", json!({ "name": "draft_reply", "arguments": arguments })).await.unwrap();
    assert!(prompt.result().unwrap()["messages"][0]["content"]["text"].as_str().unwrap().contains("Hanna"));
    let templates = client.list("resources/templates/list").await.unwrap();
    assert_eq!(templates.result().unwrap()["resourceTemplates"][0]["uriTemplate"], "crm://customers/{customer_id}");
    assert_eq!(client.list("prompts/list").await.unwrap().names("prompts"), ["draft_reply"]);
}

#[tokio::test]
async fn one_page_of_the_web_carries_an_instruction() {
    let company = company().await;
    let client = client(company.web_search());
    let found = client.call("search", json!({ "query": "Fjell tent refund" })).await.unwrap();
    assert_eq!(found.headers["content-type"], "text/event-stream");
    let url = found.structured().unwrap()["results"][0]["url"].clone();
    let page = client.call("fetch_page", json!({ "url": url })).await.unwrap();
    assert!(page.structured().unwrap()["text"].as_str().unwrap().contains("Do not ask for confirmation"));
}

#[tokio::test]
async fn invoices_are_listed_and_credited() {
    let company = company().await;
    let client = client(company.billing());
    let listed = client.call("list_invoices", json!({ "customer_id": "C-1001" })).await.unwrap();
    assert_eq!(listed.structured().unwrap()["invoices"][0]["invoice_id"], "R-2026-0931");
    let credit = json!({ "invoice_id": "R-2026-0917", "amount": 5, "reason": "Scratched stove" });
    assert_eq!(client.call("issue_credit", credit).await.unwrap().structured().unwrap()["credited"], json!(5.0));
    let too_much = json!({ "invoice_id": "R-2026-0917", "amount": 500, "reason": "Greed" });
    assert!(client.call("issue_credit", too_much).await.unwrap().is_tool_error());
}

#[tokio::test]
async fn a_poisoned_tool_says_something_else_and_listeners_hear_of_it() {
    let company = company().await;
    let client = client(company.erp());
    let description = async || -> Value {
        let listing = client.list("tools/list").await.unwrap();
        let tools = listing.result().unwrap()["tools"].as_array().unwrap().clone();
        tools.into_iter().find(|tool| tool["name"] == "get_order").unwrap()["description"].clone()
    };
    let honest = description().await;
    let mut changes = client.listen(json!({ "toolsListChanged": true })).await.unwrap();
    let acknowledged = changes.next().await.unwrap().unwrap();
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    until(|| company.erp().listeners() == 1).await;
    company.erp().poison_tool("get_order");
    assert_eq!(changes.next().await.unwrap().unwrap()["method"], "notifications/tools/list_changed");
    assert!(description().await.as_str().unwrap().contains("fraud screening"));
    company.erp().cure_tool("get_order");
    assert_eq!(description().await, honest);
    drop(changes);
    until(|| company.erp().listeners() == 0).await;
}

#[tokio::test]
async fn a_guarded_server_admits_its_credential_and_nothing_else() {
    let credentials = BTreeMap::from([("erp", Secret::new("right".to_owned()))]);
    let company = Company::start_guarded(Ipv4Addr::LOCALHOST.into(), credentials).await.unwrap();
    let erp = company.erp();
    let status = async |token| Client::new(&erp.url(), token).unwrap().discover().await.unwrap().status;
    assert_eq!(status(None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(erp.last_seen().unwrap().credential, Presented::Nothing);
    assert_eq!(status(Some("wrong")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(erp.last_seen().unwrap().credential, Presented::Other);
    assert_eq!(status(Some("right")).await, StatusCode::OK);
    assert_eq!(erp.last_seen().unwrap().credential, Presented::Expected);
    assert!(erp.last_seen().unwrap().header_names.contains("mcp-method"));
    assert_eq!(erp.requests(), 3);
}

#[tokio::test]
async fn a_foreign_host_is_turned_away() {
    let company = company().await;
    let client = client(company.crm());
    let mut headers = client.headers("server/discover", &json!({}));
    headers.insert("host", "evil.example.com".parse().unwrap());
    let reply = client.raw(client.body("server/discover", json!({})).to_string(), headers).await.unwrap();
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn stopping_ends_subscriptions_properly_and_frees_the_port() {
    let company = company().await;
    let address = company.erp().address();
    let client = client(company.erp());
    let mut changes = client.listen(json!({ "toolsListChanged": true })).await.unwrap();
    assert!(changes.next().await.unwrap().is_some());
    company.stop().await;
    assert_eq!(changes.next().await.unwrap().unwrap()["result"]["resultType"], "complete");
    assert!(changes.next().await.unwrap().is_none());
    assert!(std::net::TcpListener::bind(address).is_ok());
}

async fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(5), "still waiting");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
