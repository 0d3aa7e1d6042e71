use super::*;

fn numbered(number: i32, parent: i32) -> Member {
    let (pid, parent) = (Pid::from_raw(number).unwrap(), Pid::from_raw(parent));
    Member { pid, parent, group: Some(pid), session: Some(pid), tasks: 1, resident_pages: 0 }
}

#[test]
fn a_name_that_looks_like_fields_deceives_nobody() {
    let pid = Pid::from_raw(77).unwrap();
    let line =
        b"77 (a) S 1 1 1 (\xff) S 42 43 44 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 5 0 999 1000 321 18446744073709551615";
    let (parent, group, session) = (Pid::from_raw(42), Pid::from_raw(43), Pid::from_raw(44));
    let expected = Member { pid, parent, group, session, tasks: 5, resident_pages: 321 };
    assert_eq!(parse(pid, line), Some(expected));
}

#[test]
fn a_process_that_is_being_taken_away_has_no_session() {
    let pid = Pid::from_raw(77).unwrap();
    for (group, session) in [("-1", "-1"), ("0", "0")] {
        let line = format!("77 (sh) X 0 {group} {session} 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 5 0 999 1000 321");
        let member = parse(pid, line.as_bytes()).unwrap();
        assert_eq!((member.group, member.session), (None, None));
    }
}

#[test]
fn a_session_can_be_asked_for_while_its_process_ends() {
    for _ in 0..300 {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let reaper = std::thread::spawn(move || child.wait());
        while member(pid).is_some() {
            session(pid);
        }
        assert_eq!(session(pid), None);
        reaper.join().unwrap().unwrap();
    }
}

#[test]
fn a_line_cut_anywhere_is_no_process() {
    let pid = Pid::from_raw(1).unwrap();
    let line = b"1 (init) S 0 1 1 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 5 0 999 1000 321";
    assert!(parse(pid, line).is_some());
    for length in 0..line.len() - 4 {
        assert_eq!(parse(pid, &line[..length]), None);
    }
}

#[test]
fn only_descendants_are_found_among_all_processes() {
    let all = vec![numbered(9, 5), numbered(5, 3), numbered(4, 3), numbered(3, 2), numbered(8, 2), numbered(2, 1)];
    let mut found: Vec<i32> =
        descendants(Pid::from_raw(3).unwrap(), all, 10).iter().map(|member| member.pid.as_raw_pid()).collect();
    found.sort_unstable();
    assert_eq!(found, [4, 5, 9]);
}

#[test]
fn both_ways_find_a_child_and_its_child() {
    let mut child = std::process::Command::new("/bin/sh")
        .args(["-c", "sleep 60 & echo up; wait"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 3]).unwrap();
    let own = rustix::process::getpid();
    let parent = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let below = |lists_children| {
        let tree = Tree { own: parent, page_bytes: 4096, lists_children };
        tree.members(10)
    };
    let (listed, scanned) = (below(true), below(false));
    assert_eq!(listed.iter().map(|member| member.parent).collect::<Vec<_>>(), [Some(parent)]);
    assert_eq!(scanned[0].pid, listed[0].pid);
    assert!(children(own).contains(&parent));
    rustix::process::kill_process(listed[0].pid, Signal::KILL).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}
