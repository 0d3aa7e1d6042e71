use super::*;

#[test]
fn what_was_undone_is_new_and_the_rest_is_not() {
    let (text, map) = crate::unescape::undo(&format!("{}%41{}", "x".repeat(100), "y".repeat(100))).unwrap();
    let news = News::made_by(&map);
    let at = text.find('A').unwrap();
    assert!(news.is_in(&(at..at + 1)) && news.is_in(&(0..text.len())));
    assert!(!news.is_in(&(0..at)) || news.is_in(&(at - 1..at)));
    assert!(!news.is_in(&(0..50)) && !news.is_in(&(150..text.len())));
}

#[test]
fn what_was_new_is_new_where_it_went() {
    let seam = 10;
    let text = format!("{}&amp;{}%41", "x".repeat(seam), "y".repeat(20));
    let (plain, map) = crate::unescape::undo(&text).unwrap();
    let carried = News::at(vec![seam + 5]).carried(&map);
    // The reference became one byte, so what stood behind it stands four bytes earlier.
    assert!(carried.is_in(&(seam + 1..seam + 1)) && !carried.is_in(&(seam + 3..plain.len())));
    let both = carried.or(News::made_by(&map));
    assert!(both.is_in(&(plain.len() - 1..plain.len())));
}

#[test]
fn all_is_new_where_nothing_was_shown() {
    assert!(News::ALL.is_in(&(5..6)));
    let (_, map) = crate::unescape::undo("%41").unwrap();
    assert!(News::ALL.carried(&map).is_in(&(0..0)));
}
