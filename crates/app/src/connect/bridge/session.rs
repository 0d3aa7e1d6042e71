//! Messages of the revisions with a handshake, whichever the client asks for and the gate serves: they belong to the session that `initialize` began.
//!
//! A gate may end a session, and one that was started anew knows none of the old. Nothing is lost by that as long as the
//! client has set nothing up in its session that lasts, and the new session offers what the old one did: then another
//! one is begun without the client's knowledge, what was refused for want of a session is sent again (it was not
//! processed), and the client is told to read the lists anew. Otherwise the request is answered with an error and the
//! program ends, so that the client starts it again.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use model::{Reason, limits};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OwnedRwLockWriteGuard, RwLock};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::answer::{Heard, Place};
use super::{Bridge, ForClient, note};
use crate::connect::gate::{Answer, Events, Said};
use crate::connect::message::{Kind, Message};
use crate::connect::trouble::Trouble;

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// What a client sets up and goes on to rely on.
const LASTING: &[&str] = &["resources/subscribe", "logging/setLevel"];
/// Lists that a server may say have changed, by its capability.
const LISTS: &[&str] = &["tools", "prompts", "resources"];

/// The right to carry a message while no other of a session is begun.
pub(super) type Turn = OwnedRwLockWriteGuard<()>;

/// The session, if the client began one.
#[derive(Default)]
pub(super) struct Sessions {
    /// Written by who carries the handshake, read by all who need the session that it makes.
    turn: Arc<RwLock<()>>,
    now: Mutex<Option<Session>>,
}

/// A session that is begun in place of another; its headers.
type Renewal<'a> = Pin<Box<dyn Future<Output = Result<HeaderMap, Trouble>> + Send + 'a>>;

struct Session {
    /// What its messages carry: version and session id.
    headers: HeaderMap,
    /// The client's `initialize`, and its word that it is ready.
    greeting: Message,
    ready: Option<Bytes>,
    /// The version and capabilities that the client was told.
    offer: Value,
    /// Has the client set something up that a new session would not have?
    lasting: bool,
    listener: Option<AbortHandle>,
}

impl Sessions {
    /// Waits until no message of a handshake is under way, and keeps others waiting.
    pub(super) async fn alone(&self) -> Turn {
        Arc::clone(&self.turn).write_owned().await
    }

    /// Whether the session that is there has batches.
    pub(super) async fn batches(&self) -> bool {
        let headers = self.headers().await;
        let version = headers.get(wire::header::PROTOCOL_VERSION).and_then(|version| version.to_str().ok());
        version.and_then(wire::Revision::parse).is_some_and(wire::Revision::batches)
    }

    /// The headers of the session that is there once the handshake before this message is done.
    async fn headers(&self) -> HeaderMap {
        let _turn = self.turn.read().await;
        self.now.lock().await.as_ref().map(|session| session.headers.clone()).unwrap_or_default()
    }
}

impl Bridge {
    /// Carries one message. `turn` comes with those of the handshake.
    pub(super) async fn in_session(
        self: &Arc<Self>,
        message: &Message,
        turn: Option<Turn>,
    ) -> Result<ForClient, Trouble> {
        match turn {
            Some(turn) if message.method() == "initialize" => {
                let answer = self.initialize(message).await;
                drop(turn);
                answer
            }
            Some(turn) => {
                let answer = self.ready(message.body.clone()).await;
                drop(turn);
                answer.map(|()| None)
            }
            None => self.within(message).await,
        }
    }

    async fn initialize(&self, message: &Message) -> Result<ForClient, Trouble> {
        let (answer, headers, offer) = self.greet(message).await?;
        if let Some(offer) = offer {
            let session =
                Session { headers, greeting: message.clone(), ready: None, offer, lasting: false, listener: None };
            self.replace(session).await;
        }
        Ok(Some(answer))
    }

