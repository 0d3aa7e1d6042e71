use super::*;

#[test]
fn the_lists_run_from_the_newest_to_the_oldest() {
    assert!(Revision::SUPPORTED.is_sorted_by(|newer, older| newer > older));
    let legacy: Vec<_> = Revision::SUPPORTED.iter().copied().filter(|revision| revision.has_sessions()).collect();
    assert_eq!(legacy, Revision::LEGACY);
    assert_eq!(Revision::LEGACY.first(), Some(&Revision::NEWEST_LEGACY));
}

#[test]
fn a_revision_is_known_by_its_name() {
    for revision in Revision::SUPPORTED {
        assert_eq!(Revision::parse(revision.as_str()), Some(*revision));
    }
    for name in ["", "2099-01-01", "2025-11-25 ", "2025-11-25, 2026-07-28"] {
        assert_eq!(Revision::parse(name), None, "{name}");
    }
}

#[test]
fn each_revision_has_what_its_specification_says() {
    let has = |one: fn(Revision) -> bool| -> Vec<&str> {
        Revision::SUPPORTED.iter().filter(|revision| one(**revision)).map(|revision| revision.as_str()).collect()
    };
    assert_eq!(has(Revision::has_sessions), ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]);
    assert_eq!(has(Revision::batches), ["2025-03-26"]);
    assert_eq!(has(Revision::has_version_header), ["2026-07-28", "2025-11-25", "2025-06-18"]);
    assert_eq!(has(Revision::elicits), ["2026-07-28", "2025-11-25", "2025-06-18"]);
    assert_eq!(has(Revision::elicits_by_url), ["2026-07-28", "2025-11-25"]);
}
