//! The gate, wired: storage, journal, both listeners, and the work that goes on beside them.

mod porch;
mod told;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::watch::{Halts, port::Halts as _};
use anyhow::Context as _;
use arc_swap::ArcSwap;
use audit::Journal;
use gateway::{Gate, Metrics, Snapshots};
use identity::ages::Ages;
use identity::assertions::Assertions;
use identity::client_keys::ClientKeys;
use identity::outgoing::{Outgoing, Pages, Which};
use identity::people::Entrance;
use identity::resource_server::proof::Proofs;
use prometheus_client::registry::Registry as Counters;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use self::porch::{Porch, admin_hosts, base, presence};
use self::told::{metrics, readiness, traffic};
use crate::compile::Compiler;
use crate::issuers::Issuers;
use crate::listeners::{Listeners, bind};
use crate::locals::Locals;
use crate::settings::Loaded;
use crate::system::{SystemClock, SystemEntropy};
use crate::{
    ages, beside, bootstrap, checks, credentials, expiry, inspection, listeners, people, probes, shelf, shown, sign_in,
    vault, vetting,
};

/// How many servers may be waiting to be compared with their pins.
const HEED_WAITING_MAX: usize = 256;

/// How long a receipt that nobody waits for may wait for company.
const FLUSH_DELAY: Duration = Duration::from_millis(20);

/// What to do when the vault's key does not open what is kept.
const SEALED_UNDER_ANOTHER: &str = "credentials are kept that the vault's key does not open: name the key that they were sealed \
                                    under as `key` in `[vault]`, or, beside a new `key`, among `earlier`";

/// What to do when a gate starts while the service that has its master key is away.
const KEY_SERVICE_AWAY: &str = "the vault's key service (`[vault.transit]`) does not seal and open for the gate, so that nothing kept \
                                could be used: see that it is there, unsealed, and lets the gate's token encrypt and decrypt";

/// How long closing the database may take.
const CLOSE: Duration = Duration::from_secs(5);

