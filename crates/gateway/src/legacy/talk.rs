//! The gate's own sessions with servers, on behalf of a client's session, and what the client says that concerns the
//! session as a whole.

use std::sync::Arc;
use std::time::Duration;

use audit::End;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use identity::Credential;
use model::{Behalf, Reason, Refusal, ServerName, Timestamp, limits, with_causes};
use serde_json::{Map, Value};
use upstream::{Answer, AskError, Deadlines, Route, SendError};
use wire::answer::Incoming;
use wire::{Capabilities, Flaw, Id, Revision, Subject, outgoing};

use super::{Asker, Given, Legacy, Open, hear};
use crate::body::{Response, answered};
use crate::bridge;
use crate::controls::halted::{self, Running};
use crate::controls::intent::{self, Committed, Leaving};
use crate::controls::read::Message;
use crate::controls::{credential, decide, visible};
use crate::gate::Gate;
use crate::large::weight;
use crate::snapshot::Snapshot;
use crate::trail::Trail;

/// How often sessions are looked through for those whose time is up.
const SWEEP: Duration = Duration::from_secs(30);

/// Begins a session and returns its id as a header's value. The servers are greeted when they are first needed.
pub(crate) fn begin(
    gate: &Arc<Gate>,
    running: &Running,
    message: &Message,
    now: Timestamp,
) -> Result<HeaderValue, Refusal> {
    let capabilities = message.request.meta.client_capabilities.clone();
    // A copy: a session keeps it for longer than the body it came in.
    let kept = |info: &Bytes| (info.len() <= limits::CLIENT_INFO_BYTES_MAX).then(|| Bytes::copy_from_slice(info));
    let client_info = message.request.meta.client_info.as_ref().and_then(kept);
    let revision = message.request.revision;
    let begun = gate.legacies.begin(&running.caller, &running.door.name, revision, capabilities, client_info, now)?;
    if let Some(ended) = begun.ended {
        tokio::spawn(close(Arc::clone(gate), ended));
    }
    HeaderValue::from_str(&begun.handle)
        .map_err(|_| Refusal::new(Reason::Internal, "a session's id is no header value"))
}

/// Ends the session (DELETE).
pub(crate) fn delete(gate: &Arc<Gate>, running: &Running, trail: &Trail) -> Response {
    gate.journal.queue(&trail.taken(running, "DELETE"));
    if let Some(session) = &running.present.legacy {
        end(gate, session);
    }
    answered(StatusCode::NO_CONTENT, None, Bytes::new(), trail.receipt)
}

/// Ends a session, and tells its servers.
pub(crate) fn end(gate: &Arc<Gate>, session: &Arc<Legacy>) {
    for ended in gate.legacies.end(|one| std::ptr::eq(one, Arc::as_ptr(session))) {
        // Without a runtime the gate itself is about to end, and its connections with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(close(Arc::clone(gate), ended));
        }
    }
}

/// Ends sessions whose time is up, those of callers and endpoints that are halted, and those of revisions that their
/// endpoint serves no more, for as long as the gate runs.
pub async fn tend(gate: Arc<Gate>, stop: impl Future<Output = ()>) {
    let (mut halts, mut snapshots) = (gate.halts.subscribe(), gate.snapshots.subscribe());
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            changed = halts.changed() => if changed.is_err() { return },
            changed = snapshots.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(SWEEP) => {}
        }
        let (now, halted, snapshot) = (gate.clock.now(), gate.halts.current(), gate.snapshots.load());
        let ended = gate.legacies.end(|session| {
            now.milliseconds_since(session.last_seen()) > limits::LEGACY_IDLE_MILLISECONDS_MAX
                || now.milliseconds_since(session.began()) > limits::LEGACY_AGE_MILLISECONDS_MAX
                || halted.stops_session(session.owner(), session.endpoint()).is_some()
                || unserved(&snapshot, session)
        });
        for session in ended {
            tokio::spawn(close(Arc::clone(&gate), session));
        }
        bridge::sweep(&gate);
        gate.tokens.sweep(now);
        gate.signals.sweep(now);
    }
}

