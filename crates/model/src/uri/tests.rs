use super::*;

#[test]
fn one_spelling_passes_and_others_do_not() {
    for good in [
        "test://static-text",
        "file:///a/b%20c.txt",
        "crm://customers/42?view=full#x",
        "urn:isbn:1",
        "urn:ISBN:1",
        "a:..b",
        "https://Ana@host.example/A?B",
        "crm://caf%C3%A9/A",
    ] {
        assert!(is_canonical_uri(good), "{good}");
    }
    let long = format!("a:{}", "x".repeat(limits::URI_BYTES_MAX));
    for bad in [
        "no-scheme",
        "File:///a",
        "https://Host.example/a",
        "crm://ana@CUSTOMERS/42",
        "crm://Customers",
        "crm://CUSTOMERS?a",
        "file:///a/../b",
        "file:///a/./b",
        "file:///%2e%2e/b",
        "file:///%41",
        "file:///%2f%2",
        "file:///%c3",
        "file:///a b",
        "file:///ä",
        "file:\\\\a",
        // Readers that do not refuse these escape them: `%22`, `%7B`.
        "desk://tickets/\"1\"",
        "desk://tickets/{id}",
        "desk://a|b",
        "desk://<a>",
        "desk://a^b",
        "desk://a`b",
        "1a:b",
        ":x",
        "",
        &long,
    ] {
        assert!(!is_canonical_uri(bad), "{bad}");
    }
}
