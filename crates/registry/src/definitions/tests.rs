use super::*;

fn definitions() -> Definitions {
    Definitions {
        instructions: Some("be kind".to_owned()),
        tools: vec![
            Definition::new("a", &json!({ "name": "a", "x": 1 })).unwrap(),
            Definition::new("b", &json!({ "name": "b" })).unwrap(),
        ],
        ..Definitions::default()
    }
}

#[test]
fn the_order_of_lists_and_members_does_not_count_and_everything_else_does() {
    let digest = definitions().digest().unwrap();
    let mut reordered = definitions();
    reordered.tools.reverse();
    assert_eq!(reordered.digest().unwrap(), digest);
    let same = Definition::new("a", &json!({ "x": 1.0, "name": "a" })).unwrap();
    assert_eq!(Some(&same.digest), definitions().tools.first().map(|tool| &tool.digest));

    let changes: [fn(&mut Definitions); 6] = [
        |all| all.instructions = None,
        |all| all.server_info = json!({ "name": "other" }),
        |all| all.capabilities = json!({ "tools": {} }),
        |all| all.supported_versions.push("2026-07-28".to_owned()),
        |all| all.prompts.append(&mut all.tools),
        |all| _ = all.tools.pop(),
    ];
    for change in changes {
        let mut changed = definitions();
        change(&mut changed);
        assert_ne!(changed.digest().unwrap(), digest);
    }
}

#[test]
fn an_observation_survives_being_stored() {
    let observed = Observed::new(definitions(), Timestamp(7), Vec::new()).unwrap();
    let stored = serde_json::to_string(&observed).unwrap();
    assert_eq!(serde_json::from_str::<Observed>(&stored).unwrap(), observed);
}
