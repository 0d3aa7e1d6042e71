use super::*;

fn drawn(old: &str, new: &str) -> String {
    let sign = |mark| match mark {
        Mark::Same => ' ',
        Mark::Added => '+',
        Mark::Removed => '-',
        Mark::Gap => '…',
    };
    lines(old, new).iter().map(|line| format!("{}{}\n", sign(line.mark), line.text)).collect()
}

#[test]
fn what_is_new_is_all_there_and_what_stays_is_not() {
    assert_eq!(drawn("", "a\nb\n"), "+a\n+b\n");
    assert_eq!(drawn("a\nb\n", "a\nb\n"), "");
}

#[test]
fn a_change_is_shown_with_a_few_lines_around_it() {
    let old = "1\n2\n3\n4\n5\n6\n7\n";
    assert_eq!(drawn(old, "1\n2\n3\n4\n5\nsix\n7\n"), " 3\n 4\n 5\n-6\n+six\n 7\n");
}

#[test]
fn what_lies_between_two_changes_is_left_out() {
    let old: String = (0..30).map(|number| format!("{number}\n")).collect();
    let new = old.replace("\n2\n", "\ntwo\n").replace("\n27\n", "\n");
    let drawn = drawn(&old, &new);
    assert!(drawn.contains("-2\n+two\n") && drawn.contains("…\n") && drawn.contains("-27\n"), "{drawn}");
    assert!(!drawn.contains(" 15\n"), "{drawn}");
}
