//! A server that asks: without leave, in sessions that are not its own, by ids that collide, answering itself, without end.
//! Nobody is asked what a server may not ask, every answer goes to who asked, and there is a bound. Of several servers behind
//! one endpoint, each speaks for itself alone.

use model::limits;
use serde_json::{Value, json};

use crate::gate::Setup;
use crate::gate::files::{ANA, BOB, server};
use crate::session::{Answer, Session};
use crate::sessions::{Lobby, capabilities, taken, text};
use crate::talker::{Speech, Talker, form, page, said};
use crate::verdict::{ANSWER_REFUSED, PARAMS_INVALID, passes, words};

fn answered(lobby: &Lobby, id: &Value) -> Vec<Value> {
    lobby.talker.responses().into_iter().filter(|one| one["id"] == *id).collect()
}

#[tokio::test]
async fn a_server_without_leave_asks_nobody_however_it_asks() {
    let lobby = Lobby::silent().await;
    let session = lobby.begin(ANA).await;
    let (mut heard, aside) = lobby.aside(&session).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    let asks = |place: &Speech| {
        place.asks("1", "elicitation/create", form("Your password?"));
        place.asks(2, "sampling/createMessage", json!({ "messages": [], "maxTokens": 1 }));
        place.asks(-3, "roots/list", json!({}));
        place.asks("4", "Elicitation/Create", form("Your password?"));
        place.asks("5", "elicitation/create ", form("Your password?"));
        place.asks("6", "tools/call", json!({ "name": "read_ticket" }));
        place.notes("elicitation/create", form("Your password?"));
    };
    asks(&aside);
    asks(&speech);
    let told = || lobby.talker.responses().iter().filter(|one| one.get("error").is_some()).count();
    lobby.hears("that it may not ask", |_| told() == 12).await;
    speech.answers("done");
    let rest = answer.rest().await;
    assert_eq!((rest.len(), text(&rest[0])), (1, "done"), "{rest:#?}");
    assert!(heard.is_silent().await);
    assert_eq!(lobby.receipts("asked").await.len(), 0);
}

#[tokio::test]
async fn servers_ids_do_not_collide_for_the_client() {
    let lobby = Lobby::start().await;
    let (ana, bob) = (lobby.begin(ANA).await, lobby.begin(ANA).await);
    let (mut one, first) = lobby.talk(&ana).await;
    let (mut two, second) = lobby.talk(&ana).await;
    let (mut three, third) = lobby.talk(&bob).await;
    // A number, a text that looks like it, the same on another stream, and in another session.
    first.asks(7, "elicitation/create", form("one"));
    first.asks("7", "elicitation/create", form("two"));
    second.asks(7, "elicitation/create", form("three"));
    third.asks(7, "elicitation/create", form("four"));
    let mut questions = Vec::new();
    for (session, stream, count) in [(&ana, &mut one, 2), (&ana, &mut two, 1), (&bob, &mut three, 1)] {
        for _ in 0..count {
            questions.push((session, stream.message().await));
        }
    }
    let said = |number: usize| json!({ "action": "accept", "content": { "answer": number } });
    let of_ana: Vec<_> = questions[..3].iter().map(|(_, question)| &question["id"]).collect();
    assert!(of_ana[0] != of_ana[1] && of_ana[1] != of_ana[2] && of_ana[0] != of_ana[2]);
    // Answered in another order than they were asked.
    for number in [3, 1, 2, 0] {
        let (session, question) = &questions[number];
        taken(&session.answer(&question["id"], said(number)).await);
    }
    lobby.hears("four answers", |talker| talker.responses().len() == 4).await;
    let received: Vec<_> =
        lobby.talker.seen().into_iter().filter(|seen| seen.message.get("result").is_some()).collect();
    for (number, own) in [(0, json!(7)), (1, json!("7")), (2, json!(7)), (3, json!(7))] {
        let one = received.iter().find(|seen| seen.message["result"] == said(number)).unwrap();
        let session = if number == 3 { &third.session } else { &first.session };
        assert_eq!((&one.message["id"], one.session.as_ref()), (&own, Some(session)), "{number}");
    }
}

#[tokio::test]
async fn a_clients_own_ids_are_no_questions() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    // The server asks by the id of the call it answers; the client calls by the id of the question.
    speech.asks(speech.id.clone(), "roots/list", json!({}));
    let question = answer.message().await["id"].clone();
    let same = json!({
        "jsonrpc": "2.0", "id": question, "method": "tools/call",
        "params": { "name": "read_ticket", "arguments": { "ticket": "1" } },
    });
    if question != speech.id {
        passes(&session.post(&same).await.whole().await);
    }
    taken(&session.answer(&question, json!({ "roots": [] })).await);
    lobby.hears("the answer", |_| answered(&lobby, &speech.id).len() == 1).await;
    // Taking back a question as if it were a call does nothing, and the call goes on.
    taken(&session.take_back(&json!("made up")).await);
    speech.answers("done");
    assert_eq!(text(&answer.message().await), "done");
}

