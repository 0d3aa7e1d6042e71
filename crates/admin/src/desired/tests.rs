use super::*;

#[test]
fn a_key_is_found_where_its_line_sets_it() {
    let text = "name = \"a\"\n  server = \"b\"\n# zone = \"c\"\nzones = 1\nzone=\"d\"\n";
    assert_eq!(key_offset(text, "name"), Some(0));
    assert_eq!(key_offset(text, "server"), text.find("server"));
    assert_eq!(key_offset(text, "zone"), text.find("zone=\"d\""));
    assert_eq!(key_offset(text, "owner"), None);
}
