use audit::port::Outbox;
use model::{Actor, Change, Scope, Timestamp};
use watch::port::Halts;

use super::Backend;
use super::samples::{because, change, revision};

fn sales() -> Scope {
    Scope::Endpoint("sales".parse().unwrap())
}

fn delete_tool() -> Scope {
    Scope::Tool { server: "crm".parse().unwrap(), tool: "delete \"all\"".parse().unwrap() }
}

pub(crate) async fn a_halt_is_there_after_opening_again<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let halt = store.halt(delete_tool(), because("it deletes")).await.unwrap();
    store.halt(Scope::Everything, change()).await.unwrap();
    let halts = backend.open().await.halts().await.unwrap();
    assert_eq!(halts.len(), 2);
    assert!(halts.contains(&halt));
    assert_eq!((halt.scope, halt.reason.as_deref()), (delete_tool(), Some("it deletes")));
    assert_eq!((halt.by, halt.at), (Actor::Person("ada".into()), Timestamp(1_000)));
}

pub(crate) async fn a_scope_is_halted_once_and_the_first_halt_stays<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let first = store.halt(sales(), because("first")).await.unwrap();
    let again = Change { actor: Actor::Person("bob".into()), at: Timestamp(9_000), ..because("second") };
    assert_eq!(store.halt(sales(), again).await.unwrap(), first);
    assert_eq!(store.halts().await.unwrap(), [first]);
    assert_eq!(store.pending(10).await.unwrap().len(), 2, "both are told");
}

pub(crate) async fn a_resume_ends_a_halt_and_only_that<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.halt(sales(), change()).await.unwrap();
    store.halt(delete_tool(), change()).await.unwrap();
    assert!(store.resume_halt(&sales()).await);
    assert!(!store.resume_halt(&sales()).await);
    let left: Vec<_> = store.halts().await.unwrap().into_iter().map(|halt| halt.scope).collect();
    assert_eq!(left, [delete_tool()]);
}

pub(crate) async fn halts_change_no_revision<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.halt(sales(), change()).await.unwrap();
    store.resume_halt(&sales()).await;
    assert_eq!(revision(&store).await, 0);
}

/// Two ports have a `resume`; this one is of halts.
trait ResumeHalt: Halts {
    async fn resume_halt(&self, scope: &Scope) -> bool {
        Halts::resume(self, scope, change()).await.unwrap()
    }
}

impl<S: Halts> ResumeHalt for S {}
