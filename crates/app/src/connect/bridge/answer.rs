//! Finding the answer to a request in what the gate says.

use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Bridge, ForClient};
use crate::connect::gate::{Answer, Events, Said};
use crate::connect::message::Message;
use crate::connect::trouble::Trouble;

/// A message of the gate's, as far as it has to be known.
#[derive(Deserialize)]
pub(super) struct Heard<'a> {
    #[serde(default)]
    pub(super) id: Value,
    #[serde(default)]
    method: Option<Value>,
    #[serde(borrow, default)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) error: Option<Value>,
}

/// Where in a stream its reader is.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The last event that had an id.
    pub(super) last: Option<String>,
    /// Milliseconds to wait before reading on.
    pub(super) retry: Option<u64>,
}

impl Place {
    pub(super) fn note(&mut self, event: &wire::sse::Event) {
        self.last = event.id.clone().or(self.last.take()).filter(|id| !id.is_empty());
        self.retry = event.retry.or(self.retry);
    }
}

impl<'a> Heard<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Trouble> {
        serde_json::from_slice(bytes).map_err(|_| Trouble::Unreadable)
    }

    /// The JSON-RPC code of an error.
    pub(super) fn code(&self) -> Option<i64> {
        self.error.as_ref()?.get("code")?.as_i64()
    }
}

/// One message, against the request whose answer is awaited.
enum Part {
    /// The answer.
    Answer(Bytes),
    /// Something on the way to it.
    News(Bytes),
    /// An answer to something else, which nobody here waits for.
    Foreign,
}

impl Bridge {
    /// What becomes of a message that was taken: of a request its answer, and what comes before it is said here.
    pub(super) async fn outcome(
        &self,
        message: &Message,
        answer: Answer,
        reading_on: Option<&HeaderMap>,
    ) -> Result<ForClient, Trouble> {
        let status = answer.status;
        let Some(id) = message.id() else {
            // Notifications and answers are taken, or they are not; there is nobody to tell but the log.
            return if status.is_success() { Ok(None) } else { Err(Trouble::NotTaken { status }) };
        };
        match answer.said {
            Said::Whole(body) => match self.part(message, id, body) {
                Ok(Part::Answer(answer)) => Ok(Some(answer)),
                Ok(Part::News(_) | Part::Foreign) | Err(_) if !status.is_success() => Err(Trouble::NotAGate { status }),
                Ok(Part::News(_) | Part::Foreign) => Err(Trouble::Unreadable),
                Err(trouble) => Err(trouble),
            },
            Said::Stream(events) => self.followed(message, id, events, reading_on).await.map(Some),
            Said::Nothing => Err(Trouble::NotAGate { status }),
        }
    }

    /// Reads a stream until the answer. One of a session that breaks off is read on where it stopped.
    async fn followed(
        &self,
        message: &Message,
        id: &Value,
        mut events: Events,
        reading_on: Option<&HeaderMap>,
    ) -> Result<Bytes, Trouble> {
        let mut place = Place::default();
        let mut fruitless = 0;
        loop {
            match events.next().await {
                Ok(Some(event)) => {
                    place.note(&event);
                    if event.data.is_empty() {
                        continue;
                    }
                    fruitless = 0;
                    match self.part(message, id, event.data)? {
                        Part::Answer(answer) => return Ok(answer),
                        Part::News(news) => self.output.say(&news).await,
                        Part::Foreign => {}
                    }
                }
                Err(Trouble::Unreadable) => return Err(Trouble::Unreadable),
                Ok(None) | Err(_) => {
                    let headers = reading_on.ok_or(Trouble::Ended)?;
                    events = self.read_on(headers, &place, &mut fruitless).await?;
                }
            }
        }
    }

    fn part(&self, message: &Message, id: &Value, bytes: Bytes) -> Result<Part, Trouble> {
        let heard = Heard::read(&bytes)?;
        if heard.method.is_some() {
            return Ok(Part::News(bytes));
        }
        match (&heard.id, heard.result, &heard.error) {
            (answered, Some(result), None) if answered == id => {
                if message.method() == "tools/list"
                    && let Ok(listing) = serde_json::from_str(result.get())
                {
                    self.mirrored.see(&listing);
                }
                Ok(Part::Answer(bytes))
            }
            (answered, None, Some(_)) if answered == id => Ok(Part::Answer(bytes)),
            // The gate could not read which request it refuses; here it is known.
            (Value::Null, None, Some(error)) => {
                Ok(Part::Answer(json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string().into()))
            }
            (_, None, None) | (_, Some(_), Some(_)) => Err(Trouble::Unreadable),
            (_, Some(_), None) | (_, None, Some(_)) => Ok(Part::Foreign),
        }
    }
}