/// Whether the session's endpoint is there, and serves its revision no more. One that is gone may come back, and what is
/// asked of it meanwhile is refused anyway.
fn unserved(snapshot: &Snapshot, session: &Legacy) -> bool {
    snapshot.endpoints.get(session.endpoint()).is_some_and(|door| !door.serves(session.revision))
}

/// Tells servers that a session is over.
async fn close(gate: Arc<Gate>, session: Arc<Legacy>) {
    for (server, open) in session.servers() {
        let Ok(headers) = parting(&gate.snapshots.load(), &server, &session.owner().into()) else { continue };
        // A server that does not answer ends the session when its own time is up.
        let _ = tokio::time::timeout(Duration::from_millis(limits::CLOSE_MILLISECONDS_MAX), open.close(headers)).await;
    }
}

/// The headers of what the gate says to a server by itself, in a session of this caller's.
pub(crate) async fn headers(snapshot: &Snapshot, server: &ServerName, behalf: &Behalf) -> Result<HeaderMap, Refusal> {
    Ok(with(snapshot.keys.ready(server, behalf).await?))
}

/// The same for its last words there.
pub(crate) fn parting(snapshot: &Snapshot, server: &ServerName, behalf: &Behalf) -> Result<HeaderMap, Refusal> {
    Ok(with(snapshot.keys.held(server, behalf)?))
}

fn with(credential: Option<Credential>) -> HeaderMap {
    let mut headers = outgoing::session_headers(Revision::V2025_11_25, None);
    if let Some(credential) = credential {
        credential.write(&mut headers);
    }
    headers
}

/// The gate's session with a server, opened if there is none yet.
pub(crate) async fn session(
    gate: &Arc<Gate>,
    running: &Running,
    session: &Arc<Legacy>,
    route: &Route,
) -> Result<Arc<upstream::Session>, Refusal> {
    let place = session.server(&route.server);
    let open = place.get_or_try_init(|| open(gate, running, session, route)).await?;
    Ok(Arc::clone(open))
}

async fn open(
    gate: &Arc<Gate>,
    running: &Running,
    session: &Arc<Legacy>,
    route: &Route,
) -> Result<Arc<upstream::Session>, Refusal> {
    let server = &route.server;
    let behalf = running.caller.behalf();
    let credential = running.snapshot.keys.ready(server, &behalf).await?;
    let write = |headers: &mut HeaderMap| {
        if let Some(credential) = &credential {
            credential.write(headers);
        }
    };
    let opened = upstream::Session::open(route, &askable(&session.capabilities), write).await;
    let opened = opened.map_err(|error| unopened(gate, server, &behalf, &error))?;
    let opened = Arc::new(opened);
    if session.is_over() {
        // It ended while the server was greeted, and whoever ended it did not know of this one.
        opened.close(parting(&running.snapshot, server, &behalf)?).await;
        return Err(Refusal::new(Reason::SessionUnknown, "the session is over"));
    }
    if let Some(level) = session.log_level() {
        set_level(&opened, headers(&running.snapshot, server, &behalf).await?, &level).await;
    }
    let (gate, caller, session) = (Arc::clone(gate), Arc::clone(&running.caller), Arc::clone(session));
    tokio::spawn(hear::listen(gate, caller, session, server.clone(), Arc::clone(&opened)));
    Ok(opened)
}

/// What a caller is told where a session was not opened. A server that went back to an older revision is looked at at once.
pub(crate) fn unopened(gate: &Gate, server: &ServerName, behalf: &Behalf, error: &AskError) -> Refusal {
    if error.is_downgrade() {
        // Full means that a check of this and other servers is under way already.
        let _ = gate.heed.try_send(server.clone());
    }
    if let Some(SendError::Challenged { challenges, .. }) = error.sent()
        && gate.snapshots.load().keys.heed(server, behalf, None, challenges)
    {
        return Refusal::new(Reason::CredentialUnavailable, with_causes(error));
    }
    Refusal::new(Reason::ServerUnreachable, with_causes(error))
}

