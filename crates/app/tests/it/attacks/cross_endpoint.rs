//! A local server that is used at two endpoints and carries over what it heard at one to the other. It cannot: each has a
//! process and a directory of its own.

use drill::hostile::local::Mode;
use serde_json::Value;

use crate::local::{TOOL, Yard, asking_for, report, report_of};
use crate::session::Line;
use crate::verdict::passes;

#[tokio::test]
async fn what_one_endpoint_told_a_server_is_not_known_at_another() {
    let yard = Yard::start().await;
    yard.misbehave(Mode::Remembers);
    passes(&report_of(&yard.client(), "salaries").await);
    let session = yard.session().await;
    passes(&session.call(TOOL, asking_for("bonuses")).await);
    for report in ["one", "two"] {
        let reply = report_of(&yard.client_at("annex"), report).await;
        passes(&reply);
        assert!(!reply.text().contains("salaries") && !reply.text().contains("bonuses"), "{}", reply.text());
    }
    let session = Line::new(&yard.gate, "annex", crate::gate::files::ANA).begin(crate::local::capabilities()).await;
    let reply = session.call(TOOL, asking_for("three")).await;
    passes(&reply);
    assert_eq!(reply.text(), "one two three", "one process serves an endpoint, in every revision");
    // The other way round as well.
    let reply = report_of(&yard.client(), "four").await;
    assert_eq!(reply.text(), "salaries bonuses four");
}

#[tokio::test]
async fn each_has_a_directory_of_its_own() {
    let yard = Yard::start().await;
    yard.misbehave(Mode::TellsEnvironment);
    let mut homes = Vec::new();
    for endpoint in ["yard", "annex"] {
        let reply = report(&yard.client_at(endpoint)).await;
        passes(&reply);
        let found: Value = serde_json::from_str(&reply.text()).unwrap();
        assert_eq!(found["environment"]["HOME"], found["directory"]);
        homes.push(found["directory"].as_str().unwrap().to_owned());
    }
    assert!(homes[0].ends_with("/yard/reports") && homes[1].ends_with("/annex/reports"), "{homes:?}");
}

#[tokio::test]
async fn a_process_moved_to_another_endpoint_begins_anew() {
    let yard = Yard::start().await;
    yard.misbehave(Mode::Remembers);
    passes(&report_of(&yard.client(), "salaries").await);
    let process = yard.newest();
    // The endpoint's server is taken away and given back: nothing of the earlier process is there any more.
    yard.put("endpoints/yard.toml", &crate::gate::files::endpoint("yard", "desk")).await;
    crate::local::all_end(&[process]).await;
    yard.put("endpoints/yard.toml", &crate::gate::files::endpoint("yard", "reports")).await;
    assert_eq!(report_of(&yard.client(), "later").await.text(), "later");
}
