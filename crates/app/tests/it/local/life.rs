//! When a process starts, who shares it, and what ends it.

use drill::hostile::local::Mode;

use super::{Ground, Yard, all_end, lives, parent, report, report_of};
use crate::client::eventually;
use crate::gate::files::{BOB, RECONCILER};
use crate::session::Line;
use crate::verdict::{ENDPOINT_NOT_FOUND, TOOL_HALTED, passes};

#[tokio::test]
async fn only_a_look_that_an_approver_asks_for_starts_a_program_that_nobody_approved() {
    let yard = Yard::unapproved(Ground::default()).await;
    let gate = &yard.gate;
    // Applied, applied again, shown, refused to those who may not: none of it runs anything.
    gate.apply().await;
    assert!(gate.must(&["server", "show", "reports"]).await.contains("sample-server"));
    for role in ["viewer", "auditor", "reviewer", "responder"] {
        let said = gate.cli_with(&format!("tokens/{role}"), &["server", "check", "reports"]).await;
        assert!(!said.ok, "{role}: {}", said.out);
        let said = gate.cli_with(&format!("tokens/{role}"), &["server", "approve", "reports", "--yes"]).await;
        assert!(!said.ok, "{role}: {}", said.out);
    }
    gate.refuses(&report(&yard.client()).await, ENDPOINT_NOT_FOUND).await;
    assert!(yard.local.starts().is_empty(), "nothing was started");

    let said = gate.cli_with("tokens/approver", &["server", "check", "reports"]).await;
    assert!(said.ok && said.out.contains(super::TOOL), "{}{}", said.out, said.err);
    assert_eq!(yard.local.starts().len(), 1);
    all_end(&yard.local.starts()).await;

    // Approving what was read starts nothing that stays, and neither does what follows from it.
    let said = gate.cli_with("tokens/approver", &["server", "approve", "reports", "--yes"]).await;
    assert!(said.ok, "{}{}", said.out, said.err);
    let looked = yard.local.starts();
    all_end(&looked).await;
    let listed = yard.client().list("tools/list").await.unwrap();
    assert_eq!(listed.names("tools"), [super::TOOL]);
    yard.session().await;
    assert_eq!(yard.local.starts(), looked, "listings and sessions are answered from pins");

    passes(&report(&yard.client()).await);
    assert_eq!(yard.local.starts().len(), looked.len() + 1, "the first call starts it");
    assert!(lives(yard.newest()));
}

#[tokio::test]
async fn each_endpoint_has_a_process_of_its_own_which_its_callers_share_in_every_revision() {
    let yard = Yard::start().await;
    let looked = yard.local.starts().len();
    yard.misbehave(Mode::Remembers);
    let told = |reply: &drill::mcp::Reply| {
        passes(reply);
        reply.text()
    };
    assert_eq!(told(&report_of(&yard.client(), "ana").await), "ana");
    assert_eq!(told(&report_of(&yard.client(), "ana-again").await), "ana ana-again");
    assert_eq!(told(&report_of(&yard.gate.client_at("yard", BOB), "bob").await), "ana ana-again bob");
    assert_eq!(told(&report_of(&yard.gate.client_at("yard", RECONCILER), "one").await), "ana ana-again bob one");
    assert_eq!(yard.local.starts().len(), looked + 1);

    assert_eq!(told(&report_of(&yard.client_at("annex"), "annex").await), "annex");
    let session = yard.session().await;
    assert_eq!(told(&session.call(super::TOOL, super::asking_for("session")).await), "ana ana-again bob one session");
    let other = Line::new(&yard.gate, "yard", BOB).begin(super::capabilities()).await;
    assert_eq!(told(&other.call(super::TOOL, super::asking_for("bob")).await), "ana ana-again bob one session bob");

    let mut processes = yard.local.starts().split_off(looked);
    assert!(processes.iter().all(|process| lives(*process)));
    let mut supervisors: Vec<u32> = processes.iter().map(|process| parent(*process)).collect();
    supervisors.sort_unstable();
    supervisors.dedup();
    processes.dedup();
    assert_eq!((processes.len(), supervisors.len()), (2, 2));
}

#[tokio::test]
async fn a_process_stays_while_other_things_change_and_ends_when_its_command_does() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    let zone = "name = \"there\"\naddresses = [\"127.0.0.2/32\"]\npurpose = \"Elsewhere\"\n";
    yard.put("zones/there.toml", zone).await;
    yard.gate.must(&["server", "approve", "desk", "--yes"]).await;
    yard.gate.must(&["server", "suspend", "desk", "--reason", "not this one"]).await;
    passes(&report(&yard.client()).await);
    assert_eq!((yard.newest(), lives(process)), (process, true));

    // Another command is another server, whatever it is called: people decide anew.
    yard.command("[command.environment]\nMODE = \"new\"\n").await;
    all_end(&[process]).await;
    yard.gate.refuses(&report(&yard.client()).await, ENDPOINT_NOT_FOUND).await;
    assert_eq!(yard.newest(), process, "nothing was started");
    yard.approve().await;
    let process = yard.running().await;

    // The endpoint goes, and its process with it; the other endpoint's stays.
    passes(&report(&yard.client_at("annex")).await);
    let annex = yard.newest();
    yard.put("endpoints/yard.toml", &crate::gate::files::endpoint("yard", "desk")).await;
    all_end(&[process]).await;
    assert!(lives(annex));
}

#[tokio::test]
async fn suspending_a_server_ends_its_processes_and_halting_it_refuses_its_calls() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    yard.gate.must(&["halt", "server", "reports", "--reason", "it behaves oddly"]).await;
    let calls = yard.local.calls();
    let reply = report(&yard.client()).await;
    let event = yard.gate.refuses(&reply, TOOL_HALTED).await;
    assert!(event["detail"].as_str().unwrap().contains("it behaves oddly"), "{event:#}");
    yard.gate.must(&["resume", "server", "reports"]).await;
    passes(&report(&yard.client()).await);
    assert_eq!((yard.newest(), yard.local.calls()), (process, calls + 1), "the halt ended nothing");

    yard.gate.must(&["server", "suspend", "reports", "--reason", "enough"]).await;
    all_end(&[process]).await;
    yard.gate.refuses(&report(&yard.client()).await, ENDPOINT_NOT_FOUND).await;
    yard.gate.must(&["server", "resume", "reports"]).await;
    passes(&report(&yard.client()).await);
    assert_ne!(yard.newest(), process);
}

#[tokio::test]
async fn a_gate_that_ends_leaves_nobody_behind_and_is_not_kept_waiting() {
    let yard = Yard::start().await;
    yard.running().await;
    passes(&report(&yard.client_at("annex")).await);
    // One that would rather stay.
    yard.misbehave(Mode::Stays);
    passes(&report(&yard.client()).await);
    yard.misbehave(Mode::LeavesAChild);
    passes(&report(&yard.client()).await);
    yard.misbehave(Mode::Stays);
    let mut all = yard.local.starts();
    let supervisors: Vec<u32> = all.iter().filter(|process| lives(**process)).map(|process| parent(*process)).collect();
    assert_eq!((supervisors.len(), yard.local.children().len()), (2, 1));
    all.extend(yard.local.children());
    all.extend(supervisors);
    yard.gate.end().await;
    all_end(&all).await;

    // The next gate starts them as they are needed.
    yard.misbehave(Mode::Honest);
    yard.gate.again().await;
    let starts = yard.local.starts().len();
    passes(&report(&yard.client()).await);
    eventually("it runs again", || yard.local.starts().len() == starts + 1).await;
}
