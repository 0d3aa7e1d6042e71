use std::collections::HashSet;

use model::{Actor, Change, Digest, Expected, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Approval, Catalogue, Definition, Definitions, Eyes, Observed, Server, Standing};

fn change() -> Change {
    Change { actor: Actor::Person("ada".into()), expected: Expected::Any, at: Timestamp(1), reason: None }
}

fn definition(name: &str, member: &str) -> Definition {
    Definition::new(name, &json!({ "title": "T", member: name, "x-own": { "name": 1.5 }, "description": "d" })).unwrap()
}

/// An approved server with these tools, a prompt `greet`, and templates of its own scheme and of `shared:`.
fn server(name: &str, tools: &[&str]) -> Server {
    let manifest = json!({ "name": name, "url": "https://a.example/", "owner": "o", "purpose": "p" });
    let mut server = Server::submit(serde_json::from_value(manifest).unwrap(), &change());
    let definitions = Definitions {
        tools: tools.iter().map(|tool| definition(tool, "name")).collect(),
        prompts: vec![definition("greet", "name")],
        templates: vec![
            definition(&format!("{name}://{{id}}"), "uriTemplate"),
            definition("shared://{id}", "uriTemplate"),
        ],
        instructions: Some(format!("{name} first")),
        supported_versions: vec!["2026-07-28".to_owned(), "2025-11-25".to_owned()],
        ..Definitions::default()
    };
    let seen = Observed::new(definitions, Timestamp(2), Vec::new()).unwrap();
    let digest: Digest = seen.digest;
    server.observe(server.manifest.identity(), seen, &change()).unwrap();
    server.approve(Approval::of(digest, Eyes::Two), &change()).unwrap();
    server
}

fn endpoint(servers: &Value) -> EndpointManifest {
    serde_json::from_value(json!({ "name": "desk", "purpose": "p", "servers": servers })).unwrap()
}

fn compiled(servers: &[Server], manifest: EndpointManifest) -> Arc<Endpoint> {
    let catalogue = Catalogue::compile(servers, &[manifest], &[]);
    Arc::clone(catalogue.endpoint(&"desk".parse().unwrap()).unwrap())
}

fn names<Thing>(offered: &[Offered<Thing>]) -> Vec<&str> {
    offered.iter().map(|one| one.shown.as_str()).collect()
}

fn two() -> EndpointManifest {
    endpoint(&json!([
        { "name": "crm", "tools": ["find"], "resources": ["crm://"] },
        { "name": "erp", "prompts": [], "resources": ["erp://", "shared://"] },
    ]))
}

