use std::sync::Arc;

use super::super::tests::Memory;
use super::*;
use crate::vault::{KeyRing, Vault};

fn keeper(memory: &Arc<Memory>) -> Keeper {
    let ring = KeyRing::new(&Secret::new("a".repeat(64)), &[]).unwrap();
    Keeper::new(Vault::new(Arc::new(ring)), Arc::clone(memory) as _)
}

fn crm() -> ServerName {
    "crm".parse().unwrap()
}

fn names(scopes: &[&str]) -> Vec<String> {
    scopes.iter().map(|scope| (*scope).to_owned()).collect()
}

#[tokio::test]
async fn a_scope_is_used_when_a_call_that_needed_it_goes_through() {
    let (scopes, keeper) = (Scopes::default(), keeper(&Arc::default()));
    scopes.granted(&crm(), &names(&["read", "admin"]), Timestamp(1));
    scopes.went(&crm(), "find", Timestamp(2));
    scopes.asked(&crm(), Some("refund"), &names(&["write"]), Timestamp(3));
    scopes.asked(&crm(), None, &names(&["read"]), Timestamp(3));
    scopes.granted(&crm(), &names(&["read", "write"]), Timestamp(4));
    scopes.went(&crm(), "find", Timestamp(5));
    scopes.went(&crm(), "refund", Timestamp(6));
    let told = scopes.of(&crm(), &keeper).await.unwrap();
    let at = |time: u64| Some(Timestamp(time));
    let one = |scope: &str, granted, asked, used| ScopeUse { scope: scope.to_owned(), granted, asked, used };
    assert_eq!(
        told,
        [one("admin", at(1), None, None), one("read", at(4), at(3), None), one("write", at(4), at(3), at(6)),]
    );
}

#[tokio::test]
async fn what_is_known_outlives_a_restart_and_nothing_of_before_is_written_over() {
    let memory = Arc::new(Memory::default());
    let keeper = keeper(&memory);
    let before = Scopes::default();
    before.granted(&crm(), &names(&["read"]), Timestamp(1));
    before.asked(&crm(), Some("refund"), &names(&["write"]), Timestamp(2));
    before.write(&keeper, Timestamp(3)).await.unwrap();
    let after = Scopes::default();
    after.granted(&crm(), &names(&["write"]), Timestamp(4));
    after.write(&keeper, Timestamp(5)).await.unwrap();
    after.went(&crm(), "refund", Timestamp(6));
    let told = after.of(&crm(), &keeper).await.unwrap();
    assert_eq!(told.len(), 2);
    assert_eq!(
        (told[0].granted, told[1].asked, told[1].used),
        (Some(Timestamp(1)), Some(Timestamp(2)), Some(Timestamp(6)))
    );
}

#[tokio::test]
async fn a_server_that_names_scopes_without_end_fills_nothing() {
    let (scopes, keeper) = (Scopes::default(), keeper(&Arc::default()));
    for number in 0..limits::SCOPES_KNOWN_MAX + 10 {
        scopes.asked(&crm(), Some(&number.to_string()), &names(&[&number.to_string()]), Timestamp(1));
    }
    assert_eq!(scopes.of(&crm(), &keeper).await.unwrap().len(), limits::SCOPES_KNOWN_MAX);
    scopes.keep(|_| false);
    assert!(scopes.of(&crm(), &keeper).await.unwrap().is_empty());
}
