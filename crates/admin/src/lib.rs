//! The control plane: how people change what the gate goes by.
//!
//! An HTTP API under `/api/v1` on a listener of its own, never open. Start with `table.rs`, the one list of routes from
//! which the router, the role check and the `OpenAPI` document are built; then `desk.rs`, the one way in, where Host and
//! Origin, token and roles are checked before anything is read; then a resource in `resources/`.
//!
//! Rules that hold here:
//!
//! - **A change answers when it is in effect.** It is durable first, in one transaction with its outbox row; then the
//!   answer waits until the data path goes by it ([`Admin::published`]), for a bounded time, and says whether it does.
//! - **What was seen is what is done.** `apply` takes the revision its plan was made against; `approve` takes the digest
//!   of what the approver read.
//! - **Nothing takes effect that would break the data path's next snapshot**: policies are compiled against every
//!   approved tool before a plan, an approval or a removal is carried out.
//! - **People are no agents**: their tokens and sessions are apart, and no route accepts a caller's.
//!
//! [`Manifests`] is what a folder to apply holds, [`view`] is what the API shows; the CLI uses both.

mod change;
mod desired;
mod desk;
mod difference;
mod endpoints;
mod fault;
mod kept;
mod looks;
mod manifests;
mod names;
mod openapi;
mod people;
pub mod port;
mod readings;
pub mod requests;
mod resources;
mod route;
mod serve;
mod table;
mod text;
mod vetting;
pub mod view;
mod vocabularies;

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use model::{Clock, Revision, ServerName};
use registry::{Observed, ServerManifest};

pub use desk::router;
pub use difference::{Action, Edit, Line, Mark, lines};
pub use fault::{Code, Fault, Place, Problem};
pub use looks::Looks;
pub use manifests::{File, FolderError, Manifests};
pub use names::Names;
pub use people::{People, PeopleError, Person};
pub use readings::Readings;
pub use resources::vetting::vet_all;
pub use serve::serve;
pub use text::visible;
pub use vetting::{Advisories, FailMode, FailModes, Means, Verdict, Vetting, VettingCheck, Whom};
pub use vocabularies::Vocabularies;

/// Everything the control plane needs from the other rooms.
pub struct Admin {
    /// Servers and their approvals.
    pub registry: Arc<dyn registry::port::Registry>,
    /// The governed state as a whole.
    pub state: Arc<dyn port::State>,
    /// What people say of servers.
    pub comments: Arc<dyn port::Comments>,
    /// What vetting found of servers.
    pub vettings: Arc<dyn port::Vettings>,
    /// What is in servers' packages.
    pub packages: Arc<dyn port::Packages>,
    /// What was seen of servers that live.
    pub evidence: Arc<dyn port::Evidence>,
    /// What hosts reported.
    pub inventories: Arc<dyn port::Inventories>,
    /// Where agents reach the gate: what the URLs of its endpoints begin with, the one that people are told first.
    pub agents_urls: Vec<String>,
    /// Halts, durable.
    pub halts_port: Arc<dyn watch::port::Halts>,
    /// Halts in force, shared with the data plane.
    pub halts: Arc<watch::Halts>,
    /// The receipts.
    pub journal: Arc<audit::Journal>,
    /// What was found out of the words of servers.
    pub readings: Arc<Readings>,
    /// What policies can talk about, shared with whoever compiles those of the data path.
    pub vocabularies: Arc<Vocabularies>,
    /// Holds what servers are made of against what becomes known.
    pub vetting: Arc<Vetting>,
    /// Looks at servers.
    pub vetter: Arc<dyn Vetter>,
    /// Asks servers what strangers ask.
    pub prober: Arc<dyn Prober>,
    /// The looks that go on now.
    pub looks: Arc<Looks>,
    /// The credentials of servers.
    pub credentials: Arc<dyn Credentials>,
    /// The revision in effect on the data path.
    pub published: tokio::sync::watch::Receiver<Revision>,
    /// Who may use the API; swapped when settings are reloaded.
    pub people: Arc<ArcSwap<People>>,
    /// Where people sign in, where they do.
    pub entrance: Option<Arc<identity::people::Entrance>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What readiness depends on; the gate is ready when all of it is. Never waits.
    pub readiness: Arc<dyn Fn() -> Vec<view::Check> + Send + Sync>,
    /// The calls that agents make to a server now, if it is in service.
    pub traffic: Arc<LooksAtTraffic>,
    /// How the keys of issuers are. Never waits.
    pub issuers: Arc<dyn Fn() -> Vec<view::IssuerKeys> + Send + Sync>,
    /// What settings say of inspection. Never waits.
    pub inspection: Arc<dyn Fn() -> view::InspectionView + Send + Sync>,
    /// The metrics, in the Prometheus text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// Tells what calls agents make to a server now, if it is in service. Never waits.
pub type LooksAtTraffic = dyn Fn(&ServerName) -> Option<view::Traffic> + Send + Sync;

/// Connects to a server and reads what it says of itself.
#[async_trait]
pub trait Vetter: Send + Sync {
    /// What the server offers now, in bounded time. The error is for the person who reviews the server; it holds no
    /// secrets.
    ///
    /// A local server is started for it, in a process of its own that ends with the look. It is asked for one only by a
    /// person's `check`, after they may have read the command; never when it is submitted or applied.
    async fn vet(&self, manifest: &ServerManifest) -> Result<Observed, String>;
}

/// Asks servers what strangers ask, beyond what they offer.
#[async_trait]
pub trait Prober: Send + Sync {
    /// What the server answers, in bounded time and within its zone. `told` hears how many steps are done, and which is next. The
    /// error is for the person who asked; it holds no secrets.
    async fn probe(&self, manifest: &ServerManifest, told: &evidence::Told) -> Result<evidence::Probe, String>;

