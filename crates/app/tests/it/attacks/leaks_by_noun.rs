//! Secrets in everything that is no plain call and no plain result: listings, prompts, completion, questions both ways, tasks,
//! log messages, progress, errors, and what is split over the messages of a stream. Each is looked into and decided on.

use serde_json::{Value, json};

use super::data_leaks::token;
use crate::gate::files::ANA;
use crate::gate::{Gate, Setup};
use crate::puppet::Manner;
use crate::puppet::tasks::{completed, task};
use crate::session::Line;
use crate::sessions::{Lobby, capabilities, taken, text};
use crate::talker::{form, said};
use crate::tasks::{begun, client, get};
use crate::verdict::{POLICY_FORBIDS, RELEASE_REFUSED, passes, words};

/// Nothing with a secret in it passes at a server, whatever it is.
fn sealed(server: &str) -> Setup {
    let policies = format!(
        r#"
@id("sealed") @message("secrets stay where they are")
forbid (principal, action in [Action::"call", Action::"release"], resource in Server::"{server}")
when {{ context.findings.classes.contains("secret") }};
@id("sealed-questions")
forbid (principal, action == Action::"ask", resource == Server::"{server}")
when {{ context.findings.classes.contains("secret") }};
"#
    );
    Setup { state: vec![("policies/sealed.cedar".to_owned(), policies)], ..Setup::default() }
}

fn with_token(before: &str) -> String {
    format!("{before} {}", token())
}

/// The receipt tells what was seen, and holds nothing of it.
fn tells(event: &Value) {
    assert_eq!(event["findings"]["list"][0]["rule"], "secret.github.token", "{event:#}");
    assert!(!event.to_string().contains(token().split_at(8).1), "{event:#}");
}

#[tokio::test]
async fn a_question_with_a_secret_in_it_is_not_put_and_no_answer_with_one_arrives() {
    let lobby = Lobby::with(sealed("lobby")).await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks("bad", "elicitation/create", form(&with_token("Is this the key?")));
    lobby.hears("that it may not ask", |talker| talker.responses().len() == 1).await;
    assert_eq!(lobby.talker.responses()[0]["error"]["message"], "the question was not put to the client");
    tells(&lobby.receipts("refused").await[0]);

    speech.asks("good", "elicitation/create", form("Which key?"));
    let question = answer.message().await["id"].clone();
    let reply = session.answer(&question, json!({ "action": "accept", "content": { "key": token() } })).await;
    assert_eq!(reply.status, 403, "{:#}", reply.json);
    lobby.hears("that there is no answer", |talker| talker.responses().len() == 2).await;
    let heard = lobby.talker.seen().into_iter().map(|seen| seen.message.to_string());
    assert!(!heard.collect::<String>().contains(&token()));
    tells(&lobby.receipts("refused").await[0]);

    speech.asks("better", "elicitation/create", form("Which door?"));
    let question = answer.message().await["id"].clone();
    taken(&session.answer(&question, json!({ "action": "accept", "content": { "door": "the blue one" } })).await);
    lobby.hears("the answer", |talker| talker.responses().len() == 3).await;
}

#[tokio::test]
async fn a_call_that_is_made_again_after_a_question_is_decided_on_by_what_is_in_it() {
    let mut setup = sealed("desk");
    let asks = r#"permit (principal, action == Action::"ask", resource == Server::"desk");"#;
    setup.state.push(("policies/asks.cedar".to_owned(), asks.to_owned()));
    let gate = Gate::with(setup).await;
    gate.desk.behave(|script| script.manner = Manner::AsksTwice);
    let session = Line::new(&gate, "desk", ANA).begin(capabilities()).await;
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let mut answer = session.post(&session.request("tools/call", params)).await;
    for word in ["one", "two"] {
        let question = answer.message().await["id"].clone();
        taken(&session.answer(&question, json!({ "action": "accept", "content": { "word": word } })).await);
    }
    assert_eq!(text(&answer.message().await), "did \"read_ticket\"");
}

#[tokio::test]
async fn an_answer_to_a_question_arrives_without_what_is_to_be_redacted() {
    let policies = r#"@id("no-addresses") @redact("personal")
forbid (principal, action == Action::"ask", resource == Server::"lobby");"#;
    let state = vec![("policies/no-addresses.cedar".to_owned(), policies.to_owned())];
    let lobby = Lobby::with(Setup { state, ..Setup::default() }).await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks("q", "elicitation/create", form("Are you jane@company.org?"));
    let question = answer.message().await;
    assert_eq!(question["params"]["message"], "Are you [personal.email]?");
    let said = json!({ "action": "accept", "content": { "name": "no, john@company.org" } });
    taken(&session.answer(&question["id"], said).await);
    lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
    let returned = lobby.talker.responses().remove(0);
    assert_eq!(
        (&returned["id"], &returned["result"]["content"]["name"]),
        (&json!("q"), &json!("no, [personal.email]"))
    );
}

