use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use model::{Agent, AgentKind, Assurance, Expected, GroupName};

use super::*;

fn halt(scope: Scope) -> Halt {
    Halt { scope, reason: None, by: Actor::Person("ops".into()), at: Timestamp(1) }
}

fn change() -> Change {
    Change { actor: Actor::Person("ops".into()), expected: Expected::Any, at: Timestamp(1), reason: None }
}

fn caller() -> Caller {
    let agent = Agent { id: "assistant".parse().unwrap(), kind: AgentKind::Delegated };
    let groups: Vec<GroupName> = Vec::new();
    Caller::new(agent, Some("ada".parse().unwrap()), groups, Assurance::Development).unwrap()
}

fn tool(server: &str, name: &str) -> Object {
    Object::Tool { server: server.parse().unwrap(), name: name.parse().unwrap() }
}

fn sales() -> EndpointName {
    "sales".parse().unwrap()
}

/// A store that keeps halts in memory and can be told to fail.
#[derive(Default)]
struct Kept {
    halts: std::sync::Mutex<Vec<Halt>>,
    broken: AtomicBool,
    stuck: AtomicBool,
}

#[async_trait]
impl port::Halts for Kept {
    async fn halts(&self) -> Result<Vec<Halt>, StoreError> {
        Ok(self.halts.lock().unwrap().clone())
    }

    async fn halt(&self, scope: Scope, change: Change) -> Result<Halt, StoreError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::Storage { doing: "halt", source: "disk full".into() });
        }
        if self.stuck.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let halt = Halt { scope, reason: change.reason, by: change.actor, at: change.at };
        self.halts.lock().unwrap().push(halt.clone());
        Ok(halt)
    }

    async fn resume(&self, scope: &Scope, _: Change) -> Result<bool, StoreError> {
        let mut halts = self.halts.lock().unwrap();
        let before = halts.len();
        halts.retain(|halt| halt.scope != *scope);
        Ok(halts.len() < before)
    }
}

#[test]
fn each_scope_stops_what_it_names_and_nothing_else() {
    let stops = |scope: Scope| {
        let set: HaltSet = [halt(scope)].into_iter().collect();
        let object = |object: &Object| set.stops_object(object).is_some();
        (
            set.stops(&caller(), &sales()).is_some(),
            set.stops(&caller(), &"other".parse().unwrap()).is_some(),
            object(&tool("crm", "read")),
            object(&tool("crm", "write")),
            object(&tool("erp", "read")),
        )
    };
    let server = || "crm".parse().unwrap();
    assert_eq!(stops(Scope::Everything), (true, true, true, true, true));
    assert_eq!(stops(Scope::User("ada".parse().unwrap())), (true, true, false, false, false));
    assert_eq!(stops(Scope::User("bob".parse().unwrap())), (false, false, false, false, false));
    assert_eq!(stops(Scope::Agent("assistant".parse().unwrap())), (true, true, false, false, false));
    assert_eq!(stops(Scope::Endpoint(sales())), (true, false, false, false, false));
    assert_eq!(stops(Scope::Server(server())), (false, false, true, true, false));
    let tool = Scope::Tool { server: server(), tool: "read".parse().unwrap() };
    assert_eq!(stops(tool), (false, false, true, false, false));
}

#[test]
fn a_halted_server_stops_its_prompts_resources_and_itself() {
    let set: HaltSet = [halt(Scope::Server("crm".parse().unwrap()))].into_iter().collect();
    let server: ServerName = "crm".parse().unwrap();
    assert!(set.stops_object(&Object::Server { server: server.clone() }).is_some());
    assert!(set.stops_object(&Object::Resource { server, uri: "crm://1".into() }).is_some());
}

#[tokio::test]
async fn a_stop_is_durable_and_in_force_when_it_returns_and_a_resume_ends_both() {
    let (store, halts) = (Kept::default(), Halts::new(Vec::new()));
    let mut told = halts.subscribe();
    stop(&store, &halts, Scope::Endpoint(sales()), change()).await.unwrap();
    assert_eq!(port::Halts::halts(&store).await.unwrap().len(), 1);
    assert!(halts.current().stops(&caller(), &sales()).is_some());
    assert!(told.has_changed().unwrap());
    assert!(told.borrow_and_update().stops(&caller(), &sales()).is_some());

    assert!(resume(&store, &halts, &Scope::Endpoint(sales()), change()).await.unwrap());
    assert!(halts.current().stops(&caller(), &sales()).is_none());
    assert!(!resume(&store, &halts, &Scope::Endpoint(sales()), change()).await.unwrap());
}

#[tokio::test]
async fn a_stop_that_cannot_be_made_durable_fails_and_is_not_half_in_force() {
    let (store, halts) = (Kept::default(), Halts::new(Vec::new()));
    store.broken.store(true, Ordering::SeqCst);
    assert!(stop(&store, &halts, Scope::Everything, change()).await.is_err());
    assert!(halts.current().all().is_empty());
}

#[tokio::test]
async fn a_stop_whose_caller_goes_away_while_the_store_writes_is_in_force() {
    let (store, halts) = (Kept::default(), Halts::new(Vec::new()));
    store.stuck.store(true, Ordering::SeqCst);
    let stop = stop(&store, &halts, Scope::Endpoint(sales()), change());
    assert!(tokio::time::timeout(Duration::from_millis(20), stop).await.is_err());
    assert!(halts.current().stops(&caller(), &sales()).is_some());
}

#[tokio::test]
async fn stops_at_once_all_stay_in_force() {
    let (store, halts) = (Arc::new(Kept::default()), Arc::new(Halts::new(Vec::new())));
    let stops: Vec<_> = (0..32)
        .map(|number| {
            let (store, halts) = (Arc::clone(&store), Arc::clone(&halts));
            let scope = Scope::User(format!("user-{number}").parse().unwrap());
            tokio::spawn(async move { stop(store.as_ref(), &halts, scope, change()).await.map(drop) })
        })
        .collect();
    for stop in stops {
        stop.await.unwrap().unwrap();
    }
    assert_eq!(halts.current().all().len(), 32);
}

#[test]
fn asking_an_empty_set_takes_far_less_than_a_microsecond() {
    let halts = Halts::new(Vec::new());
    let (caller, endpoint, object) = (caller(), sales(), tool("crm", "read"));
    let rounds = 100_000;
    let began = Instant::now();
    for _ in 0..rounds {
        let set = halts.current();
        assert!(std::hint::black_box(&set).stops(&caller, &endpoint).is_none());
        assert!(set.stops_object(&object).is_none());
    }
    // Without optimisation it is near 0.3 µs; the bound only catches a change of kind.
    assert!(began.elapsed() / rounds < Duration::from_micros(20));
}
