use model::{Actor, Change, Expected, Revision, Timestamp};
use registry::{Approval, Definitions, Eyes, Observed};
use serde_json::json;

use super::*;

fn server(name: &str, tool: &str, description: &str) -> Arc<Server> {
    let change = Change { actor: Actor::Person("ada".into()), expected: Expected::Any, at: Timestamp(1), reason: None };
    let manifest = json!({ "name": name, "url": "https://crm.example/mcp", "owner": "sales", "purpose": "customers" });
    let mut server = Server::submit(serde_json::from_value(manifest).unwrap(), &change);
    let tools = vec![Definition::new(tool, &json!({ "name": tool, "description": description })).unwrap()];
    let definitions = Definitions { tools, ..Definitions::default() };
    let observed = Observed::new(definitions, Timestamp(2), Vec::new()).unwrap();
    let digest = observed.digest;
    server.observe(server.manifest.identity(), observed, &change).unwrap();
    server.approve(Approval::of(digest, Eyes::Two), &change).unwrap();
    server.into()
}

fn governed(servers: Vec<Arc<Server>>) -> Governed {
    let (zones, endpoints, agents, policies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Governed { revision: Revision(1), zones, servers, endpoints, agents, policies }
}

#[test]
fn only_what_was_approved_anew_is_read_anew() {
    let vocabularies = Vocabularies::default();
    let crm = server("crm", "find", "Finds customers");
    let before = vocabularies.of(&governed(vec![Arc::clone(&crm), server("erp", "refund", "Refunds an order")]));
    let after = vocabularies.of(&governed(vec![crm, server("erp", "save_memory", "Saves a memory")]));
    let same = |at: usize| Arc::ptr_eq(&before.servers[at], &after.servers[at]);
    assert!(same(0) && !same(1));
    assert_eq!(after.servers[1].tools[0].name.as_str(), "save_memory");
    assert_eq!(after.servers[1].tools[0].classes, ["memory"]);
}

#[test]
fn another_server_of_a_name_that_went_is_read_as_it_is() {
    let vocabularies = Vocabularies::default();
    vocabularies.of(&governed(vec![server("crm", "find", "Finds customers")]));
    assert!(vocabularies.of(&governed(Vec::new())).servers.is_empty());
    let again = vocabularies.of(&governed(vec![server("crm", "sell", "Sells customers")]));
    assert_eq!(again.servers[0].tools[0].name.as_str(), "sell");
}