/// What of a client's capabilities a server is told: the questions that the register knows.
pub(crate) fn askable(capabilities: &Capabilities) -> Value {
    let said: Option<Map<String, Value>> = capabilities.raw.as_ref().and_then(|raw| serde_json::from_slice(raw).ok());
    let known = |(name, _): &(String, Value)| ["elicitation", "sampling", "roots"].contains(&name.as_str());
    Value::Object(said.unwrap_or_default().into_iter().filter(known).collect())
}

/// Does what a message that is not passed on asks of the session.
pub(crate) async fn heed(gate: &Arc<Gate>, running: &Running, message: &Message) {
    let Some(session) = &running.present.legacy else { return };
    match &message.request.subject {
        Subject::Cancelled { request } => session.take_back(request),
        Subject::LogLevel { level } => {
            session.set_log_level(level);
            for (server, open) in session.servers() {
                if let Ok(headers) = headers(&running.snapshot, &server, &running.caller.behalf()).await {
                    set_level(&open, headers, level).await;
                }
            }
        }
        Subject::None if message.row.method == "notifications/roots/list_changed" => {
            for (server, open) in session.servers() {
                tell(gate, &server, session.owner().into(), open, message.request.body.clone());
            }
        }
        Subject::None
        | Subject::Tool { .. }
        | Subject::Prompt { .. }
        | Subject::Resource { .. }
        | Subject::Completion { .. }
        | Subject::Subscription { .. }
        | Subject::Task { .. }
        | Subject::Progress { .. }
        | Subject::Initialize { .. } => {}
    }
}

pub(crate) async fn set_level(server: &upstream::Session, headers: HeaderMap, level: &str) {
    // The level is the client's wish for the whole session; a server that keeps no log does not have to know it.
    let params = Map::from_iter([("level".to_owned(), Value::from(level))]);
    let request = outgoing::compose(Revision::V2025_11_25, "logging/setLevel", params, &Id::text("portcullis-level"));
    let taken = async {
        let Answer::Stream(mut stream) = server.send(headers, request.body, Deadlines::CALL).await? else {
            return Ok(());
        };
        // A server may only have begun to answer, and what is sent next must not overtake the level.
        while let Some(message) = stream.next().await {
            if matches!(wire::answer::read(&message?), Ok(Incoming::Response { .. }) | Err(_)) {
                break;
            }
        }
        Ok::<(), SendError>(())
    };
    if let Err(error) = taken.await {
        tracing::debug!(%error, "a server did not take a log level");
    }
}

/// Says something to a server that needs no answer, beside the path.
pub(crate) fn tell(gate: &Arc<Gate>, server: &ServerName, behalf: Behalf, open: Arc<upstream::Session>, body: Bytes) {
    let (snapshot, server) = (gate.snapshots.load(), server.clone());
    tokio::spawn(async move {
        let Ok(headers) = headers(&snapshot, &server, &behalf).await else { return };
        if let Err(error) = open.tell(headers, body).await {
            tracing::debug!(%server, %error, "a server was not told");
        }
    });
}

/// Takes a call back at its server, unless it was answered: dropped before, it says so to the server.
pub(crate) struct Withdrawal(Option<Pending>);

struct Pending {
    gate: Arc<Gate>,
    server: ServerName,
    behalf: Behalf,
    open: Arc<upstream::Session>,
    request: Id,
}