#[tokio::test]
async fn what_a_server_says_unasked_is_looked_into() {
    let lobby = Lobby::with(sealed("lobby")).await;
    let session = lobby.begin(ANA).await;
    let (mut heard, aside) = lobby.aside(&session).await;
    aside.logs(&with_token("signed in with"));
    aside.logs("all is well");
    let message = heard.message().await;
    assert!(message.to_string().contains("all is well"), "{message:#}");
    assert!(heard.is_silent().await);
    let refused = lobby.receipts("refused").await.remove(0);
    assert_eq!(
        (&refused["control"], &refused["reason"]),
        (&json!("release"), &json!("release-refused")),
        "{refused:#}"
    );
    tells(&refused);
}

#[tokio::test]
async fn a_log_message_and_an_error_with_a_secret_do_not_pass() {
    let lobby = Lobby::with(sealed("lobby")).await;
    let session = lobby.begin(ANA).await;
    for is_error in [false, true] {
        let (mut answer, speech) = lobby.talk(&session).await;
        if is_error {
            let error = json!({ "code": -32000, "message": with_token("cannot use") });
            speech.say(&json!({ "jsonrpc": "2.0", "id": speech.id, "error": error }));
        } else {
            speech.logs(&with_token("signed in with"));
        }
        words(&answer.message().await, RELEASE_REFUSED);
        assert_eq!(answer.next().await, None);
        let outcome = lobby.gate.outcome(&answer.receipt()).await;
        assert_eq!(outcome["end"]["type"], "result-withheld", "{outcome:#}");
        tells(&outcome);
    }
}

#[tokio::test]
async fn a_secret_that_is_split_over_the_messages_of_a_stream_does_not_pass() {
    let lobby = Lobby::with(sealed("lobby")).await;
    let session = lobby.begin(ANA).await;
    let token = token();
    let (first, rest) = token.split_at(9);
    let (second, third) = rest.split_at(12);
    let parts = [first, second, third];
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.logs(parts[0]);
    speech.logs(parts[1]);
    speech.say(&json!({ "jsonrpc": "2.0", "id": speech.id, "result": said(&format!("{}, done", parts[2])) }));
    for part in &parts[..2] {
        assert!(answer.message().await.to_string().contains(part));
    }
    words(&answer.message().await, RELEASE_REFUSED);
    tells(&lobby.gate.outcome(&answer.receipt()).await);

    // The last part by itself is nothing.
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.answers(parts[2]);
    assert_eq!(text(&answer.message().await), parts[2]);
}

#[tokio::test]
async fn an_entry_of_a_listing_with_a_secret_is_left_out() {
    let gate = Gate::with(sealed("desk")).await;
    gate.desk.behave(|script| script.resources[1]["description"] = with_token("open it with").into());
    let reply = gate.client(ANA).post("resources/list", json!({})).await.unwrap();
    passes(&reply);
    let listed = reply.json["result"]["resources"].as_array().unwrap();
    assert_eq!(listed.iter().map(|one| &one["uri"]).collect::<Vec<_>>(), ["desk://tickets/1"]);
    let id = reply.headers.get("portcullis-receipt").unwrap().to_str().unwrap().to_owned();
    tells(&gate.outcome(&id).await);
}

#[tokio::test]
async fn arguments_of_prompts_and_completion_are_looked_into() {
    let gate = Gate::with(sealed("desk")).await;
    let client = gate.client(ANA);
    let prompt = json!({ "name": "summary", "arguments": { "of": with_token("all of") } });
    tells(&gate.refuses(&client.post("prompts/get", prompt).await.unwrap(), POLICY_FORBIDS).await);
    let completion = json!({
        "ref": { "type": "ref/prompt", "name": "summary" }, "argument": { "name": "of", "value": token() },
    });
    tells(&gate.refuses(&client.post("completion/complete", completion).await.unwrap(), POLICY_FORBIDS).await);
    assert_eq!(gate.desk.calls(), 0);
    passes(&client.post("prompts/get", json!({ "name": "summary", "arguments": { "of": "all" } })).await.unwrap());
}

#[tokio::test]
async fn what_a_task_came_to_is_looked_into() {
    let gate = Gate::with(sealed("desk")).await;
    let (ana, id) = (client(&gate, ANA), begun(&gate).await);
    gate.desk.behave(|script| script.task = completed(&with_token("it is")));
    let reply = get(&ana, &id).await;
    tells(&gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await);

    let wanted = json!({ "taskIds": [id], "resourceSubscriptions": ["desk://tickets/1"] });
    let mut stream = ana.listen(wanted).await.unwrap();
    stream.next().await.unwrap().expect("an acknowledgement");
    gate.desk.tell(task(&completed("all of it")));
    let told = stream.next().await.unwrap().expect("how it ended");
    assert_eq!(told["params"]["result"]["content"][0]["text"], "all of it");
    gate.desk.tell(task(&completed(&with_token("it is"))));
    words(&stream.next().await.unwrap().expect("a refusal"), RELEASE_REFUSED);
}