    /// Sends `initialize`: its answer, the headers of the session, and what it offers if it was not refused.
    async fn greet(&self, message: &Message) -> Result<(Bytes, HeaderMap, Option<Value>), Trouble> {
        let answer = self.gate.post(HeaderMap::new(), message.body.clone()).await?;
        let id = answer.headers.get(&SESSION_ID).cloned();
        let answer = self.outcome(message, answer, None).await?.unwrap_or_default();
        let result = Heard::read(&answer)?.result.and_then(|result| serde_json::from_str::<Value>(result.get()).ok());
        let mut headers = HeaderMap::new();
        let mut offer = None;
        if let Some(result) = result {
            let version = result.get("protocolVersion").and_then(Value::as_str);
            if let Some(version) = version.and_then(|version| HeaderValue::from_str(version).ok()) {
                headers.insert(wire::header::PROTOCOL_VERSION, version);
            }
            offer = Some(json!([result.get("protocolVersion"), result.get("capabilities")]));
        }
        headers.extend(id.map(|id| (SESSION_ID, id)));
        Ok((answer, headers, offer))
    }

    /// Says that the client is ready, and begins to listen.
    async fn ready(self: &Arc<Self>, body: Bytes) -> Result<(), Trouble> {
        let mut now = self.sessions.now.lock().await;
        let Some(session) = now.as_mut() else { return Ok(()) };
        let answer = self.gate.post(session.headers.clone(), body.clone()).await?;
        if !answer.status.is_success() {
            return Err(Trouble::NotTaken { status: answer.status });
        }
        session.ready = Some(body);
        let listener = self.start_listening(session.headers.clone());
        if let Some(before) = session.listener.replace(listener) {
            before.abort();
        }
        Ok(())
    }

    async fn within(self: &Arc<Self>, message: &Message) -> Result<ForClient, Trouble> {
        let mut headers = self.sessions.headers().await;
        let mut answer = self.gate.post(headers.clone(), message.body.clone()).await?;
        if is_over(&headers, &answer) {
            headers = self.renewed(&headers).await?;
            let Kind::Request { .. } = &message.kind else {
                // What it was about went with the session.
                return Ok(None);
            };
            answer = self.gate.post(headers.clone(), message.body.clone()).await?;
            if is_over(&headers, &answer) {
                return Err(self.lost());
            }
        }
        let answer = self.outcome(message, answer, Some(&headers)).await?;
        if LASTING.contains(&message.method())
            && let Some(session) = self.sessions.now.lock().await.as_mut()
        {
            session.lasting = true;
        }
        Ok(answer)
    }

    /// Begins another session in place of the one with these headers, if nothing is lost by that.
    /// Boxed, because the listener that it starts may call it in turn.
    fn renewed<'a>(self: &'a Arc<Self>, old: &'a HeaderMap) -> Renewal<'a> {
        Box::pin(self.begun_anew(old))
    }

    async fn begun_anew(self: &Arc<Self>, old: &HeaderMap) -> Result<HeaderMap, Trouble> {
        let _turn = self.sessions.turn.write().await;
        let before = {
            let now = self.sessions.now.lock().await;
            let Some(session) = now.as_ref() else { return Err(self.lost()) };
            if session.headers != *old {
                // Another message found out before this one.
                return Ok(session.headers.clone());
            }
            if session.lasting {
                return Err(self.lost());
            }
            (session.greeting.clone(), session.ready.clone(), session.offer.clone())
        };
        let (greeting, ready, offer) = before;
        let (_, headers, offered) = self.greet(&greeting).await?;
        if offered.as_ref() != Some(&offer) {
            return Err(self.lost());
        }
        let session = Session { headers, greeting, ready: None, offer, lasting: false, listener: None };
        let headers = session.headers.clone();
        self.replace(session).await;
        if let Some(ready) = ready {
            self.ready(ready).await?;
        }
        note("the gate had ended the session; another one was begun");
        self.say_that_lists_changed().await;
        Ok(headers)
    }

    async fn say_that_lists_changed(&self) {
        let offer = self.sessions.now.lock().await.as_ref().map(|session| session.offer.clone()).unwrap_or_default();
        for list in LISTS {
            let told = offer.get(1).and_then(|offer| offer.get(list)?.get("listChanged")?.as_bool());
            if told == Some(true) {
                let changed = json!({ "jsonrpc": "2.0", "method": format!("notifications/{list}/list_changed") });
                self.output.say(changed.to_string().as_bytes()).await;
            }
        }
    }

    async fn replace(&self, session: Session) {
        let before = self.sessions.now.lock().await.replace(session);
        if let Some(listener) = before.and_then(|before| before.listener) {
            listener.abort();
        }
    }

