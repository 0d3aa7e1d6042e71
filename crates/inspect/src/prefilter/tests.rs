use super::*;
use crate::{Found, View};

struct Words(&'static [&'static str]);

impl Detector for Words {
    fn keywords(&self) -> Vec<String> {
        self.0.iter().map(|word| (*word).to_owned()).collect()
    }

    fn look(&self, _: &View<'_>, _: &[Hit], _: &mut Found<'_>) {}
}

/// What [`Prefilter::mark`] says, told by looking at every place for every word.
fn expected(text: &str, words: &[&str]) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for end in 1..=text.len() {
        for word in words {
            let start = end.saturating_sub(word.len());
            if end >= word.len() && text.as_bytes()[start..end].eq_ignore_ascii_case(word.as_bytes()) {
                found.push((u32::try_from(start).unwrap(), u32::try_from(end).unwrap()));
            }
        }
    }
    found.sort_by_key(|(start, end)| (*end, *start));
    found
}

#[test]
fn words_are_found_wherever_they_stand_and_in_order() {
    const WORDS: &[&str] = &["ab", "abcab", "token", "to", "api_key-of-a-long-name"];
    let prefilter = Prefilter::new(&[Box::new(Words(WORDS)) as Box<dyn Detector>]).unwrap();
    for length in [0, 1, 10, 255, 256, 257, 400, 1003] {
        for shift in 0..24 {
            let text: String = "x".repeat(shift) + &"abcabTOKEN api_key-of-a-long-name ".repeat(40);
            let text = text.get(..length).unwrap();
            let mut hits = vec![Vec::new()];
            prefilter.mark(text, &mut hits);
            let mut found: Vec<(u32, u32)> = hits[0].iter().map(|hit| (hit.start, hit.end)).collect();
            assert!(found.is_sorted_by_key(|(_, end)| *end));
            found.sort_by_key(|(start, end)| (*end, *start));
            assert_eq!(found, expected(text, WORDS), "{length} {shift}");
        }
    }
}
