use super::*;

#[test]
fn times_are_read_behind_a_name_with_brackets() {
    let stat = "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 4 0 1000 1000000 500";
    assert_eq!(cpu(stat).unwrap(), Duration::from_secs(2));
}

#[test]
fn a_state_without_times_is_an_error() {
    assert!(cpu("42 (a) S 1 42").is_err());
}

#[test]
fn resident_memory_is_told_in_bytes() {
    assert_eq!(memory("Name:\ta\nVmRSS:\t    2048 kB\nThreads:\t4\n", "VmRSS:").unwrap(), 2 * 1024 * 1024);
}

#[test]
fn this_process_has_used_something() {
    let usage = usage(std::process::id()).unwrap();
    assert!(usage.own_bytes > 0 && usage.resident_bytes > usage.own_bytes);
}