    /// Ends the program, once the request is answered.
    fn lost(&self) -> Trouble {
        self.over.notify_one();
        Trouble::SessionOver
    }

    /// Tells the gate that the session is no longer needed.
    pub(super) async fn end_session(&self) {
        let Some(session) = self.sessions.now.lock().await.take() else { return };
        if let Some(listener) = session.listener {
            listener.abort();
        }
        if session.headers.contains_key(SESSION_ID) {
            // A gate that cannot be told ends the session by itself some day.
            drop(self.gate.delete(session.headers).await);
        }
    }

    fn start_listening(self: &Arc<Self>, headers: HeaderMap) -> AbortHandle {
        let bridge = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut place = Place::default();
            let mut fruitless = 0;
            while let Some(bridge) = bridge.upgrade() {
                if !bridge.listened(&headers, &mut place, &mut fruitless).await {
                    return;
                }
                drop(bridge);
                sleep(pause(&place, fruitless)).await;
            }
        })
        .abort_handle()
    }

    /// Hears what servers say by themselves, until the stream ends. Says whether to try again.
    async fn listened(self: &Arc<Self>, headers: &HeaderMap, place: &mut Place, fruitless: &mut u32) -> bool {
        *fruitless = fruitless.saturating_add(1);
        let answer = match self.gate.get(at(headers, place)).await {
            Ok(answer) => answer,
            Err(trouble) => {
                self.tell(&trouble);
                return true;
            }
        };
        if is_over(headers, &answer) {
            drop(self.renewed(headers).await);
            return false;
        }
        let Said::Stream(mut events) = answer.said else {
            // It has no such stream, or not for this caller.
            return answer.status.is_server_error();
        };
        while let Ok(Some(event)) = events.next().await {
            *fruitless = 0;
            place.note(&event);
            if Heard::read(&event.data).is_ok() {
                self.output.say(&event.data).await;
            }
        }
        true
    }

    /// The rest of a stream that broke off, from where it was read to. Reading again is not sending again.
    pub(super) async fn read_on(
        &self,
        headers: &HeaderMap,
        place: &Place,
        fruitless: &mut u32,
    ) -> Result<Events, Trouble> {
        while place.last.is_some() && *fruitless < limits::CONNECT_RESUMPTIONS_MAX {
            sleep(pause(place, *fruitless)).await;
            *fruitless = fruitless.saturating_add(1);
            match self.gate.get(at(headers, place)).await {
                Ok(Answer { said: Said::Stream(events), .. }) => return Ok(events),
                Err(Trouble::Unreachable { .. } | Trouble::Broken) => {}
                Ok(Answer { status, .. }) if status.is_server_error() => {}
                Ok(_) | Err(_) => break,
            }
        }
        Err(Trouble::Ended)
    }
}

/// How long to wait before a stream is read on: as long as its server said, and longer with each time in vain.
fn pause(place: &Place, fruitless: u32) -> Duration {
    let asked = place.retry.unwrap_or(limits::CONNECT_RETRY_MILLISECONDS);
    let doubled = asked.saturating_mul(1 << fruitless.saturating_sub(1).min(16));
    Duration::from_millis(doubled.min(limits::CONNECT_RETRY_MILLISECONDS_MAX))
}

fn at(headers: &HeaderMap, place: &Place) -> HeaderMap {
    let mut headers = headers.clone();
    let last = place.last.as_deref().and_then(|last| HeaderValue::from_str(last).ok());
    headers.extend(last.map(|last| (LAST_EVENT_ID, last)));
    headers
}

/// Says 404 that the session is over? Or that there is no such method or endpoint, which the gate says with codes of
/// their own?
fn is_over(headers: &HeaderMap, answer: &Answer) -> bool {
    if answer.status != StatusCode::NOT_FOUND || !headers.contains_key(SESSION_ID) {
        return false;
    }
    let code = match &answer.said {
        Said::Whole(body) => Heard::read(body).ok().and_then(|heard| heard.code()),
        Said::Stream(_) | Said::Nothing => None,
    };
    let others = [Reason::MethodUnknown, Reason::EndpointNotFound, Reason::PathUnknown];
    !others.iter().any(|reason| match reason.row().code {
        model::Code::Error(known) | model::Code::ToolError(known) => code == Some(i64::from(known)),
    })
}

#[cfg(test)]
mod tests;