/// A gate that serves.
pub(crate) struct Serving {
    /// Where agents connect.
    pub agents: SocketAddr,
    /// Where people connect.
    pub admin: SocketAddr,
    tls: Listeners,
    gate: Arc<Gate>,
    porch: Porch,
    people: Arc<ArcSwap<admin::People>>,
    entrance: Option<Arc<Entrance>>,
    store: Arc<store::Sqlite>,
    locals: Arc<Locals>,
    again: Arc<Notify>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Starts everything that settings ask for.
///
/// # Errors
/// What could not be read, bound or opened, with what to do about it.
pub(crate) async fn start(loaded: &Loaded) -> anyhow::Result<Serving> {
    if let Err(error) = sandbox::conceal() {
        tracing::warn!(%error, "other processes of this user may read the gate's memory");
    }
    let settings = &loaded.settings;
    let agents = bind(settings.agents.listen, "agents.listen").await?;
    let desk = bind(settings.admin.listen, "admin.listen").await?;
    let data = loaded.data();
    private_directory(&data)?;

    let clock: Arc<dyn model::Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn model::Entropy> = Arc::new(SystemEntropy::default());
    let egress = egress::Client::new(Arc::new(egress::SystemResolver), egress::Trust::Platform);
    let seal = Arc::new(identity::Seal::new(Arc::clone(&entropy))?);
    let proofs = Arc::new(Proofs::new(seal));
    let (bound, outward) = (agents.local_addr()?, egress.clone());
    let mut porch = Porch { bound, egress: outward, proofs, clock: Arc::clone(&clock), own: None };
    // What is wrong with the settings is told before anything else is touched.
    porch.front(loaded, None)?;
    let tls = Listeners::read(loaded)?;
    let holders = Arc::new(ArcSwap::from_pointee(bootstrap::people(loaded, &*entropy)?));
    let named = loaded.vault(&porch.egress)?;
    let client_keys = Arc::new(ClientKeys::open(&data.join("client.key"), Arc::clone(&clock))?);
    let signs_in = sign_in::wanted(loaded, agents.local_addr()?, named.as_ref(), &client_keys)?;
    let comes_in = people::wanted(loaded, desk.local_addr()?, &client_keys)?;
    let store = store::Sqlite::open(&data.join("state.db"))
        .await
        .with_context(|| format!("cannot open the database in `{}`", data.display()))?;
    let store = Arc::new(store);
    let options = audit::Options {
        origin: "portcullis".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        flush_delay: FLUSH_DELAY,
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
    };
    let (journal, recovery) = Journal::open(&data.join("journal"), options)
        .with_context(|| format!("cannot open the journal in `{}`", data.join("journal").display()))?;
    let journal = Arc::new(journal);
    tracing::info!(
        records = recovery.records,
        orphans = recovery.orphans,
        truncated_bytes = recovery.truncated_bytes,
        "the journal is open"
    );

    let sealed: Arc<dyn identity::port::Credentials> = Arc::clone(&store) as _;
    let vault = vault::open(loaded, named, &*sealed, &*entropy).await?;
    vault.check().await.context(KEY_SERVICE_AWAY)?;
    let entrance = match comes_in {
        None => None,
        Some(wanted) => {
            let (port, clock, entropy) = (Arc::clone(&store) as _, Arc::clone(&clock), Arc::clone(&entropy));
            let around = people::Around { port, vault: vault.clone(), egress: egress.clone(), clock, entropy };
            Some(wanted.open(loaded, around)?)
        }
    };
    let presence = presence(loaded, agents.local_addr()?)?;
    let (issuer, key) = (base(loaded, agents.local_addr()?), data.join("assertion.key"));
    let assertions = Arc::new(Assertions::open(issuer, &key, Arc::clone(&clock), Arc::clone(&entropy))?);
    let telling = Arc::clone(&assertions);
    let ages = Arc::new(Ages::new(vault.clone(), Arc::clone(&sealed), Arc::clone(&clock)));
    let outgoing = Outgoing::new(vault, sealed, presence, telling, Arc::clone(&clock), Arc::clone(&entropy));
    let outgoing = Arc::new(outgoing);
    let rewrapped = outgoing.rewrap(Which::OfAnother).await.context(SEALED_UNDER_ANOTHER)?;
    if rewrapped > 0 {
        tracing::info!(rewrapped, "credentials are sealed under the vault's present key now");
    }

    let locals = Arc::new(Locals::new(&data, loaded.base())?);
    let register = signs_in.as_ref().map(sign_in::Wanted::register);
    let (state, to_servers) = (Arc::clone(&store) as _, (Arc::clone(&outgoing), Arc::clone(&ages)));
    let (to_tell, within) = ((Arc::clone(&assertions), Arc::clone(&client_keys)), loaded.base());
    let (places, now) = (Arc::clone(&locals), Arc::clone(&clock));
    let compiler = Compiler::new(state, egress.clone(), places, to_servers, to_tell, now, within);
    let fingerprints = inspection::key(&data, &*entropy)?;
    let known = loaded.canaries(fingerprints)?;
    let compiler = Arc::new(compiler.telling(register.clone()).knowing(known));
    let first = compiler.compile(None).await?;
    let published = watch::Sender::new(first.revision);
    let halts = Arc::new(Halts::new(store.halts().await?));

    let mut facade = None;
    if let (Some(signs_in), Some(register)) = (signs_in, register) {
        let proofs = Arc::clone(&porch.proofs);
        let (clock, entropy) = (Arc::clone(&clock), Arc::clone(&entropy));
        let (port, words) = (Arc::clone(&store) as _, Arc::clone(&store) as _);
        let around = sign_in::Around { port, words, egress, proofs, clock, entropy };
        let opened = signs_in.open(register, around).await?;
        outgoing.vouched_for_by(Arc::clone(&opened) as _);
        opened.rewrap(Which::OfAnother).await.context(SEALED_UNDER_ANOTHER)?;
        let prefix = settings.sign_in.as_ref().map(|sign_in| sign_in.claims.user_prefix.clone());
        porch.own = Some(sign_in::issuer(&opened, prefix.unwrap_or_default())?);
        facade = Some(opened);
    }
    let mut pages: Vec<Arc<dyn identity::site::Site>> =
        vec![Arc::new(Pages::new(Arc::clone(&outgoing), facade.clone()))];
    pages.extend([Arc::clone(&assertions) as _, Arc::clone(&client_keys) as _]);
    pages.extend(facade.iter().map(|facade| Arc::clone(facade) as _));
    let listed = loaded.catalogue(base(loaded, bound))?;
    let shelf = listed.map(|(shelf, readers)| Arc::new(shelf::Pages::new(shelf, readers)));
    pages.extend(shelf.iter().map(|shelf| Arc::clone(shelf) as _));
    let front = ArcSwap::from_pointee(porch.front(loaded, None)?);
    let (heed, heeded) = mpsc::channel(HEED_WAITING_MAX);
    let mut counters = Counters::default();
    let turnstiles = Arc::clone(compiler.turnstiles());
    gateway::count_traffic(&mut counters, Arc::clone(&turnstiles));
    let gate = Arc::new(Gate {
        front,
        sites: gateway::Sites::new(pages),
        snapshots: Snapshots::new(first),
        halts: Arc::clone(&halts),
        sessions: flow::Sessions::default(),
        signals: flow::Signals::default(),
        legacies: gateway::Legacies::new(identity::Seal::new(Arc::clone(&entropy))?, Arc::clone(&entropy)),
        bridge: gateway::Bridge::new(identity::Seal::new(Arc::clone(&entropy))?, Arc::clone(&entropy)),
        cursors: gateway::Cursors::new(identity::Seal::new(Arc::clone(&entropy))?),
        tasks: gateway::Tasks::new(identity::Seal::kept(&data.join("tasks.key"), Arc::clone(&entropy))?),
        tokens: gateway::Tokens::new(identity::Seal::new(Arc::clone(&entropy))?, Arc::clone(&entropy)),
        journal: Arc::clone(&journal),
        heed,
        stopping: watch::Sender::new(false),
        sight: ArcSwap::from_pointee(inspection::sight(loaded, fingerprints, &porch.egress)?),
        large: gateway::Large::default(),
        metrics: Arc::new(Metrics::new(&mut counters)),
        clock: Arc::clone(&clock),
    });
    if let Some(shelf) = &shelf {
        shelf.of(&gate);
    }
    gateway::count_sessions(&mut counters, Arc::clone(&gate));
    expiry::count(&mut counters, compiler.ends());
    ages::count(&mut counters, Arc::clone(&ages), Arc::clone(&clock));
    let (signs_in, comes_in) = (facade.clone(), entrance.clone());
    let issuers = Issuers { gate: Arc::clone(&gate), facade: signs_in, entrance: comes_in, clock: Arc::clone(&clock) };
    issuers.clone().count(&mut counters);
    let in_effect = published.subscribe();
    let vetter =
        checks::Vetter::new(Arc::clone(&compiler), Arc::clone(&store) as _, &gate, in_effect, Arc::clone(&clock));
    let vetter = Arc::new(vetter);
    locals.compared_by(&vetter);
    let vetting = vetting::means(loaded, &store, &porch.egress, &clock);
    vetting::count(&mut counters, Arc::clone(&vetting), compiler.warned());
    let admin = Arc::new(admin::Admin {
        registry: Arc::clone(&store) as _,
        state: Arc::clone(&store) as _,
        comments: Arc::clone(&store) as _,
        packages: Arc::clone(&store) as _,
        evidence: Arc::clone(&store) as _,
        inventories: Arc::clone(&store) as _,
        agents_urls: loaded.agents_urls(bound),
        halts_port: Arc::clone(&store) as _,
        halts,
        readiness: readiness(Arc::clone(&journal)),
        journal: Arc::clone(&journal),
        readings: Arc::default(),
        vocabularies: Arc::clone(compiler.vocabularies()),
        vettings: Arc::clone(&store) as _,
        vetting,
        vetter: Arc::clone(&vetter) as _,
        prober: Arc::new(probes::Prober::new(&compiler, loaded)?),
        looks: Arc::default(),
        credentials: Arc::new(credentials::Kept {
            compiler: Arc::clone(&compiler),
            ages: Arc::clone(&ages),
            clock: Arc::clone(&clock),
            outgoing: Arc::clone(&outgoing),
            facade: facade.clone(),
        }),
        published: published.subscribe(),
        people: Arc::clone(&holders),
        entrance: entrance.clone(),
        clock: Arc::clone(&clock),
        traffic: traffic(Arc::clone(&turnstiles)),
        issuers: Arc::new(move || issuers.now()),
        inspection: inspection::shown(&gate),
        metrics: metrics(counters),
    });

    let (stop, stopped) = watch::channel(false);
    let addresses = (agents.local_addr()?, desk.local_addr()?);
    let mut tasks = JoinSet::new();
    let names = admin::Names::new(addresses.1, &admin_hosts(loaded), &[]);
    tasks.spawn(gateway::serve(agents, tls.agents.clone(), Arc::clone(&gate), until(stopped.clone())));
    tasks.spawn(gateway::tend(Arc::clone(&gate), until(stopped.clone())));
    tasks.spawn(gateway::end_with_tokens(Arc::clone(&gate), until(stopped.clone())));
    if let Some(facade) = facade {
        tasks.spawn(beside::departures(facade.departures(), Arc::clone(&outgoing), until(stopped.clone())));
        tasks.spawn(sign_in::end_with_sign_ins(facade, Arc::clone(&gate), until(stopped.clone())));
    }
    tasks.spawn(beside::connections(outgoing.subscribe(), Arc::clone(&gate), until(stopped.clone())));
    tasks.spawn(shown::watch(Arc::clone(compiler.shown()), until(stopped.clone())));
    tasks.spawn(beside::keys(assertions, client_keys, until(stopped.clone())));
    tasks.spawn(beside::scopes(Arc::clone(&outgoing), until(stopped.clone())));
    tasks.spawn(beside::memory(Arc::clone(&admin.readings), until(stopped.clone())));
    tasks.spawn(ages::say(ages, until(stopped.clone())));
    porch.warm(&gate);
    tasks.spawn(admin::serve(
        desk,
        tls.admin.clone(),
        admin::router(Arc::clone(&admin), names),
        until(stopped.clone()),
    ));
    let again = Arc::new(Notify::new());
    let news = beside::News { revisions: store.revisions(), again: Arc::clone(&again) };
    let (registry, ends) = (Arc::clone(&store) as _, compiler.ends());
    let ends = expiry::Ends { ends, registry, clock, again: Arc::clone(&again) };
    tasks.spawn(expiry::watch(ends, until(stopped.clone())));
    let every = settings.vetting.every();
    tasks.spawn(vetting::watch(Arc::clone(&admin), store.revisions(), every, until(stopped.clone())));
    tasks.spawn(beside::publish(news, compiler, Arc::clone(&gate), published, until(stopped.clone())));
    tasks.spawn(beside::receipts(Arc::clone(&store) as _, Arc::clone(&gate), until(stopped.clone())));
    for (listener, tls) in tls.both() {
        tasks.spawn(listeners::certificates(listener, tls, until(stopped.clone())));
    }
    let every = Duration::from_secs(settings.pins.check_seconds);
    tasks.spawn(checks::watch(Arc::clone(&gate), vetter, heeded, every, until(stopped)));
    let (agents, admin) = addresses;
    let people = holders;
    Ok(Serving { agents, admin, tls, gate, porch, people, entrance, store, locals, again, stop, tasks })
}

impl Serving {
    /// Takes what can change while serving from a settings file: callers, issuers, people, names of the agents' listener, certificates.
    /// Whole or not at all. Servers' credentials are read again as well.
    ///
    /// # Errors
    /// When the file is wrong, or asks for what needs a restart. Nothing has changed then.
    pub(crate) fn reload(&self, before: &Loaded, entropy: &dyn model::Entropy) -> anyhow::Result<Loaded> {
        let next = Loaded::read(&before.file)?;
        let same_places = (next.settings.agents.listen, next.settings.admin.listen, next.data())
            == (before.settings.agents.listen, before.settings.admin.listen, before.data());
        anyhow::ensure!(same_places, "listeners and the data directory change with a restart only");
        let same_sign_in =
            (&next.settings.sign_in, &next.settings.vault) == (&before.settings.sign_in, &before.settings.vault);
        anyhow::ensure!(same_sign_in, "`[sign_in]` and `[vault]` change with a restart only");
        let same_catalogue = next.settings.catalogue == before.settings.catalogue;
        anyhow::ensure!(same_catalogue, "`[catalogue]` changes with a restart only");
        let same_vetting = next.settings.vetting == before.settings.vetting;
        anyhow::ensure!(
            same_vetting,
            "`[vetting]` changes with a restart only; its file is read again when it is another"
        );
        let (now, then) = (&next.settings.agents, &before.settings.agents);
        let same_names = (&now.public_url, &now.client_document) == (&then.public_url, &then.client_document);
        anyhow::ensure!(same_names, "`public_url` and `client_document` change with a restart only");
        anyhow::ensure!(
            next.fixed_of_people() == before.fixed_of_people(),
            "of `[people]`, roles and sessions alone change without a restart; `public_url` and `bootstrap` of `[admin]` do not"
        );
        let same_canaries = next.settings.inspection.canaries == before.settings.inspection.canaries;
        anyhow::ensure!(same_canaries, "canary tokens change with a restart only");
        let sight = inspection::sight(&next, inspection::key(&next.data(), entropy)?, &self.porch.egress)?;
        let front = self.porch.front(&next, Some(&self.gate.front.load()))?;
        let people = bootstrap::people(&next, entropy)?;
        self.tls.take(&next)?;
        people::take(self.entrance.as_deref(), &next, self.admin);
        self.gate.front.store(Arc::new(front));
        self.gate.sight.store(Arc::new(sight));
        self.gate.snapshots.ask_again();
        self.porch.warm(&self.gate);
        self.people.store(Arc::new(people));
        self.locals.read_secrets_again();
        self.again.notify_one();
        Ok(next)
    }