impl Withdrawal {
    /// For a call whose server sees by itself that nobody waits any more.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// For a request that was sent in a session.
    pub(crate) fn new(
        gate: &Arc<Gate>,
        server: &ServerName,
        behalf: Behalf,
        open: &Arc<upstream::Session>,
        request: &Id,
    ) -> Self {
        let (gate, server, open) = (Arc::clone(gate), server.clone(), Arc::clone(open));
        Self(Some(Pending { gate, server, behalf, open, request: request.clone() }))
    }

    /// The call was answered, or never left.
    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        if let Some(Pending { gate, server, behalf, open, request }) = self.0.take()
            && tokio::runtime::Handle::try_current().is_ok()
        {
            tell(&gate, &server, behalf, open, outgoing::cancelled(Revision::V2025_11_25, &request).body);
        }
    }
}

/// Passes a client's answer to the server that asked: it is data that leaves, and takes the path of a call.
pub(crate) async fn answer(
    gate: &Arc<Gate>,
    running: &Running,
    answer: &wire::Response,
    trail: &mut Trail,
) -> Result<Response, Flaw> {
    let unasked = || {
        Refusal::new(Reason::ParamsInvalid, "an answer to a question that is not open")
            .with_hint("nothing was asked with this id, or it was answered already")
    };
    let session = running.present.legacy.as_ref().ok_or_else(unasked)?;
    let open = session.answered(&answer.id).ok_or_else(unasked)?;
    trail.id = Some(answer.id.clone());
    trail.method = Some(open.method);
    let (headers, body) = match ready(gate, running, answer, &open, trail).await {
        Ok(ready) => ready,
        Err(flaw) => {
            // Nobody can answer it again, so the server must not go on waiting.
            hear::refuse(gate, session, &open.asker, &open.server, &open.id, flaw.refusal.reason);
            return Err(flaw);
        }
    };
    match &open.asker {
        Asker::Session => {
            let mut servers = session.servers().into_iter();
            let server = servers.find_map(|(name, server)| (name == open.server).then_some(server));
            let over = || Refusal::new(Reason::ServerUnreachable, "the server's session is over");
            let told = server.ok_or_else(over)?.tell(headers, body).await;
            let (keys, behalf) = (&running.snapshot.keys, running.caller.behalf());
            told.map_err(|error| credential::refusal(keys, &open.server, &behalf, None, &error))?;
        }
        Asker::Bridge(bridge) => bridge.send((open.id.clone(), Given::Answer(body))).map_err(|_| unasked())?,
    }
    gate.metrics.answered(open.method);
    trail.close(End::Completed, &[]);
    Ok(answered(StatusCode::ACCEPTED, None, Bytes::new(), trail.receipt))
}

/// Takes an answer through the controls of its path, until it may leave.
async fn ready(
    gate: &Arc<Gate>,
    running: &Running,
    answer: &wire::Response,
    open: &Open,
    trail: &mut Trail,
) -> Result<(HeaderMap, Bytes), Flaw> {
    let named = visible::asked(open.objects.clone());
    trail.object = named.object().cloned();
    let visible = visible::run(running, named, trail.began)?;
    let live = halted::object(&gate.halts, visible)?;
    let decide = || {
        let said = (live, &answer.body);
        let decided = decide::answer(gate, running, &open.server, said, &mut trail.noted, trail.began);
        let (permitted, left) = decided?;
        let committed = Committed::answer(gate, answer, left.as_ref(), trail);
        Ok::<_, Flaw>((permitted, left, committed))
    };
    let size = weight(answer.body.len(), gate.looks_into(&running.snapshot));
    let (permitted, left, committed) = gate.large.beside(size, decide).await?;
    let leaving = Leaving::answer(answer, open.method, committed);
    let intended = intent::run(gate, running, leaving, permitted, trail).await?;
    let body = wire::edit::replace(left.as_ref().unwrap_or(&answer.body), &[(&["id"], &open.id.to_string())])?;
    let headers = credential::answer(&gate.halts, running, &open.server, &intended).await?;
    Ok((headers, body))
}