#[tokio::test]
async fn a_server_that_answers_its_own_question_is_cut() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut heard, aside) = lobby.aside(&session).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks("q", "elicitation/create", form("May I?"));
    let question = answer.message().await["id"].clone();
    // On the stream that answers nothing it is heard by nobody.
    for id in [&json!("q"), &question, &speech.id] {
        aside.say(&json!({ "jsonrpc": "2.0", "id": id, "result": { "action": "accept", "content": {} } }));
    }
    assert!(heard.is_silent().await);
    // In the answer to the call it is an answer to another request.
    speech.say(&json!({ "jsonrpc": "2.0", "id": "q", "result": { "action": "accept", "content": {} } }));
    words(&answer.message().await, ANSWER_REFUSED);
    assert_eq!(answer.next().await, None);
    assert_eq!(lobby.gate.outcome(&answer.receipt()).await["end"]["type"], "result-withheld");
    passes(&session.read_ticket().await);
}

#[tokio::test]
async fn a_server_asks_in_its_own_sessions_alone() {
    let lobby = Lobby::start().await;
    let (ana, bob) = (lobby.begin(ANA).await, lobby.begin(BOB).await);
    let (mut ana_hears, to_ana) = lobby.aside(&ana).await;
    let (mut bob_hears, to_bob) = lobby.aside(&bob).await;
    assert_ne!(to_ana.session, to_bob.session);
    // Whatever it says of another session: it is heard where it is said.
    let mut question = form("Which of you?");
    question["_meta"] = json!({ "session": to_bob.session, "mcp-session-id": bob.id });
    to_ana.asks(1, "elicitation/create", question);
    let id = ana_hears.message().await["id"].clone();
    assert!(bob_hears.is_silent().await);
    lobby.gate.refuses(&bob.answer(&id, json!({ "action": "accept" })).await, PARAMS_INVALID).await;
    to_bob.notes("notifications/cancelled", json!({ "requestId": 1 }));
    assert!(bob_hears.is_silent().await);
    assert!(ana_hears.is_silent().await, "another session's server takes back nothing here");
    taken(&ana.answer(&id, json!({ "action": "decline" })).await);
    lobby.hears("the answer", |_| answered(&lobby, &json!(1)).len() == 1).await;
    let seen =
        lobby.talker.seen().into_iter().find(|seen| seen.message["id"] == 1 && seen.message.get("result").is_some());
    assert_eq!(seen.unwrap().session, Some(to_ana.session));
}

#[tokio::test]
async fn a_flood_of_questions_has_a_bound() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    let flood = limits::QUESTIONS_MAX + 36;
    for number in 0..flood {
        speech.asks(number, "elicitation/create", form("Again?"));
    }
    let told = || lobby.talker.responses().iter().filter(|one| one.get("error").is_some()).count();
    lobby.hears("that it asks too much", |_| told() == 36).await;
    let mut asked = Vec::new();
    for _ in 0..limits::QUESTIONS_MAX {
        asked.push(answer.message().await["id"].clone());
    }
    assert!(answer.is_silent().await);
    // Each answer makes room for one more.
    taken(&session.answer(&asked[0], json!({ "action": "decline" })).await);
    speech.asks("one more", "elicitation/create", form("Again?"));
    assert_eq!(answer.message().await["method"], "elicitation/create");
    // Other sessions are asked meanwhile.
    let other = lobby.begin(BOB).await;
    let (mut heard, aside) = lobby.aside(&other).await;
    aside.asks("bob", "elicitation/create", form("And you?"));
    assert_eq!(heard.message().await["params"]["message"], "And you?");
    speech.answers("done");
    assert_eq!(text(&answer.message().await), "done");
}

#[tokio::test]
async fn questions_that_two_readers_read_differently_are_put_to_nobody() {
    let lobby = Lobby::start().await;
    // Once within a call, which is cut; once beside it, where it is lost.
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"roots/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"elicitation/create"}"#,
        r#"{"jsonrpc":"2.0","id":1,"Method":"elicitation/create","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"roots/list"}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"roots/list"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"roots/list"}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"roots/list"}]"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"Mode":"url","mode":"form"}}"#,
    ] {
        let session = lobby.line(ANA).begin(capabilities()).await;
        let (mut heard, aside) = lobby.aside(&session).await;
        let (mut answer, speech) = lobby.talk(&session).await;
        aside.says(text);
        speech.says(text);
        words(&answer.message().await, ANSWER_REFUSED);
        assert_eq!(answer.next().await, None, "{text}");
        assert!(heard.is_silent().await, "{text}");
        passes(&session.read_ticket().await);
    }
    assert_eq!(lobby.receipts("asked").await.len(), 0);
}

