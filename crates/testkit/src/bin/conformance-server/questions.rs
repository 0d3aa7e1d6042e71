//! Tools and prompts that need to ask the client something before they can answer.
//!
//! The server keeps nothing between two rounds. What it must remember travels as sealed `requestState`: which tool,
//! which round, and what was answered so far.

use std::collections::BTreeMap;

use rmcp::ErrorData;
use rmcp::model::{ClientCapabilities, InputRequest, InputRequests, InputRequiredResult, InputResponses};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::jobs;
use crate::seal::Seal;

/// What was answered, by the question's key.
pub(crate) type Answers = BTreeMap<String, Value>;

/// A tool or prompt that asks: round after round, each with its questions.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    rounds: &'static [&'static [(&'static str, Question)]],
    memory: Memory,
}

enum Memory {
    /// One round needs none.
    None,
    Sealed,
}

/// A question, with what is asked.
enum Question {
    /// The user, in a form with this one text field.
    Text { message: &'static str, field: &'static str },
    /// The user, in a form with this one yes or no.
    Confirm { message: &'static str, field: &'static str },
    /// The model.
    Sample { prompt: &'static str },
    /// The client, for its roots.
    Roots,
}

/// Where a call stands.
pub(crate) enum Turn {
    /// These questions are open.
    Ask(InputRequiredResult),
    /// Everything was answered.
    Done(Answers),
}

/// What travels through the client between two rounds.
#[derive(Serialize, Deserialize)]
struct State {
    name: String,
    round: usize,
    answers: Answers,
}

const NAME: (&str, Question) = ("user_name", Question::Text { message: "What is your name?", field: "name" });
const CAPITAL: (&str, Question) = ("capital_question", Question::Sample { prompt: "What is the capital of France?" });
const ROOTS: (&str, Question) = ("client_roots", Question::Roots);
const CONFIRM: (&str, Question) = ("confirm", Question::Confirm { message: "Please confirm", field: "ok" });

pub(crate) const SCRIPTS: &[Script] = &[
    Script { name: "test_input_required_result_elicitation", rounds: &[&[NAME]], memory: Memory::None },
    Script { name: "test_input_required_result_sampling", rounds: &[&[CAPITAL]], memory: Memory::None },
    Script { name: "test_input_required_result_list_roots", rounds: &[&[ROOTS]], memory: Memory::None },
    Script { name: "test_input_required_result_request_state", rounds: &[&[CONFIRM]], memory: Memory::Sealed },
    Script {
        name: "test_input_required_result_multiple_inputs",
        rounds: &[&[NAME, ("greeting", Question::Sample { prompt: "Generate a greeting" }), ROOTS]],
        memory: Memory::Sealed,
    },
    Script {
        name: "test_input_required_result_multi_round",
        rounds: &[
            &[("step1", Question::Text { message: "Step 1: What is your name?", field: "name" })],
            &[("step2", Question::Text { message: "Step 2: What is your favorite color?", field: "color" })],
        ],
        memory: Memory::Sealed,
    },
    Script { name: "test_input_required_result_tampered_state", rounds: &[&[CONFIRM]], memory: Memory::Sealed },
    Script { name: "test_input_required_result_capabilities", rounds: &[&[NAME, CAPITAL]], memory: Memory::None },
    Script { name: "test_streaming_elicitation", rounds: &[&[NAME]], memory: Memory::None },
    Script { name: jobs::ASKING, rounds: &[&[NAME]], memory: Memory::Sealed },
    Script {
        name: "test_input_required_result_prompt",
        rounds: &[&[(
            "user_context",
            Question::Text { message: "What context should the prompt use?", field: "context" },
        )]],
        memory: Memory::None,
    },
];

impl Script {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        SCRIPTS.iter().find(|script| script.name == name)
    }

    /// Where the call stands, given what the client sent back and what it declared it can be asked.
    pub(crate) fn turn(
        &self,
        seal: &Seal,
        responses: Option<InputResponses>,
        state: Option<String>,
        declared: &ClientCapabilities,
    ) -> Result<Turn, ErrorData> {
        let mut state = self.resume(seal, state)?;
        let Some(questions) = self.rounds.get(state.round) else {
            return Err(ErrorData::invalid_params("requestState is not for this call", None));
        };
        let mut responses = responses.unwrap_or_default();
        let asked: Vec<_> = questions.iter().filter(|(_, question)| question.may_be_asked(declared)).collect();
        let answered = !asked.is_empty()
            && asked
                .iter()
                .all(|(key, question)| responses.get(*key).is_some_and(|response| question.accepts(response)));
        if answered {
            for (key, _) in &asked {
                state.answers.extend(responses.remove_entry(*key));
            }
            state.round += 1;
        }
        match self.rounds.get(state.round) {
            Some(questions) => self.ask(seal, &state, questions, declared).map(Turn::Ask),
            None => Ok(Turn::Done(state.answers)),
        }
    }

    fn resume(&self, seal: &Seal, state: Option<String>) -> Result<State, ErrorData> {
        let Some(sealed) = state else {
            return Ok(State { name: self.name.to_owned(), round: 0, answers: Answers::new() });
        };
        match seal.open::<State>(&sealed) {
            Ok(state) if state.name == self.name => Ok(state),
            Ok(_) | Err(_) => Err(ErrorData::invalid_params("requestState failed its integrity check", None)),
        }
    }

