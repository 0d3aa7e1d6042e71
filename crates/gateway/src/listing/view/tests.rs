use super::*;

#[test]
fn places_are_those_that_were_put() {
    let mut places = Places::default();
    let put = [0, 1, 63, 64, 127, 128, 9_999];
    put.iter().for_each(|place| places.put(*place));
    for place in 0..20_000 {
        assert_eq!(places.has(place), put.contains(&place), "{place}");
    }
    assert!(!places.has(usize::MAX));
    assert!(places.0.len() * 8 <= 1_256, "ten thousand definitions take as many bits");
}

#[test]
fn every_list_is_that_of_its_method() {
    for (method, key) in
        [("tools/list", "tools"), ("prompts/list", "prompts"), ("resources/templates/list", "resourceTemplates")]
    {
        assert_eq!(List::of(method).map(List::key), Some(key));
    }
    assert_eq!(List::of("resources/list"), None, "which is its server's");
}
