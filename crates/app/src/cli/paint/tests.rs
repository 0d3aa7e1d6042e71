use super::*;

#[test]
fn text_is_wrapped_between_words_and_indented() {
    let text = "word ".repeat(30);
    let wrapped = wrapped(text.trim_end(), 10);
    assert!(wrapped.lines().enumerate().all(|(place, line)| columns(line) <= if place == 0 { 70 } else { 80 }));
    assert!(wrapped.lines().skip(1).all(|line| line.starts_with("          word")));
}

#[test]
fn its_own_line_breaks_stay_and_a_long_word_is_not_broken() {
    let long = "x".repeat(100);
    assert_eq!(wrapped(&format!("a\n{long}"), 2), format!("a\n  {long}"));
}

#[test]
fn the_indentation_of_a_line_stays() {
    assert_eq!(wrapped("    \"a\": 1\n  x  y", 2), "    \"a\": 1\n    x  y");
}

#[test]
fn a_table_fits_in_eighty_columns() {
    let rows = vec![vec![(NAME, "crm".to_owned()), (FAINT, "customers ".repeat(20))]];
    let table = anstream::adapter::strip_str(&table(&["server", "purpose"], &rows)).to_string();
    assert!(table.lines().all(|line| columns(line) <= WIDTH), "{table}");
    assert!(table.starts_with("  server  purpose\n  crm     customers"), "{table}");
    assert!(table.trim_end().ends_with('…'));
}

#[test]
fn things_are_counted_in_words() {
    assert_eq!([count(0, "tool"), count(1, "tool"), count(2, "policy")], ["0 tools", "1 tool", "2 policies"]);
}

#[test]
fn moments_are_read_in_utc() {
    assert_eq!(moment(1_795_219_200_000), "2026-11-21 00:00:00Z");
    assert_eq!(moment(u64::MAX), "at no known time");
}
