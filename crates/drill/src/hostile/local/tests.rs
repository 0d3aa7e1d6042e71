//! The local server is honest until told otherwise, and then exactly as told.

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};

use super::*;

struct Scene {
    local: Local,
    _directory: tempfile::TempDir,
    lines: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
    input: WriteHalf<DuplexStream>,
    served: tokio::task::JoinHandle<io::Result<()>>,
}

impl Scene {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let local = Local::new(directory.path());
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (input, output) = tokio::io::split(theirs);
        let served = tokio::spawn({
            let local = local.clone();
            async move { program::serve(&local, input, output).await }
        });
        let (output, input) = tokio::io::split(ours);
        Self { local, _directory: directory, lines: BufReader::new(output).lines(), input, served }
    }

    async fn say(&mut self, method: &str) {
        let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": { "_meta": meta } });
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn call(&mut self, report: &str) {
        let params = json!({ "_meta": { "progressToken": "t" }, "arguments": { "report_id": report } });
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }

    async fn ask(&mut self, method: &str) -> Value {
        self.say(method).await;
        self.hear().await
    }
}

#[test]
fn every_mode_is_known_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let local = Local::new(directory.path());
    for mode in Mode::ALL {
        local.misbehave(mode).unwrap();
        assert_eq!(local.mode(), mode);
    }
}

#[tokio::test]
async fn it_is_honest_until_told_otherwise_and_remembers_what_it_heard() {
    let mut scene = Scene::start();
    assert_eq!(scene.ask("server/discover").await["result"]["supportedVersions"], json!(["2026-07-28", "2025-11-25"]));
    assert_eq!(scene.ask("initialize").await["result"]["protocolVersion"], "2025-11-25");
    let listed = scene.ask("tools/list").await;
    assert_eq!(listed["result"]["tools"][0]["description"], "One report by its id.");
    assert_eq!(scene.ask("tools/call").await["result"]["content"][0]["text"], "All quiet.");
    assert_eq!(scene.ask("prompts/list").await["error"]["code"], -32601);
    assert_eq!((scene.local.starts().len(), scene.local.calls(), scene.local.heard().len()), (1, 1, 5));
    scene.local.misbehave(Mode::AnswersAnotherId).unwrap();
    assert_eq!(scene.ask("tools/call").await["id"], "nobody-asked");
}

#[tokio::test]
async fn it_changes_its_definitions_and_tells_who_listens() {
    let mut scene = Scene::start();
    assert_eq!(scene.ask("subscriptions/listen").await["method"], "notifications/subscriptions/acknowledged");
    scene.local.misbehave(Mode::ChangesDefinitions).unwrap();
    let told = scene.ask("tools/call").await;
    assert_eq!(told["method"], "notifications/tools/list_changed");
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 7);
    scene.hear().await;
    let listed = scene.ask("tools/list").await;
    assert_ne!(listed["result"]["tools"][0]["description"], "One report by its id.");
}

#[tokio::test]
async fn it_ends_in_the_middle_of_a_call() {
    let mut scene = Scene::start();
    scene.local.misbehave(Mode::ExitsMidCall).unwrap();
    scene.say("tools/call").await;
    assert!(scene.served.await.unwrap().is_err());
}

#[tokio::test]
async fn it_tells_its_surroundings() {
    let mut scene = Scene::start();
    scene.local.misbehave(Mode::TellsEnvironment).unwrap();
    let answer = scene.ask("tools/call").await;
    let told: Value = serde_json::from_str(answer["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(told["environment"]["PATH"], std::env::var("PATH").unwrap());
    assert_eq!(told["ancestors"][0], std::os::unix::process::parent_id());
}

#[tokio::test]
async fn it_remembers_its_calls_and_reports_progress_of_all() {
    let mut scene = Scene::start();
    scene.local.misbehave(Mode::Remembers).unwrap();
    for (report, told) in [("a", "a"), ("b", "a b")] {
        scene.call(report).await;
        assert_eq!(scene.hear().await["result"]["content"][0]["text"], told);
    }
    scene.local.misbehave(Mode::ReportsProgress).unwrap();
    scene.call("c").await;
    for report in ["a", "b", "c"] {
        let told = scene.hear().await;
        assert_eq!((&told["params"]["progressToken"], &told["params"]["message"]), (&json!("t"), &json!(report)));
    }
}

#[tokio::test]
async fn it_leaves_an_orphan_that_is_deaf() {
    let mut scene = Scene::start();
    scene.local.misbehave(Mode::LeavesAnOrphan).unwrap();
    scene.ask("tools/call").await;
    while scene.local.children().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let orphan = scene.local.children()[0].to_string();
    let signal = |name: &str| std::process::Command::new("kill").args([name, &orphan]).status().unwrap().success();
    assert!(signal("-TERM"));
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(signal("-KILL"), "it is still there");
}

#[tokio::test]
async fn it_asks_and_chatters_before_it_answers() {
    let mut scene = Scene::start();
    for (mode, before) in [(Mode::Asks, 3), (Mode::Chatters, 4)] {
        scene.local.misbehave(mode).unwrap();
        scene.say("tools/call").await;
        for _ in 0..before {
            assert!(scene.hear().await["method"].is_string());
        }
        assert_eq!(scene.hear().await["id"], 7);
    }
}

#[tokio::test]
async fn it_stays_until_it_need_not() {
    let mut scene = Scene::start();
    scene.local.misbehave(Mode::Stays).unwrap();
    scene.ask("tools/call").await;
    drop((scene.input, scene.lines));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!scene.served.is_finished());
    scene.local.misbehave(Mode::Honest).unwrap();
    scene.served.await.unwrap().unwrap();
}
