use super::*;

fn caller(name: &str) -> SessionKey {
    SessionKey { agent: name.parse().unwrap(), user: None, thread: None }
}

/// Everybody whose turn it is now, in order.
fn called(line: &mut Line<u32>) -> Vec<u32> {
    std::iter::from_fn(|| line.call()).map(|(_, call)| call).collect()
}

#[test]
fn places_are_taken_while_there_are_any() {
    let (mut line, ana, bob) = (Line::<u32>::new(2), caller("ana"), caller("bob"));
    assert!(line.take(&ana));
    assert!(line.take(&bob));
    assert!(!line.take(&ana));
    line.wait(&ana, 1).unwrap();
    assert_eq!(called(&mut line), Vec::<u32>::new());
    line.give_back(&bob);
    assert_eq!(called(&mut line), [1]);
    assert_eq!((line.taken(), line.waits()), (2, 0));
}

#[test]
fn callers_take_turns_and_each_ones_calls_keep_their_order() {
    let (mut line, ana, bob, eve) = (Line::new(1), caller("ana"), caller("bob"), caller("eve"));
    assert!(line.take(&eve));
    for call in 1..=3 {
        line.wait(&ana, call).unwrap();
    }
    line.wait(&bob, 10).unwrap();
    line.wait(&eve, 20).unwrap();
    line.wait(&bob, 11).unwrap();
    let mut order = Vec::new();
    let mut last = eve;
    while line.waits() > 0 {
        line.give_back(&last);
        let (caller, call) = line.call().unwrap();
        order.push(call);
        last = caller;
    }
    assert_eq!(order, [1, 10, 20, 2, 11, 3]);
}

#[test]
fn one_caller_never_has_the_last_quarter_so_that_another_finds_a_place_at_once() {
    let (mut line, ana, bob) = (Line::new(8), caller("ana"), caller("bob"));
    let had = (0..8).filter(|_| line.take(&ana)).count();
    assert_eq!(had, 6);
    line.wait(&ana, 1).unwrap();
    assert_eq!(called(&mut line), Vec::<u32>::new(), "nobody else waits, and two places are kept all the same");
    assert!(line.take(&bob));
    assert!(line.take(&bob));
    assert!(!line.take(&bob), "now there are none");
}

#[test]
fn who_has_half_the_places_gets_no_more_while_somebody_else_waits() {
    let (mut line, ana, bob) = (Line::new(4), caller("ana"), caller("bob"));
    assert_eq!((0..4).filter(|_| line.take(&ana)).count(), 3);
    assert!(line.take(&bob));
    line.wait(&ana, 1).unwrap();
    line.wait(&bob, 10).unwrap();
    line.wait(&bob, 11).unwrap();
    line.give_back(&ana);
    assert_eq!(called(&mut line), [10], "before the one that came first: it has two of four");
    line.give_back(&ana);
    assert_eq!(called(&mut line), [1], "the other has its half by now, and it has less");
    line.give_back(&bob);
    assert_eq!(called(&mut line), [11]);
}

#[test]
fn a_single_place_is_everybodys() {
    let (mut line, ana) = (Line::new(1), caller("ana"));
    assert!(line.take(&ana));
    line.wait(&ana, 1).unwrap();
    line.give_back(&ana);
    assert_eq!(called(&mut line), [1]);
    assert_eq!(Line::<u32>::new(0).places(), 1, "a server with no place could never be called");
}

#[test]
fn the_line_is_bounded_for_one_caller_and_in_all() {
    let mut line = Line::new(1);
    assert!(line.take(&caller("first")));
    let ana = caller("ana");
    let own = (0..2_000).take_while(|call| line.wait(&ana, *call).is_ok()).count();
    assert_eq!(own, limits::SERVER_WAITING_PER_CALLER_MAX);
    let others = (0..2_000).take_while(|place| line.wait(&caller(&format!("caller-{place}")), 0).is_ok()).count();
    assert_eq!(own + others, limits::SERVER_WAITING_MAX);
}

#[test]
fn who_leaves_is_not_called_and_makes_room() {
    let (mut line, ana, bob) = (Line::new(1), caller("ana"), caller("bob"));
    assert!(line.take(&ana));
    let one = line.wait(&ana, 1).unwrap();
    let two = line.wait(&ana, 2).unwrap();
    line.wait(&bob, 10).unwrap();
    line.leave(&ana, one);
    line.leave(&ana, one);
    line.leave(&ana, two);
    assert_eq!(line.waits(), 1);
    line.give_back(&ana);
    assert_eq!(called(&mut line), [10]);
    line.leave(&bob, 3);
    assert_eq!(line.waits(), 0);
}

#[test]
fn more_places_are_there_at_once_and_fewer_as_they_are_given_back() {
    let (mut line, ana, bob) = (Line::new(2), caller("ana"), caller("bob"));
    assert!(line.take(&ana));
    assert!(line.take(&bob));
    line.wait(&ana, 1).unwrap();
    line.set_places(4);
    assert_eq!(called(&mut line), [1]);
    line.set_places(1);
    line.wait(&bob, 10).unwrap();
    for who in [&ana, &ana] {
        line.give_back(who);
        assert_eq!(called(&mut line), Vec::<u32>::new());
    }
    line.give_back(&bob);
    assert_eq!(called(&mut line), [10]);
}

/// Whatever happens in whatever order, places are never given twice or lost, and nobody is forgotten.
#[test]
fn places_are_neither_lost_nor_given_twice() {
    let callers: Vec<_> = (0..5).map(|number| caller(&format!("caller-{number}"))).collect();
    let mut line = Line::new(7);
    let (mut holding, mut standing) = (Vec::new(), Vec::new());
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        usize::try_from(chance % 1_000_003).unwrap() % below
    };
    for step in 0..20_000_u32 {
        let who = &callers[next(callers.len())];
        match next(4) {
            0 | 1 if line.take(who) => holding.push(who.clone()),
            0 | 1 => standing.extend(line.wait(who, step).ok().map(|ticket| (who.clone(), ticket, step))),
            2 if !holding.is_empty() => {
                let given = holding.swap_remove(next(holding.len()));
                line.give_back(&given);
            }
            _ if !standing.is_empty() => {
                let (who, ticket, _) = standing.swap_remove(next(standing.len()));
                line.leave(&who, ticket);
            }
            _ => {}
        }
        while let Some((who, call)) = line.call() {
            let place = standing.iter().position(|(other, _, theirs)| *other == who && *theirs == call);
            standing.swap_remove(place.expect("who is called stood in line"));
            holding.push(who);
        }
        assert_eq!((line.taken(), line.waits()), (holding.len(), standing.len()));
        assert!(line.taken() <= 7);
        let stuck = line.taken() == 0 && line.waits() > 0;
        assert!(!stuck, "somebody waits and every place is free");
    }
}
