use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use wire::Revision;

use super::{Local, LocalSpec, Started};
use crate::{
    Answer, Change, Deadlines, Definitions, DiscoverError, Fault, Purpose, Route, SendError, Session, Stream, Unsent,
    discover, listen, send,
};

const NEW: Revision = Revision::V2026_07_28;
const OLD: Revision = Revision::V2025_11_25;
const NO_CREDENTIAL: fn(&mut HeaderMap) = |_| {};

/// Remembers what was started, and lets it pass unless told otherwise.
#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<Definitions>>,
    refuses: AtomicUsize,
    /// How often a process could not be read.
    unread: AtomicUsize,
}

#[async_trait]
impl Started for Notes {
    async fn started(&self, definitions: Definitions) -> Result<(), String> {
        self.seen.lock().unwrap().push(definitions);
        if self.refuses.load(Ordering::Relaxed) > 0 {
            self.refuses.fetch_sub(1, Ordering::Relaxed);
            return Err("its definitions are not what was approved".to_owned());
        }
        Ok(())
    }

    async fn unread(&self) {
        self.unread.fetch_add(1, Ordering::Relaxed);
    }
}

/// The example `puppet`, which is built along with these tests.
fn puppet() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().and_then(std::path::Path::parent).unwrap().join("examples").join("puppet");
    assert!(built.exists(), "build the examples too: {}", built.display());
    built
}

fn spec(manner: &str) -> LocalSpec {
    let command = sandbox::Command {
        supervisor: sandbox::Supervisor { program: puppet(), arguments: vec!["supervise".to_owned()] },
        program: puppet(),
        arguments: vec![manner.to_owned()],
        directory: None,
        environment: Vec::new(),
        limits: sandbox::Limits::default(),
    };
    LocalSpec { server: "puppet".parse().unwrap(), command: Arc::new(command) }
}

fn local(manner: &str, revision: Revision) -> (Arc<Local>, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    (Local::new(spec(manner), revision, Arc::clone(&notes) as Arc<dyn Started>), notes)
}

fn stateless() -> Arc<Local> {
    local("stateless", NEW).0
}

fn route(local: &Arc<Local>) -> Route {
    Route::local("puppet".parse().unwrap(), Arc::clone(local))
}

fn call(id: &Value, tool: &str, arguments: &Value) -> Bytes {
    let meta = json!({ "progressToken": format!("token of {id}") });
    let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string().into()
}

fn short() -> Deadlines {
    crate::testing::short(Purpose::Answer)
}

async fn ask(local: &Arc<Local>, tool: &str, arguments: Value) -> Result<Answer, SendError> {
    send(&route(local), HeaderMap::new(), call(&json!("mine"), tool, &arguments), Deadlines::CALL).await
}

