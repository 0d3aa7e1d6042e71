//! Subscriptions between the eras.
//!
//! A client of 2026-07-28 that subscribes at a server with sessions is given one session for itself, on whose stream the
//! server says what changed, and in which each resource is subscribed to. A client with a session that subscribes to
//! resources of a server of 2026-07-28 has one subscription there, which is opened anew whenever its resources change, and
//! is told on the stream of its session.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use model::{Behalf, Reason, Refusal, ServerName, limits};
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use upstream::{Answer, Deadlines, Route, SendError, Session, Stream};
use wire::answer::{self, Incoming, Outcome};
use wire::{Flaw, Id, Revision, Subject, bridge, outgoing, reply};

use super::{Outbound, Source, Unread, Worded};
use crate::controls::credential;
use crate::gate::Gate;
use crate::legacy::{self, Legacy};
use crate::naming;

/// How long to wait before a subscription that ended is opened again.
const PAUSE: Duration = Duration::from_secs(5);

/// A subscription of a client of 2026-07-28, at a server that keeps sessions.
pub(crate) struct Listening {
    gate: Arc<Gate>,
    server: ServerName,
    behalf: Behalf,
    /// The client's id of it, by which its notifications are told apart.
    id: Id,
    resources_list_changed: bool,
    session: Arc<Session>,
    /// None where the server says nothing unasked.
    stream: Option<Stream>,
    /// What is said first: to what the subscription is.
    first: Option<Bytes>,
    over: bool,
}

/// Subscribes at a server that keeps sessions.
pub(crate) async fn open(outbound: Outbound<'_>, headers: HeaderMap) -> Result<Unread, Flaw> {
    let Outbound { gate, running, message, route, .. } = outbound;
    let id = message.request.id.clone().ok_or_else(|| Refusal::new(Reason::Internal, "a call without an id"))?;
    let Subject::Subscription {
        tools_list_changed, prompts_list_changed, resources_list_changed, resource_uris, ..
    } = &message.request.subject
    else {
        return Err(Refusal::new(Reason::Internal, "a subscription to nothing").into());
    };
    let behalf = running.caller.behalf();
    let credential = running.snapshot.keys.ready(&route.server, &behalf).await?;
    let write = |headers: &mut HeaderMap| {
        if let Some(credential) = &credential {
            credential.write(headers);
        }
    };
    // In a session that is there to listen, nothing can be asked.
    let session = Session::open(route, &json!({}), write).await;
    let session = session.map_err(|error| legacy::unopened(gate, &route.server, &behalf, &error))?;
    let mut listening = Listening {
        gate: Arc::clone(gate),
        server: route.server.clone(),
        behalf,
        id,
        resources_list_changed: *resources_list_changed,
        session: Arc::new(session),
        stream: None,
        first: None,
        over: false,
    };
    let heard = listening.session.listen(headers.clone()).await;
    let keys = &running.snapshot.keys;
    listening.stream =
        heard.map_err(|error| credential::refusal(keys, &route.server, &listening.behalf, None, &error))?;
    let mut granted = Vec::new();
    if listening.stream.is_some() {
        let patience = Duration::from_millis(limits::ANSWER_MILLISECONDS_MAX);
        let subscribing = subscribe(gate, &listening.session, &headers, resource_uris, &mut granted);
        let late = || Refusal::new(Reason::ServerUnreachable, "the server did not take the subscriptions in time");
        timeout(patience, subscribing).await.map_err(|_| late())?;
    }
    // That lists of tools and prompts changed is told by the gate, once people have approved it.
    let granted = json!({
        "toolsListChanged": tools_list_changed,
        "promptsListChanged": prompts_list_changed,
        "resourcesListChanged": *resources_list_changed && listening.stream.is_some(),
        "resourceSubscriptions": granted,
    });
    listening.first = Some(bridge::acknowledged(&listening.id, &granted));
    Ok(Unread::Stream(Source::Listening(Box::new(listening))))
}