    /// Stops: no new connections, open calls get ten seconds, then the journal and the database are flushed and closed.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        let journal = Arc::clone(&self.gate.journal);
        // It blocks for a flush or two.
        if tokio::task::spawn_blocking(move || journal.close()).await.is_err() {
            tracing::error!("the journal could not be closed");
        }
        // Closed, the database is one file again that can be copied; left open, part of it lies in the file beside it.
        if tokio::time::timeout(CLOSE, self.store.close()).await.is_err() {
            tracing::warn!("the database was still in use; what was acknowledged is durable all the same");
        }
    }

    /// Resolves when a task that must run has ended: the gate cannot go on without any of them.
    pub(crate) async fn broken(&mut self) {
        if let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(()) => tracing::error!("a part of the gate ended by itself"),
                Err(error) => tracing::error!(%error, "a part of the gate failed"),
            }
        }
    }
}

/// `portcullis serve`: starts, says so, and serves until it is asked to stop.
///
/// # Errors
/// When it cannot start, or a part of it failed.
pub(crate) async fn run(mut loaded: Loaded, apply: Option<&Path>, since: Instant) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut serving = start(&loaded).await?;
    if let Some(directory) = apply
        && let Err(error) = bootstrap::apply(&loaded, serving.admin, &serving.people, directory).await
    {
        serving.stop().await;
        return Err(error);
    }
    anstream::println!(
        "portcullis is ready: agents {}://{}/{{endpoint}}/mcp, admin {}://{} ({} ms)",
        serving.tls.schemes().0,
        serving.agents,
        serving.tls.schemes().1,
        serving.admin,
        since.elapsed().as_millis()
    );
    let entropy = SystemEntropy::default();
    let result = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            () = serving.broken() => break Err(anyhow::anyhow!("a part of the gate failed; see the log")),
            _ = hangup.recv() => match serving.reload(&loaded, &entropy) {
                Ok(next) => {
                    loaded = next;
                    tracing::info!("the settings were reloaded");
                }
                Err(error) => tracing::error!("the settings were not reloaded, nothing changed: {error:#}"),
            },
        }
    };
    serving.stop().await;
    result
}

/// Makes the data directory, for whoever runs the gate alone.
fn private_directory(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    let shown = path.display();
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).with_context(|| format!("cannot make the data directory `{shown}`"))?;
    let directory = std::fs::metadata(path)?;
    anyhow::ensure!(
        directory.mode() & 0o077 == 0,
        "others may enter the data directory `{shown}`: run `chmod 700 {shown}`"
    );
    // A file made here tells whether files can be, and whose they are.
    let probe = path.join(".probe");
    let made = std::fs::File::create(&probe).and_then(|file| file.metadata());
    let ours = made.with_context(|| format!("cannot write in the data directory `{shown}`"))?.uid();
    std::fs::remove_file(&probe).with_context(|| format!("cannot write in the data directory `{shown}`"))?;
    anyhow::ensure!(
        directory.uid() == ours,
        "the data directory `{shown}` belongs to user {}, and the gate runs as user {ours}: run it as its owner",
        directory.uid()
    );
    Ok(())
}

/// Resolves when the gate is asked to stop.
async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop too.
    let _ = stopped.wait_for(|stop| *stop).await;
}
