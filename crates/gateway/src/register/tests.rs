use std::collections::HashSet;

use super::*;

#[test]
fn a_method_stands_once_per_direction() {
    let mut seen = HashSet::new();
    for row in METHODS {
        assert!(seen.insert((row.method, row.direction)), "{} stands twice", row.method);
    }
}

#[test]
fn controls_are_met_in_the_one_order() {
    for row in METHODS {
        assert!(row.controls().is_sorted(), "{} meets its controls out of order", row.method);
    }
}

#[test]
fn whatever_comes_from_an_agent_is_accepted_authenticated_and_stopped_by_halts() {
    for row in METHODS.iter().filter(|row| row.direction == Direction::ToServer) {
        for control in [Control::Accept, Control::Authenticate, Control::Read, Control::Connect, Control::Halted] {
            assert!(row.controls().contains(&control), "{} skips {}", row.method, control.as_str());
        }
    }
}

#[test]
fn a_method_in_the_other_direction_is_unknown() {
    assert!(find("elicitation/create", Direction::ToServer, Revision::V2026_07_28).is_none());
    assert!(find("tools/call", Direction::ToAgent, Revision::V2026_07_28).is_none());
    assert!(find("tools/Call", Direction::ToServer, Revision::V2026_07_28).is_none());
    assert!(find("tools/call", Direction::ToServer, Revision::V2026_07_28).is_some());
}
