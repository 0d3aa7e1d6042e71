use model::{Agent, AgentKind, Assurance, Authentication, Caller};

use super::{Agents, Registration};

fn registered(id: &str, endpoints: &[&str], assurance: Assurance, clients: &[(&str, &str)]) -> Registration {
    Registration {
        certificate: None,
        agent: Agent { id: id.parse().unwrap(), kind: AgentKind::Delegated },
        endpoints: endpoints.iter().map(|name| name.parse().unwrap()).collect(),
        assurance,
        clients: clients.iter().map(|(issuer, client)| ((*issuer).to_owned(), (*client).to_owned())).collect(),
    }
}

fn caller(id: &str, assurance: Assurance, actors: &[&str]) -> Caller {
    let agent = |id: &str| Agent { id: id.parse().unwrap(), kind: AgentKind::Delegated };
    let authentication =
        Authentication { actors: actors.iter().map(|id| agent(id)).collect(), ..Authentication::default() };
    Caller::new(agent(id), Some("ada".parse().unwrap()), Vec::new(), assurance).unwrap().with(authentication)
}

#[test]
fn a_client_is_one_agent_at_one_issuer() {
    let desk =
        registered("desk", &["desk"], Assurance::Public, &[("https://a.example", "c1"), ("https://b.example", "c1")]);
    let agents = Agents::new([desk.clone()]).unwrap();
    assert!(agents.find("https://a.example", "c1").is_some());
    assert!(agents.find("https://a.example", "c2").is_none());
    assert!(agents.find("https://c.example", "c1").is_none());
    let other = registered("other", &[], Assurance::Public, &[("https://b.example", "c1")]);
    assert!(Agents::new([desk, other]).is_err());
}

#[test]
fn an_agent_is_admitted_where_it_is_registered() {
    let desk = registered("desk", &["desk"], Assurance::KeyBound, &[]);
    let agents = Agents::new([desk]).unwrap();
    let (here, elsewhere) = ("desk".parse().unwrap(), "bank".parse().unwrap());
    assert!(agents.admits(&caller("desk", Assurance::KeyBound, &[]), &here));
    assert!(agents.admits(&caller("desk", Assurance::MutualTls, &[]), &here));
    assert_eq!(agents.demanded(&caller("desk", Assurance::Public, &[])), Assurance::KeyBound);
    assert_eq!(agents.demanded(&caller("desk", Assurance::Development, &[])), Assurance::Development);
    assert!(!agents.admits(&caller("desk", Assurance::KeyBound, &[]), &elsewhere));
    assert!(!agents.admits(&caller("other", Assurance::KeyBound, &[]), &here));
    assert!(agents.admits(&caller("other", Assurance::Development, &[]), &elsewhere));
}

#[test]
fn every_agent_of_a_chain_is_registered_for_the_endpoint() {
    let agents = Agents::new([
        registered("desk", &["desk"], Assurance::Public, &[]),
        registered("helper", &["desk"], Assurance::Public, &[]),
        registered("banker", &["bank"], Assurance::Public, &[]),
    ]);
    let (agents, here) = (agents.unwrap(), "desk".parse().unwrap());
    assert!(agents.admits(&caller("desk", Assurance::Public, &["helper"]), &here));
    assert!(!agents.admits(&caller("desk", Assurance::Public, &["helper", "banker"]), &here));
    assert!(!agents.admits(&caller("desk", Assurance::Public, &["nobody"]), &here));
}
