use serde_json::json;

use super::*;

fn is(name: &str, description: &str) -> bool {
    is_memory(&Definition::new(name, &json!({ "name": name, "description": description })).unwrap())
}

#[test]
fn tools_that_agents_write_to_as_to_a_memory_are_told() {
    for (name, description) in [
        ("create_entities", "Create multiple new entities in the knowledge graph"),
        ("add_observations", "Add new observations to existing entities in the knowledge graph"),
        ("save_memory", ""),
        ("memory_store", "Store a value"),
        ("addMemory", "Adds a memory"),
        ("remember", "Keep this"),
        ("note", "Persists a note so that it is there across sessions"),
        ("upsert", "Store information in long-term memory"),
        ("write", "Save what you learned about the user in your memory for future conversations"),
    ] {
        assert!(is(name, description), "{name}: {description}");
    }
}

#[test]
fn tools_that_read_and_memories_of_machines_are_none() {
    for (name, description) in [
        ("search_memory", "Search stored memories"),
        ("read_graph", "Read the entire knowledge graph"),
        ("set_limit", "Set the memory limit of a container and store it in the config"),
        ("create_invoice", "Create an invoice"),
        ("cache_put", "Stores a value in an in-memory cache across sessions"),
        ("list_sessions", "List sessions"),
        ("update_customer", "Update a customer's record"),
        ("book", "Books a table; remember to bring the receipt"),
    ] {
        assert!(!is(name, description), "{name}: {description}");
    }
    let reads = json!({ "name": "remember", "annotations": { "readOnlyHint": true } });
    assert!(!is_memory(&Definition::new("remember", &reads).unwrap()));
}
