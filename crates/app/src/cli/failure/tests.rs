use anyhow::Context as _;
use model::StoreError;

use super::Failure;

fn failed<T: std::fmt::Debug>(result: anyhow::Result<T>) -> Failure {
    Failure::of(result.unwrap_err().as_ref())
}

#[test]
fn each_cause_is_told_once() {
    let cause = std::io::Error::other("the cable is cut");
    let says_it_itself = anyhow::Error::new(cause).context("it was to read: the cable is cut");
    let failure = failed::<()>(Err(says_it_itself.context("it cannot start")));
    assert_eq!(failure, Failure::new("it cannot start: it was to read: the cable is cut"));
}

#[test]
fn what_to_do_next_is_not_lost_in_a_context() {
    let refused = Failure::usage("there is no such server").with_next("portcullis server list");
    let failure = failed(Err::<(), _>(refused).context("the stage cannot be set"));
    let told = Failure::usage("the stage cannot be set: there is no such server").with_next("portcullis server list");
    assert_eq!(failure, told);
}

#[test]
fn a_full_disk_says_to_make_room() {
    let failure = failed(Err::<(), _>(StoreError::Full { doing: "commit" }).context("the gate cannot start"));
    assert!(failure.shown().contains("no room to commit"), "{}", failure.shown());
    assert!(failure.shown().contains("next:"), "{}", failure.shown());
}