    /// What the program of a server that the gate starts, or of its package, tries where it can do no harm; nothing is run where no
    /// jail can be made. `package` is a file's name and its bytes. `told` and the error are as for [`Prober::probe`].
    async fn attempt(
        &self,
        manifest: &ServerManifest,
        package: Option<(String, Vec<u8>)>,
        told: &evidence::Told,
    ) -> Result<evidence::Trial, String>;
}

/// The credentials that servers are given. None of them is ever read here.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// How those of a server are, by holder; a key that somebody keeps is one for everybody.
    ///
    /// # Errors
    /// Why that is not known.
    async fn health(&self, server: &ServerName) -> Result<Vec<view::CredentialHealth>, String>;

    /// The scopes of its tokens: what was given, asked for and used.
    ///
    /// # Errors
    /// Why that is not known.
    async fn scopes(&self, server: &ServerName) -> Result<Vec<view::ScopeRow>, String>;

    /// An invitation for whoever opens it to connect a server for a holder; without one so that everybody's calls and the gate's
    /// own looks use it as them. It is a URL that is good for some minutes; a person's own is good for that person alone. `by`
    /// says in the receipt who invited them.
    ///
    /// # Errors
    /// Why nobody can connect it.
    async fn invite(
        &self,
        manifest: &ServerManifest,
        holder: Option<&str>,
        by: &model::Actor,
    ) -> Result<String, String>;

    /// Forgets what `holder` has of a server; returns whether there was something.
    ///
    /// # Errors
    /// Why it could not be forgotten.
    async fn disconnect(&self, server: &ServerName, holder: &str, change: model::Change) -> Result<bool, String>;

    /// Wraps the keys of everything that is sealed by the master key as it is now; returns how many are wrapped otherwise than
    /// before. Nothing is opened for it.
    ///
    /// # Errors
    /// Why that could not be done; what was done before stays.
    async fn rewrap(&self, change: model::Change) -> Result<usize, String>;
}

/// Carries out `task` on a thread that may be busy for long.
pub(crate) async fn busy<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(task).await.map_err(|error| {
        tracing::error!(%error, "a task of the admin API ended early");
        Fault::new(Code::Internal, "the gate could not finish this")
    })
}