#[tokio::test]
async fn a_question_in_place_of_an_answer_is_no_answer() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    for question in [form("Your password?"), json!({})] {
        let call = session.request("tools/call", json!({ "name": "talk" }));
        let (reply, ()) = tokio::join!(async { session.post(&call).await.whole().await }, async {
            let stage = lobby.talker.call().await;
            let id = stage.id().clone();
            stage.sends(json!({ "jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": question }));
        });
        lobby.gate.ends(&reply, ANSWER_REFUSED.in_body(), "result-withheld").await;
        assert!(!String::from_utf8_lossy(&reply.body).contains("password"));
    }
    // Nor in the manner of another revision.
    let call = session.request("tools/call", json!({ "name": "talk" }));
    let (reply, ()) = tokio::join!(async { session.post(&call).await.whole().await }, async {
        let stage = lobby.talker.call().await;
        let mut result = said("");
        result["resultType"] = "input_required".into();
        result["inputRequests"] = json!({ "q": { "method": "elicitation/create", "params": form("Your password?") } });
        stage.answers(result);
    });
    assert!(!String::from_utf8_lossy(&reply.body).contains("password"), "{}", reply.json);
}

/// The lobby's server and another one, both behind the endpoint `hall`, and both may ask.
struct Hall {
    lobby: Lobby,
    tower: Talker,
}

const HALL: &str = r#"
name = "hall"
purpose = "The lobby and the tower"

[[servers]]
name = "lobby"
resources = ["lobby://"]

[[servers]]
name = "tower"
resources = ["tower://"]
"#;

const TOWER: &str = r#"
@id("hall-connects")
permit (principal, action == Action::"connect", resource == Endpoint::"hall");
@id("the-tower-is-for-all")
permit (principal, action in Action::"use", resource in Server::"tower");
@id("the-tower-asks")
permit (principal, action == Action::"ask", resource == Server::"tower");
"#;

impl Hall {
    async fn start() -> Self {
        let tower = Talker::start().await;
        let state = [
            ("servers/tower.toml", server("tower", &tower.url(), false)),
            ("endpoints/hall.toml", HALL.to_owned()),
            ("policies/tower.cedar", TOWER.to_owned()),
        ];
        let state = state.map(|(file, text)| (file.to_owned(), text)).into();
        let lobby = Lobby::with(Setup { state, ..Setup::default() }).await;
        lobby.gate.must(&["server", "approve", "tower", "--yes"]).await;
        Self { lobby, tower }
    }

    async fn begin(&self) -> Session {
        self.lobby.line_at("hall", ANA).begin(capabilities()).await
    }

    /// Calls the tools that talk, one of each server. Each may tell of its progress under its tool's name.
    async fn talk(&self, session: &Session) -> [(Answer, Speech); 2] {
        let call =
            |tool: &str| session.request("tools/call", json!({ "name": tool, "_meta": { "progressToken": tool } }));
        let (lobby, tower) = (call("lobby_talk"), call("tower_talk"));
        let of_lobby = async { self.lobby.talker.call().await.speaks() };
        let of_tower = async { self.tower.call().await.speaks() };
        let (one, first) = tokio::join!(session.post(&lobby), of_lobby);
        let (two, second) = tokio::join!(session.post(&tower), of_tower);
        [(one, first), (two, second)]
    }
}

#[tokio::test]
async fn two_servers_ids_do_not_collide_and_each_hears_its_own_answer() {
    let hall = Hall::start().await;
    let session = hall.begin().await;
    let [(mut one, first), (mut two, second)] = hall.talk(&session).await;
    first.asks(1, "elicitation/create", form("of the lobby"));
    second.asks(1, "elicitation/create", form("of the tower"));
    let (lobbys, towers) = (one.message().await, two.message().await);
    assert_eq!(lobbys["params"]["message"], "of the lobby");
    assert_eq!(towers["params"]["message"], "of the tower");
    assert_ne!(lobbys["id"], towers["id"]);
    // The tower takes back the lobby's question, by the id it has there and by the one it has for the client.
    second.notes("notifications/cancelled", json!({ "requestId": lobbys["id"] }));
    second.logs("and so on");
    let next = two.message().await;
    let took_back_its_own = next["method"] == "notifications/cancelled";
    assert!(!took_back_its_own || next["params"]["requestId"] == towers["id"], "{next:#}");
    taken(&session.answer(&lobbys["id"], json!({ "action": "accept", "content": { "for": "the lobby" } })).await);
    hall.lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
    assert_eq!(hall.lobby.talker.responses()[0]["result"]["content"], json!({ "for": "the lobby" }));
    assert!(
        !hall.tower.responses().iter().any(|one| one.get("result").is_some()),
        "the other server hears nothing of it"
    );
    for (answer, speech) in [(&mut one, first), (&mut two, second)] {
        speech.answers("done");
        assert_eq!(text(answer.rest().await.last().unwrap()), "done");
    }
}