async fn whole(local: &Arc<Local>, tool: &str, arguments: Value) -> Value {
    match ask(local, tool, arguments).await {
        Ok(Answer::Whole { body, .. }) => serde_json::from_slice(&body).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn stream(local: &Arc<Local>, tool: &str, arguments: Value) -> Stream {
    match ask(local, tool, arguments).await {
        Ok(Answer::Stream(stream)) => stream,
        other => panic!("{other:?}"),
    }
}

async fn rest(mut stream: Stream) -> Vec<Value> {
    let mut messages = Vec::new();
    while let Some(message) = stream.next().await {
        messages.push(serde_json::from_slice(&message.unwrap()).unwrap());
    }
    messages
}

/// The methods that the process heard, with what was cancelled.
async fn heard(local: &Arc<Local>) -> Vec<Value> {
    whole(local, "heard", json!({})).await["result"]["heard"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_process_is_started_by_the_first_call_greeted_and_compared_before_it_goes_through() {
    let (local, notes) = local("sessions", OLD);
    assert!(!local.is_running());
    let answer = whole(&local, "echo", json!({ "x": 1 })).await;
    assert_eq!((&answer["id"], &answer["result"]["arguments"]["x"]), (&json!("mine"), &json!(1)));
    let seen = notes.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].instructions.as_deref(), Some("Pull gently."));
    assert_eq!(seen[0].supported_versions, ["2025-11-25"]);
    assert_eq!(seen[0].tools[0].name, "echo");
    let methods: Vec<_> = heard(&local).await.into_iter().map(|heard| heard[0].clone()).collect();
    assert_eq!(methods, ["initialize", "notifications/initialized", "tools/list", "tools/call", "tools/call"]);
}

#[tokio::test]
async fn callers_share_a_process_and_each_hears_its_own_answer_under_its_own_id_and_token() {
    let local = stateless();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..50 {
        let local = Arc::clone(&local);
        calls.spawn(async move {
            // Every caller uses the same id, as callers do.
            let id = if number % 2 == 0 { json!(1) } else { json!("1") };
            let body = call(&id, "progress", &json!({ "steps": number % 3 + 1, "number": number }));
            let Ok(Answer::Stream(stream)) = send(&route(&local), HeaderMap::new(), body, Deadlines::CALL).await else {
                panic!()
            };
            let messages = rest(stream).await;
            assert_eq!(messages.len(), number % 3 + 2);
            let (answer, progress) = messages.split_last().unwrap();
            assert_eq!(answer["id"], id);
            assert!(progress.iter().all(|told| told["params"]["progressToken"] == json!(format!("token of {id}"))));
        });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    assert_eq!(local.counts().started, 1);
    assert_eq!(local.counts().strays, 0);
}

#[tokio::test]
async fn what_is_not_a_name_reaches_the_server_as_it_was_written() {
    let local = stateless();
    let body = r#"{"jsonrpc":"2.0", "params":{"name":"echo","arguments":{"a":1.50,
        "z":"\u00e9", "_meta":{"progressToken":7}, "id":"x"}},"method":"tools/call","id":"odd \u0041"}"#;
    let Ok(Answer::Whole { body, .. }) = send(&route(&local), HeaderMap::new(), body.into(), Deadlines::CALL).await
    else {
        panic!()
    };
    let text = std::str::from_utf8(&body).unwrap();
    assert!(text.contains(r#""id":"odd \u0041""#), "{text}");
    let answer: Value = serde_json::from_str(text).unwrap();
    assert_eq!(answer["result"]["arguments"]["_meta"]["progressToken"], 7);
    assert_eq!(answer["result"]["arguments"]["id"], "x");
}

#[tokio::test]
async fn notifications_of_callers_go_no_further() {
    let local = stateless();
    let note = Bytes::from_static(br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#);
    let taken = send(&route(&local), HeaderMap::new(), note, Deadlines::CALL).await;
    assert!(matches!(taken, Ok(Answer::Accepted)));
    assert!(!heard(&local).await.iter().any(|heard| heard[0] == "notifications/cancelled"));
}

#[tokio::test]
async fn a_call_nobody_waits_for_is_cancelled_in_words_and_an_answered_one_is_not() {
    let local = stateless();
    whole(&local, "echo", json!({})).await;
    let dropped = send(&route(&local), HeaderMap::new(), call(&json!(5), "never", &json!({})), short()).await;
    assert!(matches!(dropped, Err(SendError::Unknown { fault: Fault::HeadTimedOut { .. } })), "{dropped:?}");
    drop(stream(&local, "begin", json!({})).await);
    let cancelled: Vec<_> =
        heard(&local).await.into_iter().filter(|heard| heard[0] == "notifications/cancelled").collect();
    assert_eq!(cancelled.len(), 2, "{cancelled:?}");
    assert!(cancelled.iter().all(|heard| heard[1].is_i64()), "in the gate's own numbers: {cancelled:?}");
}

#[tokio::test]
async fn a_second_answer_and_what_belongs_to_no_call_reach_nobody_and_are_counted() {
    let local = stateless();
    assert_eq!(whole(&local, "twice", json!({})).await["result"]["time"], 1);
    whole(&local, "echo", json!({})).await;
    assert_eq!(local.counts().strays, 1);
    let body =
        json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": { "name": "strange" } }).to_string();
    let answer = send(&route(&local), HeaderMap::new(), body.into(), Deadlines::CALL).await;
    assert!(matches!(answer, Ok(Answer::Whole { .. })), "{answer:?}");
    // An unknown number, a text, no id, a log line for everybody, an unknown token, and one that was never asked for.
    assert_eq!(local.counts().strays, 1 + 6);
}

#[tokio::test]
async fn an_answer_that_breaks_the_protocol_is_its_callers_to_refuse() {
    let local = stateless();
    let answer = whole(&local, "broken", json!({})).await;
    assert_eq!((&answer["id"], &answer["result"]["resultType"]), (&json!("mine"), &json!("input_required")));
}

#[tokio::test]
async fn what_a_process_asks_is_answered_by_the_gate_with_nothing_to_be_had() {
    let (local, _) = local("sessions", OLD);
    let answers = whole(&local, "ask", json!({})).await["result"]["answers"].clone();
    assert_eq!((&answers[0]["id"], &answers[0]["result"]), (&json!("are-you-there"), &json!({})));
    assert_eq!((&answers[1]["id"], &answers[1]["error"]["code"]), (&json!(1), &json!(-32601)));
}

#[tokio::test]
async fn an_exit_leaves_calls_under_way_unknown_and_says_why_with_the_last_words() {
    let local = stateless();
    let waiting = stream(&local, "begin", json!({})).await;
    let error = ask(&local, "exit", json!({})).await.unwrap_err();
    let SendError::Unknown { fault: Fault::ProcessEnded { why } } = &error else { panic!("{error:?}") };
    assert!(why.contains("status 3") && why.contains("cannot open the ledger"), "{why}");
    let mut waiting = waiting;
    assert!(waiting.next().await.unwrap().is_ok(), "what came before the end is not lost");
    assert!(matches!(waiting.next().await, Some(Err(SendError::Unknown { fault: Fault::ProcessEnded { .. } }))));
    assert!(waiting.next().await.is_none());

    let refused = ask(&local, "echo", json!({})).await.unwrap_err();
    let SendError::NotSent { cause: Unsent::Resting { why, again_in } } = &refused else { panic!("{refused:?}") };
    assert!(why.contains("status 3") && *again_in <= Duration::from_millis(250), "{refused:?}");
    tokio::time::sleep(*again_in).await;
    assert_eq!(whole(&local, "echo", json!({})).await["id"], "mine");
    assert_eq!(local.counts().started, 2);
}

#[tokio::test]
async fn an_answer_given_before_an_exit_is_not_lost_to_what_was_not_read() {
    for _ in 0..10 {
        let local = stateless();
        local.wake().await.unwrap();
        let other = Arc::clone(&local);
        // More than a pipe holds: it is stuck on its way when the process exits.
        let stuck = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            ask(&other, "echo", json!({ "filler": "x".repeat(300_000) })).await
        });
        assert_eq!(whole(&local, "farewell", json!({})).await["id"], "mine");
        assert!(matches!(stuck.await.unwrap(), Err(SendError::Unknown { fault: Fault::ProcessEnded { .. } })));
    }
}

#[tokio::test]
async fn a_server_that_does_not_start_is_left_alone_for_longer_each_time() {
    let (local, notes) = local("dead", NEW);
    let mut before = Duration::ZERO;
    for _ in 0..3 {
        let refused = local.wake().await.unwrap_err();
        let SendError::NotSent { cause: Unsent::Resting { why, again_in } } = refused else { panic!("{refused:?}") };
        assert!(why.contains("status 7") && why.contains("no configuration found"), "{why}");
        assert!(again_in > before, "{again_in:?} after {before:?}");
        let begun = Instant::now();
        assert!(local.wake().await.is_err());
        assert!(begun.elapsed() < Duration::from_millis(100), "a server that rests is not waited for");
        tokio::time::sleep(again_in).await;
        before = again_in;
    }
    assert_eq!(local.counts().started, 3);
    assert!(notes.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_process_that_is_not_what_was_approved_gets_no_call() {
    let (local, notes) = local("stateless", NEW);
    notes.refuses.store(1, Ordering::Relaxed);
    let refused = ask(&local, "echo", json!({})).await.unwrap_err();
    let SendError::NotSent { cause: Unsent::Resting { why, again_in } } = refused else { panic!("{refused:?}") };
    assert!(why.contains("not what was approved"), "{why}");
    tokio::time::sleep(again_in).await;
    let heard = heard(&local).await;
    assert_eq!(heard.iter().filter(|heard| heard[0] == "tools/call").count(), 1, "{heard:?}");
}

#[tokio::test]
async fn many_who_wake_a_server_at_once_start_it_once_even_if_the_first_goes_away() {
    let local = stateless();
    let impatient = tokio::time::timeout(Duration::from_millis(1), local.wake()).await;
    assert!(impatient.is_err() || impatient.unwrap().is_ok());
    let woken = futures(&local, 20).await;
    assert!(woken.iter().all(Result::is_ok), "{woken:?}");
    assert_eq!(local.counts().started, 1);
}

async fn futures(local: &Arc<Local>, count: usize) -> Vec<Result<(), SendError>> {
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..count {
        let local = Arc::clone(local);
        set.spawn(async move { local.wake().await });
    }
    set.join_all().await
}

#[tokio::test]
async fn a_server_of_another_revision_does_not_start() {
    let (newer, notes) = local("stateless", OLD);
    let refused = newer.wake().await.unwrap_err();
    let SendError::NotSent { cause: Unsent::Resting { why, .. } } = refused else { panic!("{refused:?}") };
    assert!(why.contains("2026-07-28"), "{why}");
    is_noted(&notes).await;
    let (older, notes) = local("sessions", NEW);
    assert!(older.wake().await.is_err());
    is_noted(&notes).await;
}

/// Waits until whoever compares has heard that a process could not be read.
async fn is_noted(notes: &Notes) {
    for _ in 0..2_000 {
        if notes.unread.load(Ordering::Relaxed) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not in twenty seconds");
}

#[tokio::test]
async fn some_noise_is_counted_and_too_much_of_it_ends_the_process() {
    let local = stateless();
    whole(&local, "noise", json!({ "lines": 100 })).await;
    assert_eq!(local.counts().noise, 100);
    let error = ask(&local, "noise", json!({ "lines": 1 })).await.unwrap_err();
    let SendError::Unknown { fault: Fault::ProcessEnded { why } } = &error else { panic!("{error:?}") };
    assert!(why.contains("no messages"), "{why}");
}

#[tokio::test]
async fn a_line_longer_than_a_message_may_be_ends_the_process() {
    let local = stateless();
    let error = ask(&local, "long", json!({})).await.unwrap_err();
    let SendError::Unknown { fault: Fault::ProcessEnded { why } } = &error else { panic!("{error:?}") };
    assert!(why.contains("longer than"), "{why}");
}

#[tokio::test]
async fn a_process_that_does_not_read_is_ended_and_what_it_was_not_sent_is_known_not_to_be() {
    let local = stateless();
    whole(&local, "echo", json!({})).await;
    let begun = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for tool in ["deaf", "echo", "echo", "echo"] {
        let local = Arc::clone(&local);
        // More than a pipe holds, so that the second is stuck on its way.
        calls.spawn(async move { ask(&local, tool, json!({ "filler": "x".repeat(300_000) })).await.unwrap_err() });
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let errors = calls.join_all().await;
    assert!(begun.elapsed() < Duration::from_secs(15));
    let unknown = errors.iter().filter(|error| matches!(error, SendError::Unknown { .. })).count();
    let not_sent = errors.iter().filter(|e| matches!(e, SendError::NotSent { cause: Unsent::Ended { .. } })).count();
    assert_eq!((unknown, not_sent), (2, 2), "{errors:?}");
    assert!(errors.iter().any(|error| format!("{error:?}").contains("did not read")), "{errors:?}");
}

#[tokio::test]
async fn requests_under_way_are_bounded() {
    let local = stateless();
    local.wake().await.unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let local = Arc::clone(&local);
        calls.spawn(async move {
            send(&route(&local), HeaderMap::new(), call(&json!(1), "never", &json!({})), short()).await
        });
    }
    let answers = calls.join_all().await;
    let busy = answers.iter().filter(|one| matches!(one, Err(SendError::NotSent { cause: Unsent::Busy }))).count();
    // The gate's own subscription is one of those under way.
    assert!((44..=45).contains(&busy), "{busy}");
}

#[tokio::test]
async fn progress_that_is_not_taken_is_dropped_and_the_answer_is_not() {
    let local = stateless();
    let stream = stream(&local, "progress", json!({ "steps": 5_000 })).await;
    // The process has answered somebody else after it wrote all of that.
    whole(&local, "echo", json!({})).await;
    assert!(local.counts().dropped > 3_000, "{:?}", local.counts());
    let messages = rest(stream).await;
    assert!(messages.len() <= 1_002, "{}", messages.len());
    assert_eq!(messages.last().unwrap()["id"], "mine");
}

#[tokio::test]
async fn a_flood_on_standard_error_slows_nobody_for_good() {
    let local = stateless();
    whole(&local, "stderr", json!({})).await;
    assert_eq!(whole(&local, "echo", json!({})).await["id"], "mine");
}

#[tokio::test]
async fn a_subscription_carries_its_own_id_until_the_server_ends_it() {
    let local = stateless();
    let params = json!({ "notifications": { "toolsListChanged": true } });
    let body =
        json!({ "jsonrpc": "2.0", "id": "mine", "method": "subscriptions/listen", "params": params }).to_string();
    let opened = send(&route(&local), HeaderMap::new(), body.into(), Deadlines::SUBSCRIPTION).await;
    let Ok(Answer::Stream(stream)) = opened else { panic!("{opened:?}") };
    let mut changes = listen(&route(&local), NO_CREDENTIAL).await.unwrap();
    whole(&local, "change", json!({})).await;
    whole(&local, "end", json!({})).await;
    let messages = rest(stream).await;
    let methods: Vec<_> = messages.iter().map(|message| message["method"].as_str()).collect();
    let acknowledged = Some("notifications/subscriptions/acknowledged");
    assert_eq!(methods, [acknowledged, Some("notifications/tools/list_changed"), None]);
    let meta = "/params/_meta/io.modelcontextprotocol~1subscriptionId";
    assert!(messages[..2].iter().all(|message| message.pointer(meta) == Some(&json!("mine"))), "{messages:?}");
    assert_eq!(messages[2]["id"], "mine");
    assert_eq!(changes.next().await.unwrap().unwrap(), Change::Tools, "the gate hears of it on its own");
}

#[tokio::test]
async fn a_change_told_to_nobody_in_particular_is_heard_by_the_gate() {
    let (local, _) = local("sessions", OLD);
    let mut changes = listen(&route(&local), NO_CREDENTIAL).await.unwrap();
    assert!(!local.is_running(), "listening starts nothing");
    // It tells of progress first, which this call asked for.
    drop(stream(&local, "strange", json!({})).await);
    assert_eq!(changes.next().await.unwrap().unwrap(), Change::Tools);
    drop(local);
    assert!(changes.next().await.is_none());
}

#[tokio::test]
async fn a_session_with_a_local_server_is_its_process() {
    let (local, _) = local("sessions", OLD);
    let session = Session::open(&route(&local), &json!({ "roots": {} }), NO_CREDENTIAL).await.unwrap();
    let answer = session.send(HeaderMap::new(), call(&json!(9), "echo", &json!({})), Deadlines::CALL).await;
    assert!(matches!(answer, Ok(Answer::Whole { .. })), "{answer:?}");
    assert!(session.listen(HeaderMap::new()).await.unwrap().is_none());
    session.tell(HeaderMap::new(), Bytes::from_static(b"{}")).await.unwrap();
    session.close(HeaderMap::new()).await;
    assert!(!session.is_over() && local.is_running());
}

#[tokio::test]
async fn a_server_that_does_not_run_is_read_in_a_process_of_its_own_whichever_revision_it_speaks() {
    for (manner, versions) in [("stateless", "2026-07-28"), ("sessions", "2025-11-25"), ("strict", "2025-11-25")] {
        let (local, notes) = local(manner, NEW);
        let read = discover(&route(&local), NO_CREDENTIAL).await.unwrap();
        assert_eq!(read.supported_versions, [versions], "{manner}");
        assert_eq!(read.tools[0].name, "echo", "{manner}");
        assert_eq!(read.server_info["name"], "puppet", "{manner}");
        assert!(!local.is_running() && notes.seen.lock().unwrap().is_empty(), "{manner}");
    }
    let (local, _) = local("dead", NEW);
    let error = discover(&route(&local), NO_CREDENTIAL).await.unwrap_err();
    let DiscoverError::Ask(error) = &error else { panic!("{error:?}") };
    assert!(format!("{error:?}").contains("no configuration found"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_runs_is_read_where_it_runs() {
    for (manner, revision) in [("stateless", NEW), ("sessions", OLD)] {
        let (local, _) = local(manner, revision);
        local.wake().await.unwrap();
        let read = discover(&route(&local), NO_CREDENTIAL).await.unwrap();
        assert_eq!(read.supported_versions, [revision.as_str()]);
        assert_eq!(local.counts().started, 1);
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told_in_words() {
    let mut spec = spec("stateless");
    Arc::get_mut(&mut spec.command).unwrap().program = "/nowhere/to-be-found".into();
    let local = Local::new(spec, NEW, Arc::new(Notes::default()));
    let refused = local.wake().await.unwrap_err();
    let SendError::NotSent { cause: Unsent::Resting { why, .. } } = refused else { panic!("{refused:?}") };
    assert!(why.contains("/nowhere/to-be-found"), "{why}");
}

#[tokio::test]
async fn letting_go_of_the_place_ends_the_process_and_whoever_waits_for_it() {
    let local = stateless();
    let mut waiting = stream(&local, "begin", json!({})).await;
    assert!(waiting.next().await.unwrap().is_ok());
    drop(local);
    assert!(matches!(waiting.next().await, Some(Err(SendError::Unknown { fault: Fault::ProcessEnded { .. } }))));
}

#[tokio::test]
async fn a_process_of_any_revision_with_a_handshake_is_spoken_to_in_it() {
    for &revision in Revision::LEGACY {
        let manner = format!("sessions@{revision}");
        let (local, notes) = local(&manner, revision);
        let answer = whole(&local, "echo", json!({})).await;
        assert_eq!(answer["id"], "mine");
        assert_eq!(local.revision(), revision);
        assert_eq!(notes.seen.lock().unwrap()[0].supported_versions, [revision.as_str()]);
        let probed = discover(&route(&self::local(&manner, NEW).0), NO_CREDENTIAL).await.unwrap();
        assert_eq!(probed.supported_versions, [revision.as_str()]);
    }
}

#[tokio::test]
async fn a_process_that_chooses_an_older_revision_is_told_of_and_not_used() {
    let (older, notes) = local("sessions@2024-11-05", Revision::V2025_06_18);
    let error = ask(&older, "echo", json!({})).await.unwrap_err();
    let SendError::NotSent { cause: Unsent::Resting { why, .. } | Unsent::NotStarted { why } } = error else {
        panic!("{error:?}")
    };
    assert!(why.contains("2024-11-05 now"), "{why}");
    assert_eq!(notes.seen.lock().unwrap()[0].supported_versions, ["2024-11-05"], "whoever compares hears of it");

    let (newer, _) = local("sessions", Revision::V2025_06_18);
    assert!(ask(&newer, "echo", json!({})).await.is_ok());
    assert_eq!(newer.revision(), OLD);
}

#[tokio::test]
async fn a_line_may_hold_a_batch_in_the_revision_that_has_them() {
    for &revision in Revision::LEGACY {
        let (local, _) = local(&format!("sessions@{revision}"), revision);
        if !revision.batches() {
            let nothing = send(&route(&local), HeaderMap::new(), call(&json!(1), "batch", &json!({})), short()).await;
            assert!(nothing.is_err(), "{revision}: {nothing:?}");
            continue;
        }
        let told = rest(stream(&local, "batch", json!({})).await).await;
        assert_eq!((told.len(), &told[1]["id"]), (2, &json!("mine")), "{told:?}");
    }
}

#[tokio::test]
async fn a_process_that_goes_on_for_nobody_is_ended() {
    let local = stateless();
    let mut stream = stream(&local, "rave", json!({})).await;
    assert!(stream.next().await.unwrap().is_ok());
    drop(stream);
    let begun = Instant::now();
    while local.is_running() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it is still listened to");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let error = ask(&local, "echo", json!({})).await.unwrap_err();
    let told = format!("{error:?}");
    assert!(told.contains("in a row that were for nobody"), "{told}");
}
