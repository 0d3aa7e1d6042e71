//! The event stream of a line: what is told on it, for as long as its caller may read.

use std::sync::Arc;

use bytes::Bytes;
use flow::StreamPlace;
use futures_util::stream;
use model::Refusal;
use tokio::sync::watch;
use wire::{Flaw, Revision, sse};

use super::{Line, Told};
use crate::body::{Body, Response, streamed, streaming};
use crate::controls::connect::{Connected, Spoken};
use crate::controls::halted;
use crate::controls::session::Claim;
use crate::controls::{authenticate, refuse};
use crate::gate::Gate;
use crate::pipeline::{self, Admitted};
use crate::relay::{Counted, KEEP_ALIVE};
use crate::trail::Trail;

/// The revision whose transport this is.
const REVISION: Revision = Revision::V2024_11_05;

/// One stream.
struct Reading {
    ending: Ending,
    connected: Connected,
    /// The first event: where to post.
    greeting: Option<Bytes>,
    /// What was told last. It takes its room until the client has taken it.
    told: Option<Told>,
    halts: watch::Receiver<Arc<::watch::HaltSet>>,
    snapshots: watch::Receiver<model::Revision>,
    _place: StreamPlace,
    _counted: Counted,
}

/// Ends the line when the client goes away, or the stream has ended.
struct Ending {
    gate: Arc<Gate>,
    line: Arc<Line>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.line.end(&self.gate);
    }
}

/// Opens a line (GET).
pub(crate) fn open(gate: &Arc<Gate>, admitted: Admitted, mut trail: Trail) -> Response {
    match opened(gate, admitted, &mut trail) {
        Ok(body) => streaming(body, trail.receipt),
        Err(flaw) => refuse::run(gate, trail, flaw),
    }
}

fn opened(gate: &Arc<Gate>, admitted: Admitted, trail: &mut Trail) -> Result<Body, Flaw> {
    trail.method = Some("GET");
    let Admitted { known, accepted } = admitted;
    let spoken = Spoken { revision: REVISION, is_named: false, wished: None };
    let running = pipeline::enter(gate, known, &accepted, spoken, Claim::Begins, trail)?;
    if !running.door.serves(REVISION) {
        let served: Vec<_> = running.door.revisions().collect();
        return Err(Flaw::version_unsupported(REVISION.as_str(), &served));
    }
    let place = running.present.session.open_stream()?;
    let (line, handle) = gate.legacies.lines.begin(&gate.legacies, &running.caller, &running.door.name)?;
    gate.journal.queue(&trail.taken(&running, "GET"));
    let address = format!("/{}/messages?session={handle}", running.door.name);
    let (mut halts, mut snapshots) = (gate.halts.subscribe(), gate.snapshots.subscribe());
    // What changed between the last look and this subscription must be seen, so the first step looks again.
    halts.mark_changed();
    snapshots.mark_changed();
    let reading = Reading {
        ending: Ending { gate: Arc::clone(gate), line },
        connected: running.present.connected,
        greeting: Some(sse::of_kind("endpoint", address.as_bytes())),
        told: None,
        halts,
        snapshots,
        _place: place,
        _counted: Counted::new(gate),
    };
    Ok(streamed(stream::unfold(
        reading,
        |mut reading| async move { reading.next().await.map(|bytes| (bytes, reading)) },
    )))
}

impl Reading {
    async fn next(&mut self) -> Option<Bytes> {
        self.told = None;
        let Ending { gate, line } = &self.ending;
        let (gate, line) = (Arc::clone(gate), Arc::clone(line));
        loop {
            tokio::select! {
                // Stops first: with a message and a halt both there, the message does not leave.
                biased;
                _ = self.halts.changed() => self.authorise_again(&gate)?,
                _ = self.snapshots.changed() => self.authorise_again(&gate)?,
                () = line.over() => return None,
                () = gate.stops() => return None,
                // Where to post comes before anything that could be told.
                () = std::future::ready(()), if self.greeting.is_some() => return self.greeting.take(),
                told = line.next() => {
                    let bytes = sse::of_kind("message", &told.message);
                    self.told = Some(told);
                    return Some(bytes);
                }
                () = tokio::time::sleep(KEEP_ALIVE) => return Some(sse::comment()),
            }
        }
    }

    /// Asks everything anew that let the client open the stream, in the light of the newest snapshot and halts.
    fn authorise_again(&mut self, gate: &Gate) -> Option<()> {
        let again = || -> Result<Connected, Refusal> {
            authenticate::again(gate, &self.connected.caller)?;
            let connected = self.connected.again(gate.snapshots.load(), gate.clock.now())?;
            halted::again(&gate.halts, &connected, &[])?;
            Ok(connected)
        };
        match again() {
            Ok(connected) => {
                let served = connected.door.serves(REVISION);
                self.connected = connected;
                served.then_some(())
            }
            Err(refusal) => {
                gate.metrics.refused(refusal.reason);
                None
            }
        }
    }
}