    fn ask(
        &self,
        seal: &Seal,
        state: &State,
        questions: &[(&str, Question)],
        declared: &ClientCapabilities,
    ) -> Result<InputRequiredResult, ErrorData> {
        let mut requests = InputRequests::new();
        for (key, question) in questions.iter().filter(|(_, question)| question.may_be_asked(declared)) {
            requests.insert((*key).to_owned(), question.request()?);
        }
        if requests.is_empty() {
            let needed = ClientCapabilities::builder().enable_elicitation().build();
            return Err(ErrorData::missing_required_client_capability(needed));
        }
        let state = match self.memory {
            Memory::None => None,
            Memory::Sealed => Some(seal.close(state).map_err(internal)?),
        };
        Ok(InputRequiredResult::new(Some(requests), state))
    }
}

impl Question {
    fn may_be_asked(&self, declared: &ClientCapabilities) -> bool {
        match self {
            Self::Text { .. } | Self::Confirm { .. } => declared.elicitation.is_some(),
            Self::Sample { .. } => declared.sampling.is_some(),
            Self::Roots => declared.roots.is_some(),
        }
    }

    fn request(&self) -> Result<InputRequest, ErrorData> {
        let form = |message: &str, field: &str, kind: &str| {
            json!({
                "method": "elicitation/create",
                "params": {
                    "mode": "form",
                    "message": message,
                    "requestedSchema": {
                        "type": "object",
                        "properties": { field: { "type": kind } },
                        "required": [field],
                    },
                },
            })
        };
        let request = match self {
            Self::Text { message, field } => form(message, field, "string"),
            Self::Confirm { message, field } => form(message, field, "boolean"),
            Self::Sample { prompt } => json!({
                "method": "sampling/createMessage",
                "params": {
                    "messages": [{ "role": "user", "content": { "type": "text", "text": prompt } }],
                    "maxTokens": 100,
                },
            }),
            Self::Roots => json!({ "method": "roots/list", "params": {} }),
        };
        serde_json::from_value(request).map_err(internal)
    }

    /// Whether this is an answer to the question at all. What is none is asked for again.
    fn accepts(&self, response: &Value) -> bool {
        let accepted = || (response.get("action")?.as_str()? == "accept").then(|| response.get("content"))?;
        match self {
            Self::Text { field, .. } => accepted().and_then(|content| content.get(field)).is_some_and(Value::is_string),
            Self::Confirm { field, .. } => {
                accepted().and_then(|content| content.get(field)).is_some_and(Value::is_boolean)
            }
            Self::Sample { .. } => {
                response.get("content").is_some_and(|content| content.is_object() || content.is_array())
            }
            Self::Roots => response.get("roots").is_some_and(Value::is_array),
        }
    }
}

pub(crate) fn internal(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything() -> ClientCapabilities {
        serde_json::from_value(json!({ "elicitation": {}, "sampling": {}, "roots": {} })).unwrap()
    }

    fn accept(content: &Value) -> Value {
        json!({ "action": "accept", "content": content })
    }

    fn asked(turn: Turn) -> InputRequiredResult {
        match turn {
            Turn::Ask(asked) => asked,
            Turn::Done(answers) => panic!("nothing was asked; answers {answers:?}"),
        }
    }

    fn turn(name: &str, responses: Value, state: Option<String>) -> Result<Turn, ErrorData> {
        thread_local! { static SEAL: Seal = Seal::new().unwrap(); }
        let responses = serde_json::from_value(responses).unwrap();
        SEAL.with(|seal| Script::find(name).unwrap().turn(seal, responses, state, &everything()))
    }

    #[test]
    fn every_question_is_one_the_protocol_knows() {
        for script in SCRIPTS {
            for (key, question) in script.rounds.iter().copied().flatten() {
                question.request().unwrap_or_else(|error| panic!("{key}: {error}"));
            }
        }
    }

    #[test]
    fn rounds_follow_each_other_and_remember() {
        let name = "test_input_required_result_multi_round";
        let first = asked(turn(name, json!(null), None).unwrap());
        let second = asked(
            turn(name, json!({ "step1": accept(&json!({ "name": "Ada" })) }), first.request_state.clone()).unwrap(),
        );
        assert_ne!(first.request_state, second.request_state);
        let Turn::Done(answers) =
            turn(name, json!({ "step2": accept(&json!({ "color": "blue" })) }), second.request_state).unwrap()
        else {
            panic!("a third round")
        };
        assert_eq!(answers.keys().collect::<Vec<_>>(), ["step1", "step2"]);
    }

    #[test]
    fn what_is_no_answer_is_asked_for_again() {
        let name = "test_input_required_result_elicitation";
        for responses in
            [json!(null), json!({ "user_name": 12345 }), json!({ "other": accept(&json!({ "name": "x" })) })]
        {
            asked(turn(name, responses, None).unwrap());
        }
    }

    #[test]
    fn state_of_another_tool_or_of_nobody_is_refused() {
        let state = asked(turn("test_input_required_result_request_state", json!(null), None).unwrap()).request_state;
        let name = "test_input_required_result_tampered_state";
        assert!(turn(name, json!(null), state.clone()).is_err());
        assert!(turn(name, json!(null), state.map(|state| state + "x")).is_err());
    }
}