#[test]
fn several_servers_are_told_apart_by_their_names_and_nothing_else_of_a_definition_changes() {
    let desk = compiled(&[server("crm", &["find", "drop"]), server("erp", &["find", "a_b"])], two());
    assert_eq!(names(desk.tools()), ["crm_find", "erp_find", "erp_a_b"]);
    assert_eq!(names(desk.prompts()), ["crm_greet"]);
    assert_eq!(names(desk.templates()), ["crm://{id}", "erp://{id}", "shared://{id}"]);
    let find = desk.find_tool("erp_find").unwrap();
    assert_eq!((find.item.server.as_str(), find.item.name.as_str(), find.member), ("erp", "find", 1));
    assert_eq!(find.item.raw.get(), r#"{"title":"T","name":"find","x-own":{"name":1.5},"description":"d"}"#);
    assert_eq!(find.raw.get(), r#"{"title":"T","name":"erp_find","x-own":{"name":1.5},"description":"d"}"#);
    assert_eq!(desk.find_tool("erp_a_b").unwrap().item.name.as_str(), "a_b");
    for missing in ["find", "crm_drop", "erp_", "_find", "crm-find", "ERP_find", "erp_find ", "crm_erp_find"] {
        assert!(desk.find_tool(missing).is_none(), "{missing}");
    }
    assert!(desk.find_prompt("erp_greet").is_none(), "an empty choice is none");
    let shared = desk.find_template("shared://{id}").unwrap();
    assert_eq!((shared.member, shared.item.server.as_str()), (1, "erp"), "crm may not serve it here");
}

#[test]
fn at_an_endpoint_for_one_server_names_stay_and_a_choice_is_kept_to() {
    let manifest = json!({ "name": "desk", "purpose": "p", "server": "crm", "tools": ["find", "later"] });
    let desk = compiled(&[server("crm", &["find", "drop"])], serde_json::from_value(manifest).unwrap());
    assert_eq!(names(desk.tools()), ["find"]);
    assert!(Arc::ptr_eq(&desk.tools()[0].raw, &desk.tools()[0].item.raw));
    assert_eq!(names(desk.templates()).len(), 2);
    assert!(desk.members[0].holds("whatever://x") && desk.members[0].has_resources());
    assert_eq!(desk.resolve("a_b").map(|(server, own)| (server.to_string(), own)), Some(("crm".into(), "a_b")));
    assert_eq!(desk.shown(&"crm".parse().unwrap(), "find"), "find");
}

#[test]
fn a_name_means_the_same_whether_or_not_anything_has_it() {
    let desk = compiled(&[server("crm", &["find"])], endpoint(&json!([{ "name": "crm" }, { "name": "erp" }])));
    let resolved = |shown| desk.resolve(shown).map(|(server, own)| (server.to_string(), own.to_owned()));
    let is = |server: &str, own: &str| Some((server.to_owned(), own.to_owned()));
    assert_eq!(resolved("crm_find"), is("crm", "find"));
    assert_eq!(resolved("erp_find"), is("erp", "find"));
    assert_eq!(resolved("nobody_x_y"), is("nobody", "x_y"));
    for nothing in ["find", "_find", "crm_", "Crm_find", "", "_"] {
        assert_eq!(resolved(nothing), None, "{nothing}");
    }
}

#[test]
fn a_resource_is_its_holders_and_nobody_elses() {
    let desk = compiled(&[server("crm", &[]), server("erp", &[])], two());
    let holder = |uri| desk.holder(uri).map(|member| member.server.name.to_string());
    assert_eq!(holder("crm://1").as_deref(), Some("crm"));
    assert_eq!(holder("shared://1").as_deref(), Some("erp"));
    assert_eq!((holder("file:///etc/passwd"), holder("crmx://1")), (None, None));
    let bare = compiled(&[server("crm", &[])], endpoint(&json!([{ "name": "crm" }])));
    assert!(bare.holder("crm://1").is_none() && bare.templates().is_empty() && !bare.members[0].has_resources());
}

#[test]
fn a_server_out_of_service_is_left_out_and_told_and_with_none_in_service_there_is_no_endpoint() {
    let mut erp = server("erp", &["find"]);
    erp.standing = Standing::Submitted;
    let desk = compiled(&[server("crm", &["find"]), erp.clone()], two());
    assert_eq!(names(desk.tools()), ["crm_find"]);
    assert_eq!(desk.missing.iter().map(ToString::to_string).collect::<Vec<_>>(), ["its server `erp` is submitted"]);
    assert!(desk.holder("erp://1").is_none() && desk.member(&"erp".parse().unwrap()).is_none());
    let catalogue = Catalogue::compile(&[erp], &[two()], &[]);
    let desk = "desk".parse().unwrap();
    assert!(catalogue.endpoint(&desk).is_none());
    let told = catalogue.absence(&desk).to_string();
    assert_eq!(told, "its server `crm` was not submitted; its server `erp` is submitted");
}

#[test]
fn what_did_not_change_is_kept_and_what_did_is_noticed() {
    let servers = [server("crm", &["find"]), server("erp", &["find", "more"])];
    let desk = "desk".parse().unwrap();
    let first = Catalogue::compile(&servers, &[two()], &[]);
    let second = first.succeed(&servers, &[two()], &[]);
    let (one, other) = (first.endpoint(&desk).unwrap(), second.endpoint(&desk).unwrap());
    assert!(Arc::ptr_eq(&one.tools()[1].raw, &other.tools()[1].raw), "spliced once");
    assert!(one.shows_same(other));
    let fewer = [server("crm", &["find"]), server("erp", &["find"])];
    let third = second.succeed(&fewer, &[two()], &[]);
    assert!(!third.endpoint(&desk).unwrap().shows_same(other));
}

#[test]
fn a_name_is_spliced_in_as_json() {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let spliced = |text: &str, name: &str| renamed(&raw(text), name).map(|raw| raw.get().to_owned());
    assert_eq!(
        spliced(r#"{"a":"name","name":"x\"y"}"#, "s_\"\u{e9}").unwrap(),
        "{\"a\":\"name\",\"name\":\"s_\\\"\u{e9}\"}"
    );
    assert_eq!(spliced("{ \"n\\u0061me\" : \"x\" , \"b\":1 }", "y").unwrap(), "{ \"n\\u0061me\" : \"y\" , \"b\":1 }");
    for nameless in ["{}", "[]", "{\"name\":1,\"name\":2}", "1"] {
        assert_eq!(spliced(nameless, "y"), None, "{nameless}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Servers and tools whose names are made of few letters, so that collisions would be found if there could be any.
    #[test]
    fn no_two_definitions_have_one_name_and_each_name_leads_back(
        servers in proptest::collection::hash_map("[ab][ab-]{0,2}", proptest::collection::hash_set("[ab_-]{1,3}", 0..6), 1..6),
        asked in "[ab_-]{0,7}",
    ) {
        let approved: Vec<_> = servers
            .iter()
            .map(|(name, tools)| server(name, &tools.iter().map(String::as_str).collect::<Vec<_>>()))
            .collect();
        let portions: Vec<_> = servers.keys().map(|name| json!({ "name": name })).collect();
        let desk = compiled(&approved, endpoint(&json!(portions)));
        let tools: usize = servers.values().map(HashSet::len).sum();
        prop_assert_eq!(desk.tools().len(), tools);
        prop_assert_eq!(names(desk.tools()).into_iter().collect::<HashSet<_>>().len(), tools);
        for one in desk.tools() {
            let (server, own) = desk.resolve(&one.shown).unwrap();
            prop_assert_eq!((&server, own), (&one.item.server, one.item.name.as_str()));
            prop_assert_eq!(&desk.shown(&server, own), &one.shown);
            let spliced: Value = serde_json::from_str(one.raw.get()).unwrap();
            prop_assert_eq!(spliced["name"].as_str(), Some(one.shown.as_str()));
        }
        // Whatever is asked for, what is found is what the name says.
        if let Some((server, own)) = desk.resolve(&asked) {
            let there = servers.get(server.as_str()).is_some_and(|tools| tools.contains(own));
            prop_assert_eq!(desk.find_tool(&asked).is_some(), there);
        } else {
            prop_assert!(desk.find_tool(&asked).is_none());
        }
    }
}
