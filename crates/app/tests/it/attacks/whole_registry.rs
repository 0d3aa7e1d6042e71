//! Somebody who wants the private registry whole at once, or pages of it that nobody gave him: cursors are read by whoever gets
//! one, and can be written by anybody.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use model::limits::{SHELF_PAGE_MAX, SHELF_SEARCH_BYTES_MAX};
use serde_json::{Value, json};

use crate::gate::files::endpoint;
use crate::gate::{Gate, Heard, Setup};

/// Endpoints that are listed: more than go on one page, and fewer than on two.
const LISTED: usize = SHELF_PAGE_MAX + 5;

/// A gate with more endpoints in its registry than a page has, and one that is not there.
async fn gate() -> Gate {
    let listed = |number: usize| {
        let name = format!("desk-{number}");
        (format!("endpoints/{name}.toml"), format!("catalogue = true\n{}", endpoint(&name, "desk")))
    };
    let mut state: Vec<_> = (0..LISTED).map(listed).collect();
    state.push(("endpoints/inside.toml".to_owned(), endpoint("inside", "desk")));
    let settings = "\n[catalogue]\nopen = true\n".to_owned();
    Gate::with(Setup { settings, state, ..Setup::default() }).await
}

async fn get(gate: &Gate, query: &str) -> Heard {
    gate.send(gate.agents(), "GET", &format!("/v0.1/servers?{query}"), HeaderMap::new(), "").await
}

/// A page: its names, and the cursor of the next.
async fn page(gate: &Gate, query: &str) -> (Vec<String>, Option<String>) {
    let heard = get(gate, query).await;
    assert_eq!(heard.status, 200, "{query}: {}", heard.text());
    let list = heard.json();
    let name = |one: &Value| one["server"]["name"].as_str().unwrap().to_owned();
    let names: Vec<_> = list["servers"].as_array().unwrap().iter().map(name).collect();
    assert_eq!(list["metadata"]["count"], names.len(), "{query}");
    (names, list["metadata"]["nextCursor"].as_str().map(str::to_owned))
}

fn forged(cursor: &Value) -> String {
    URL_SAFE_NO_PAD.encode(cursor.to_string())
}

#[tokio::test]
async fn a_page_has_its_bound_whatever_is_asked_for_and_the_pages_end() {
    let gate = gate().await;
    for limit in ["101", "100000", "18446744073709551615"] {
        let (names, next) = page(&gate, &format!("limit={limit}")).await;
        assert_eq!((names.len(), next.is_some()), (SHELF_PAGE_MAX, true), "limit={limit}");
        let (rest, end) = page(&gate, &format!("limit={limit}&cursor={}", next.unwrap())).await;
        assert_eq!((rest.len(), end), (LISTED - SHELF_PAGE_MAX, None), "limit={limit}");
        let all: BTreeSet<_> = names.into_iter().chain(rest).collect();
        assert_eq!(all.len(), LISTED, "each is there, and once");
    }
    for limit in ["-1", "0", "18446744073709551616", "1e9"] {
        assert_eq!(get(&gate, &format!("limit={limit}")).await.status, 400, "limit={limit}");
    }
}

#[tokio::test]
async fn a_cursor_that_somebody_wrote_himself_leads_nowhere_else() {
    let gate = gate().await;
    // From before the first, past the bound of a page: what a cursor says goes no further than what a question says.
    let (names, _) = page(&gate, &format!("limit=100000&cursor={}", forged(&json!({ "after": "" })))).await;
    assert_eq!(names.len(), SHELF_PAGE_MAX);
    for cursor in [json!({ "after": "127.0.0.1/insid" }), json!({ "after": "", "search": "inside" })] {
        assert_eq!(page(&gate, &format!("cursor={}", forged(&cursor))).await, (vec![], None), "{cursor}");
    }
    let long = "a".repeat(SHELF_SEARCH_BYTES_MAX + 1);
    for cursor in [
        json!({ "after": "", "search": long }),
        json!({ "after": "", "limit": 100_000 }),
        json!({ "after": "", "since": "yesterday" }),
        json!({ "after": "", "since": -1 }),
        json!({ "search": "desk" }),
        json!([]),
    ] {
        let heard = get(&gate, &format!("cursor={}", forged(&cursor))).await;
        assert_eq!(heard.status, 400, "{cursor}: {}", heard.text());
    }
    for cursor in ["%00", "e30=", "..%2F..%2F", &"A".repeat(4_000)] {
        let heard = get(&gate, &format!("cursor={cursor}")).await;
        assert_eq!(heard.status, 400, "{cursor}: {}", heard.text());
    }
}
