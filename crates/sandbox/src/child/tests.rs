use super::*;

fn told(end: End, cause: Cause) -> String {
    Exit { end, cause, all_gone: true }.to_string()
}

#[test]
fn an_end_is_told_in_words() {
    assert_eq!(told(End::Status(3), Cause::Itself), "it ended with status 3");
    assert_eq!(told(End::Signal(9), Cause::Asked), "it was stopped by the gate, and was ended by signal 9 (SIGKILL)");
    assert_eq!(told(End::Signal(63), Cause::Itself), "it was ended by signal 63");
    assert_eq!(
        told(End::Signal(9), Cause::Memory { used_bytes: 300 << 20 }),
        "it was killed: 300 MiB of memory in use are more than it is allowed"
    );
    assert_eq!(
        told(End::Signal(9), Cause::Processes { count: 65 }),
        "it was killed: 65 processes and threads are more than it is allowed"
    );
    assert!(Exit::LOST.to_string().ends_with("; some process of it may be left"));
}
