use std::sync::Arc;

use serde_json::json;
use serde_json::value::to_raw_value;

use super::*;

/// Tools of these names and descriptions.
fn tools(all: &[(&str, &str)]) -> Vec<Offered<Tool>> {
    let offered = |(name, description): &(&str, &str)| {
        let definition = json!({
            "name": name,
            "description": description,
            "annotations": { "title": format!("The {name}") },
            "inputSchema": { "type": "object", "properties": { "orderNumber": {} } },
        });
        let raw: Arc<_> = Arc::from(to_raw_value(&definition).unwrap());
        let pin = model::Digest::of_json(&definition).unwrap();
        let tool = Tool::new("shop".parse().unwrap(), name.parse().unwrap(), pin, Arc::clone(&raw), false);
        Offered { shown: (*name).to_owned(), raw, item: Arc::new(tool), member: 0 }
    };
    all.iter().map(offered).collect()
}

fn shop() -> Index {
    Index::of(&tools(&[
        ("refund_order", "Gives the money of an order back."),
        ("find_orders", "Looks orders up by their customer."),
        ("createInvoice", "Writes an invoice for an order that was delivered."),
        ("ship", "Sends a parcel. Costs money."),
    ]))
}

fn found(index: &Index, query: &str) -> Vec<usize> {
    index.find(query, |_| true)
}

#[test]
fn names_count_for_more_than_descriptions_and_ties_keep_the_list_s_order() {
    assert_eq!(found(&shop(), "order"), [0, 1, 2, 3], "two in their names, one in its text, one in an argument");
    assert_eq!(found(&shop(), "money"), [0, 3]);
    assert_eq!(found(&shop(), "refunds"), [0]);
    assert_eq!(found(&shop(), "parcel"), [3]);
}

#[test]
fn more_words_of_the_query_count_for_more_than_anything_else() {
    assert_eq!(found(&shop(), "order delivered")[0], 2);
    assert_eq!(found(&shop(), "money parcel")[0], 3);
}

#[test]
fn words_are_parted_at_signs_and_at_great_letters_whatever_their_case() {
    assert_eq!(
        words("createInvoice HTTP2Server refund_order-v2").collect::<Vec<_>>(),
        ["create", "invoice", "http2", "server", "refund", "order", "v2"]
    );
    assert_eq!(words("Orders, ORDERS! class a").collect::<Vec<_>>(), ["order", "order", "class"]);
    assert_eq!(words("Überweisungs-Straße 漢字").collect::<Vec<_>>(), ["überweisung", "straße", "漢字"]);
    assert_eq!(found(&shop(), "INVOICES"), [2]);
    assert_eq!(found(&shop(), "number"), [0, 1, 2, 3], "arguments by their names");
}

#[test]
fn the_beginning_of_a_word_finds_it() {
    assert_eq!(found(&shop(), "inv"), [2]);
    assert_eq!(found(&shop(), "in"), Vec::<usize>::new(), "too short to mean anything");
    assert_eq!(found(&shop(), ""), Vec::<usize>::new());
    assert_eq!(found(&shop(), "nothing like it"), Vec::<usize>::new());
}

/// What is hidden changes neither what is found nor its order.
#[test]
fn what_is_not_seen_tells_nothing() {
    let seen =
        [("refund_order", "Gives money back."), ("find_orders", "Looks orders up."), ("ship", "Sends a parcel.")];
    let secret: Vec<(String, String)> =
        (0..200).map(|number| (format!("order_money_{number}"), "order parcel refund secretword".to_owned())).collect();
    let alone = Index::of(&tools(&seen));
    let mut all = seen.to_vec();
    all.extend(secret.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let among = Index::of(&tools(&all));
    for query in ["order", "ord", "money back", "parcel refund", "secretword", "secr", "refund order parcel money"] {
        assert_eq!(among.find(query, |place| place < seen.len()), found(&alone, query), "{query}");
    }
}

#[test]
fn a_query_has_so_many_words_and_no_more() {
    let padding: String = (0..limits::QUERY_WORDS_MAX).map(|number| format!("word{number} ")).collect();
    assert_eq!(found(&shop(), &format!("{padding} parcel")), Vec::<usize>::new());
    assert_eq!(found(&shop(), &format!("parcel {padding}")), [3]);
}