/// Subscribes to each resource, and notes those that the server took.
async fn subscribe(gate: &Gate, session: &Session, headers: &HeaderMap, uris: &[String], granted: &mut Vec<String>) {
    for uri in uris {
        let params = Map::from_iter([("uri".to_owned(), Value::from(uri.as_str()))]);
        let id = Id::number(gate.bridge.number());
        let request = outgoing::compose(Revision::NEWEST_LEGACY, "resources/subscribe", params, &id);
        match asked(session, headers.clone(), request.body).await {
            Ok(true) => granted.push(uri.clone()),
            Ok(false) => {}
            Err(error) => tracing::debug!(%error, "a server did not take a subscription"),
        }
    }
}

/// Whether the server answered a request with a result.
async fn asked(session: &Session, headers: HeaderMap, body: Bytes) -> Result<bool, SendError> {
    let is_result = |bytes: &Bytes| match answer::read(bytes) {
        Ok(Incoming::Response { outcome: Outcome::Result { .. }, .. }) => Some(true),
        Ok(Incoming::Response { outcome: Outcome::Error { .. }, .. }) | Err(_) => Some(false),
        Ok(Incoming::Notification(_) | Incoming::Request { .. }) => None,
    };
    match session.send(headers, body, Deadlines::CALL).await? {
        Answer::Whole { body, .. } => Ok(is_result(&body) == Some(true)),
        Answer::Accepted => Ok(false),
        Answer::Stream(mut stream) => {
            while let Some(message) = stream.next().await {
                if let Some(told) = is_result(&message?) {
                    return Ok(told);
                }
            }
            Ok(false)
        }
    }
}

impl Listening {
    /// What the client hears next; `None` after the end.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Flaw>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        while !self.over {
            let Some(stream) = &mut self.stream else {
                // Nothing is said here but by the gate, until somebody ends it.
                return std::future::pending().await;
            };
            match stream.next().await {
                Some(Ok(bytes)) => match self.message(&bytes) {
                    Ok(None) => {}
                    Ok(Some(message)) => return Some(Ok(message)),
                    Err(flaw) => return Some(Err(flaw)),
                },
                Some(Err(_)) | None => {
                    self.over = true;
                    return Some(Ok(reply::result(&self.id, &json!({ "resultType": "complete" }))));
                }
            }
        }
        None
    }

    fn message(&self, bytes: &Bytes) -> Result<Option<Bytes>, Flaw> {
        match answer::read(bytes)? {
            Incoming::Notification(notification) => match notification.method.as_str() {
                "notifications/resources/updated" => bridge::subscribed(bytes, Some(&self.id)).map(Some),
                "notifications/resources/list_changed" if self.resources_list_changed => {
                    bridge::subscribed(bytes, Some(&self.id)).map(Some)
                }
                // The gate heeds them, and nobody else hears them.
                "notifications/tools/list_changed" | "notifications/prompts/list_changed" => Ok(Some(bytes.clone())),
                _ => Ok(None),
            },
            Incoming::Request { id, question } => {
                let told = match question.method.as_str() {
                    "ping" => reply::result(&id, &json!({})),
                    _ => legacy::refused(&id, Reason::CapabilityMissing),
                };
                legacy::tell(&self.gate, &self.server, self.behalf.clone(), Arc::clone(&self.session), told);
                Ok(None)
            }
            // An answer to nothing.
            Incoming::Response { .. } => Ok(None),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let (session, server) = (Arc::clone(&self.session), self.server.clone());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if let Ok(headers) = legacy::parting(&self.gate.snapshots.load(), &server, &self.behalf) {
            runtime.spawn(async move { session.close(headers).await });
        }
    }
}

