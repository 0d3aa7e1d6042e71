use super::*;

#[test]
fn choices_slots_and_brackets_are_put_in() {
    let slots = Slots::new("word: one | two");
    let mut random = Random::new(1);
    for _ in 0..20 {
        let said = slots.say("[a|b] {word} \u{27e6}x\u{27e7} {{y}} {do}", "Open it.", &mut random);
        let (first, rest) = said.split_once(' ').unwrap();
        assert!(["a", "b"].contains(&first));
        assert!(["one [x] {y} open it", "two [x] {y} open it"].contains(&rest), "{rest}");
    }
}

#[test]
fn the_same_seed_says_the_same() {
    let slots = Slots::new("word: one | two");
    let say = |seed| slots.say("[a|b|c] {word} {email} {url}", "", &mut Random::new(seed));
    assert_eq!(say(5), say(5));
}

#[test]
fn lines_stand_under_their_kind() {
    let found = lines("about the file\n= one\na\n\n= two\n== b\n");
    let kinds: Vec<_> = found.iter().map(|line| (line.kind, line.text)).collect();
    assert_eq!(kinds, [("one", "a"), ("two", "== b")]);
}
