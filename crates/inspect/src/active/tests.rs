use serde_json::json;

use super::*;

fn made(text: &str, kinds: &[Active]) -> String {
    let message = json!({ "result": { "content": [{ "type": "text", "text": text }] } }).to_string();
    let changed = harmless(&message, kinds).unwrap().unwrap_or(message);
    assert_eq!(harmless(&changed, kinds), Some(None), "what was made harmless has nothing left: {changed}");
    let message: serde_json::Value = serde_json::from_str(&changed).unwrap();
    message["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

#[test]
fn links_and_addresses_lead_nowhere() {
    let links = [Active::Links];
    assert_eq!(made("see [here](https://evil.example/?q=1)", &links), "see [here] (https[:]//evil.example/?q=1)");
    assert_eq!(made("[a][b]\n[b]: //evil.example", &links), "[a] [b]\n[b] : //evil.example");
    assert_eq!(
        made("www.evil.example and <mailto:a@b.example>", &links),
        "www[.]evil.example and <mailto[:]a@b.example>"
    );
    assert_eq!(made("<https://evil.example>", &links), "<https[:]//evil.example>");
    assert_eq!(made("a list: [1, 2] (3)", &links), "a list: [1, 2] (3)");
}

#[test]
fn images_are_not_fetched_and_other_tags_stay() {
    let images = [Active::Images];
    assert_eq!(made("![x](https://e.example/p.png)", &images), "! [x](https://e.example/p.png)");
    assert_eq!(made("<b>bold</b> <IMG src=x>", &images), "<b>bold</b> &lt;IMG src=x>");
    assert_eq!(made("<p style=\"background:url(//e)\">", &images), "&lt;p style=\"background:url(//e)\">");
}

#[test]
fn no_tag_is_one_and_no_sequence_is_obeyed() {
    assert_eq!(made("<!-- hid --><b>x</b> a < b", &[Active::Markup]), "&lt;!-- hid -->&lt;b>x&lt;/b> a < b");
    assert_eq!(
        made("\u{1b}[31mred\u{1b}]8;;https://e\u{7}link\u{9b}2J\ttab\n", &[Active::Terminal]),
        "redlink2J\ttab\n"
    );
    assert_eq!(made("\u{1b}\u{1b}[2Jx", &[Active::Terminal]), "x");
}

#[test]
fn what_nobody_sees_is_left_out_and_what_belongs_to_letters_stays() {
    let invisible = [Active::Invisible];
    assert_eq!(made("a\u{200b}b\u{e0041}\u{202e}c", &invisible), "abc");
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{645}\u{6cc}\u{200c}\u{62e} \u{2764}\u{fe0f}";
    assert_eq!(made(family, &invisible), family);
}

#[test]
fn pages_within_bytes_are_made_harmless_and_names_stay() {
    let page = STANDARD.encode("<script>alert(1)</script>");
    let message = json!({ "contents": [{ "uri": "ui://a", "mimeType": "text/html", "blob": page }] }).to_string();
    let changed = harmless(&message, &Active::ALL).unwrap().unwrap();
    let changed: serde_json::Value = serde_json::from_str(&changed).unwrap();
    assert_eq!(changed["contents"][0]["uri"], "ui://a");
    let page = STANDARD.decode(changed["contents"][0]["blob"].as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(page).unwrap(), "&lt;script>alert(1)&lt;/script>");
    // An image's bytes are none of this.
    let image = json!({ "data": STANDARD.encode([0xff, 0xd8, 0xff, 0xe0]) }).to_string();
    assert_eq!(harmless(&image, &Active::ALL), Some(None));
}

#[test]
fn the_kinds_of_a_message_are_those_that_would_be_changed() {
    assert_eq!(active(r#"{"text":"plain words, 3 < 4"}"#), []);
    assert_eq!(active(r#"{"text":"![x](https://e.example)"}"#), [Active::Images, Active::Links]);
    assert_eq!(active(r#"{"text":"\u001b[2J<b>"}"#), [Active::Terminal, Active::Markup]);
}