/// Begins or ends to listen to a resource, for a client with a session at a server that keeps none.
pub(crate) async fn change(outbound: Outbound<'_>, session: &Arc<Legacy>, worded: &Worded) -> Result<Unread, Flaw> {
    let Outbound { gate, running, message, route, objects, .. } = outbound;
    let id = message.request.id.clone().ok_or_else(|| Refusal::new(Reason::Internal, "a call without an id"))?;
    let Some(uri) = super::listened(&worded.crossing, message) else {
        return Err(Refusal::new(Reason::Internal, "a subscription to nothing").into());
    };
    let server = naming::server(objects)?;
    let done = || Unread::Whole(StatusCode::OK, reply::result(&id, &json!({})));
    let mut uris = session.listened(server);
    let changes =
        if message.row.method == "resources/unsubscribe" { uris.remove(uri) } else { uris.insert(uri.to_owned()) };
    if !changes {
        return Ok(done());
    }
    if uris.len() > limits::SUBSCRIPTION_URIS_MAX {
        return Err(Refusal::new(Reason::Overloaded, "too many resources are listened to in this session").into());
    }
    if uris.is_empty() {
        session.listen_to(server, uris, None);
        return Ok(done());
    }
    let introduction = super::introduction(running);
    match subscription(gate, route, &running.caller.behalf(), &introduction, &uris).await? {
        Ok(stream) => {
            let carried = carry(
                Arc::clone(gate),
                Arc::clone(session),
                Arc::clone(&running.caller),
                route.clone(),
                introduction,
                uris.clone(),
                stream,
            );
            session.listen_to(server, uris, Some(tokio::spawn(carried).abort_handle()));
            Ok(done())
        }
        Err(error) => Ok(Unread::Whole(StatusCode::OK, bridge::answer_to_legacy(&error, &id, message.row.method)?)),
    }
}

/// Opens a subscription to these resources: its stream, or the server's error.
async fn subscription(
    gate: &Gate,
    route: &Route,
    behalf: &Behalf,
    introduction: &bridge::Introduction,
    uris: &BTreeSet<String>,
) -> Result<Result<Stream, Bytes>, Flaw> {
    const METHOD: &str = "subscriptions/listen";
    let id = Id::number(gate.bridge.number());
    // That the list of resources changes is told by the gate, which listens for everybody.
    let wanted = json!({ "resourceSubscriptions": uris });
    let said = json!({ "jsonrpc": "2.0", "id": 0, "method": METHOD, "params": { "notifications": wanted } });
    let worded = bridge::to_modern(&Bytes::from(said.to_string()), &id, METHOD, None, introduction, None)?;
    let outgoing::Outgoing { mut headers, body } = worded;
    let snapshot = gate.snapshots.load();
    if let Some(credential) = snapshot.keys.ready(&route.server, behalf).await? {
        credential.write(&mut headers);
    }
    let sent = upstream::send(route, headers, body, Deadlines::SUBSCRIPTION).await;
    match sent.map_err(|error| credential::refusal(&snapshot.keys, &route.server, behalf, None, &error))? {
        Answer::Stream(stream) => Ok(Ok(stream)),
        Answer::Whole { body, .. } => match answer::read(&body)? {
            Incoming::Response { outcome: Outcome::Error { .. }, .. } => Ok(Err(body)),
            Incoming::Response { .. } | Incoming::Notification(_) | Incoming::Request { .. } => {
                Err(Refusal::new(Reason::AnswerRefused, "the server's subscription is no stream").into())
            }
        },
        Answer::Accepted => Err(Refusal::new(Reason::AnswerRefused, "the server's subscription is no stream").into()),
    }
}

/// Tells a client on the stream of its session what a server says on its subscription, for as long as the session lasts.
async fn carry(
    gate: Arc<Gate>,
    session: Arc<Legacy>,
    caller: Arc<model::Caller>,
    route: Route,
    introduction: bridge::Introduction,
    uris: BTreeSet<String>,
    mut stream: Stream,
) {
    loop {
        let told = async {
            while let Some(Ok(bytes)) = stream.next().await {
                if let Ok(bytes) = bridge::subscribed(&bytes, None) {
                    legacy::tell_aside(&gate, &caller, &session, &route.server, &bytes);
                }
            }
        };
        tokio::select! {
            () = session.over() => return,
            () = told => {}
        }
        tokio::select! {
            () = session.over() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        // A server that is away is asked again; one that says no is not.
        loop {
            match subscription(&gate, &route, &session.owner().into(), &introduction, &uris).await {
                Ok(Ok(again)) => {
                    stream = again;
                    break;
                }
                Ok(Err(_)) => return,
                Err(_) if session.is_over() => return,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}