#[tokio::test]
async fn a_server_takes_back_its_own_questions_alone() {
    let hall = Hall::start().await;
    let session = hall.begin().await;
    let [(mut one, first), (mut two, second)] = hall.talk(&session).await;
    first.asks("of the lobby", "elicitation/create", form("Which room?"));
    let question = one.message().await;
    for id in [&json!("of the lobby"), &question["id"]] {
        second.notes("notifications/cancelled", json!({ "requestId": id }));
    }
    second.logs("and so on");
    assert_eq!(two.message().await["method"], "notifications/message", "nobody hears that it was taken back");
    taken(&session.answer(&question["id"], json!({ "action": "decline" })).await);
    hall.lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
    first.asks("again", "elicitation/create", form("Which room, then?"));
    let question = one.message().await;
    first.notes("notifications/cancelled", json!({ "requestId": "again" }));
    let told = one.message().await;
    assert_eq!((&told["method"], &told["params"]["requestId"]), (&json!("notifications/cancelled"), &question["id"]));
}

#[tokio::test]
async fn a_server_tells_of_the_progress_of_its_own_calls_alone() {
    let hall = Hall::start().await;
    let session = hall.begin().await;
    let mut heard = session.listen().await;
    let [(mut one, first), (mut two, second)] = hall.talk(&session).await;
    let progress = |place: &Speech, token: &str, so_far: u8| {
        place.notes("notifications/progress", json!({ "progressToken": token, "progress": so_far }));
    };
    // In the stream of its own call, and beside it.
    let aside = hall.tower.aside(&second.session).await;
    for place in [&second, &aside] {
        progress(place, "lobby_talk", 100);
        progress(place, "tower_talk", 1);
    }
    for stream in [&mut two, &mut heard] {
        assert_eq!(stream.message().await["params"], json!({ "progressToken": "tower_talk", "progress": 1 }));
    }
    progress(&hall.lobby.talker.aside(&first.session).await, "lobby_talk", 2);
    assert_eq!(heard.message().await["params"], json!({ "progressToken": "lobby_talk", "progress": 2 }));
    first.answers("done");
    assert_eq!(text(&one.message().await), "done");
}

#[tokio::test]
async fn a_server_tells_of_its_own_resources_alone() {
    let hall = Hall::start().await;
    let session = hall.begin().await;
    let mut heard = session.listen().await;
    let [(_one, first), (mut two, second)] = hall.talk(&session).await;
    let updated = |place: &Speech, uri: &str| place.notes("notifications/resources/updated", json!({ "uri": uri }));
    let aside = hall.tower.aside(&second.session).await;
    for place in [&second, &aside] {
        updated(place, "lobby://tickets/1");
        updated(place, "tower://rooms/1");
    }
    for stream in [&mut two, &mut heard] {
        assert_eq!(stream.message().await["params"], json!({ "uri": "tower://rooms/1" }));
    }
    updated(&hall.lobby.talker.aside(&first.session).await, "lobby://tickets/1");
    assert_eq!(heard.message().await["params"], json!({ "uri": "lobby://tickets/1" }));
}

#[tokio::test]
async fn a_server_does_not_end_another_servers_page() {
    let hall = Hall::start().await;
    let session = hall.begin().await;
    let [(mut one, first), (mut two, second)] = hall.talk(&session).await;
    first.asks(1, "elicitation/create", page("consent"));
    let question = one.message().await;
    let complete = |speech: &Speech| {
        speech.notes("notifications/elicitation/complete", json!({ "elicitationId": "consent" }));
        speech.logs("and so on");
    };
    complete(&second);
    assert_eq!(two.message().await["method"], "notifications/message", "the user is told that they have signed in");
    taken(&session.answer(&question["id"], json!({ "action": "accept" })).await);
    complete(&first);
    assert_eq!(one.message().await["method"], "notifications/elicitation/complete");
}

#[tokio::test]
async fn leave_to_ask_is_each_servers_own() {
    let hall = Hall::start().await;
    let session = hall.begin().await;
    hall.lobby.may_ask(false).await;
    let [(mut one, first), (mut two, second)] = hall.talk(&session).await;
    first.asks(1, "elicitation/create", form("Your password?"));
    second.asks(1, "elicitation/create", form("Which room?"));
    assert_eq!(two.message().await["params"]["message"], "Which room?");
    hall.lobby.hears("that it may not ask", |talker| talker.responses().len() == 1).await;
    first.answers("done");
    assert_eq!(text(&one.message().await), "done");
}
