//! Vetting that goes on by itself: what servers are made of is held against what became known since they were approved.
//!
//! Start with [`Vetting::look`]. For each server whose package somebody had examined, the components that were kept are compared
//! with the advisories of today, and the evidence that was kept is verified once more. What is news opens the approval again
//! ([`registry::Reopening`]), and the manifest says what follows. News is what the examination does not say that was kept with
//! the approval; a package that somebody has examined later changes nothing of it until it is approved.
//!
//! Advisories that cannot be read are never none: [`Vetting::view`] tells of them, and so do the log and the metrics.

mod advisories;
mod answers;
mod checks;
mod publisher;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dossier::advisories::{Excerpt, Vulnerability};
use dossier::{Component, Examination};
use egress::ResolveTexts;
use identity::fetch::Fetch;
use model::{Actor, Change, Clock, Expected, ServerName, StoreError, Timestamp, limits};
use registry::{Advisory, Cause, Consequence, PackageManifest, Reopening, Server, Standing};

use crate::port::{KeptPackage, Packages};
use crate::resources::packages::unmet;
use crate::view::VettingView;

use advisories::Seen;

pub use advisories::Advisories;
pub(crate) use answers::Facts;
pub(crate) use checks::report;
pub use checks::{FailMode, FailModes, Verdict, VettingCheck};
use publisher::Document;

/// What vetting needs, and what it knows.
pub struct Vetting {
    means: Means,
    known: Mutex<Known>,
}

/// What vetting needs.
pub struct Means {
    /// Servers and their approvals.
    pub registry: Arc<dyn registry::port::Registry>,
    /// What is in servers' packages.
    pub packages: Arc<dyn Packages>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What servers are compared with, if settings name it.
    pub advisories: Option<Advisories>,
    /// Asks the hosts of publishers, where settings say that those are and nowhere else.
    pub publishers: Arc<dyn Fetch>,
    /// Knows what their domains say of themselves.
    pub records: Arc<dyn ResolveTexts>,
    /// What follows from which check.
    pub modes: FailModes,
}

/// How the last look went.
#[derive(Default)]
struct Known {
    looked_at: Option<Timestamp>,
    /// The advisories that there were then.
    advisories: Seen,
    trouble: Option<String>,
    /// What was asked of each server's package when it was looked at.
    asked: HashMap<ServerName, Option<PackageManifest>>,
}

/// Which servers are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// All of them.
    Everyone,
    /// Those of whose package something else is asked than when they were looked at.
    Changed,
    /// One.
    Only(ServerName),
}

/// What came of a look at some servers.
struct Done {
    /// The advisories were read for it.
    was_read: bool,
    /// Something was raised.
    raised: bool,
}

/// A server, what is kept of its package, and what that was when it was approved.
struct Subject {
    server: Arc<Server>,
    kept: KeptPackage,
}

/// What a look at one package found.
struct Found {
    /// What is known of the kept package now.
    now: Examination,
    /// Advisories that the approval did not know of.
    advisories: Vec<Vulnerability>,
    /// What was proven when it was approved, and is not any more.
    lost: Vec<String>,
    /// Why what was approved is not what the manifest asks for.
    unmet: Option<String>,
}

impl Vetting {
    /// Vetting by these means.
    pub fn new(means: Means) -> Self {
        Self { means, known: Mutex::default() }
    }

    /// What follows from which check.
    pub(crate) fn modes(&self) -> &FailModes {
        &self.means.modes
    }

    /// What the domain of a server's publisher shows of itself, if the server claims one.
    pub(crate) async fn document(&self, server: &Server) -> Option<Document> {
        publisher::document(server, &*self.means.publishers, &*self.means.records).await
    }

    /// Whether the advisories are others than when all servers were looked at. It looks at a file's dates, and reads nothing.
    pub fn has_news(&self) -> bool {
        self.seen() != self.known().advisories
    }

    /// Looks at servers now, and raises what is new; says whether anything was.
    ///
    /// # Errors
    /// When the state cannot be read or written. Advisories that cannot be read are no error here: what needs none of them is
    /// done all the same, and [`Vetting::view`] tells.
    pub async fn look(&self, whom: &Whom) -> Result<bool, StoreError> {
        // What is written while they are looked at is news afterwards.
        let seen = self.seen();
        let looked = self.looked(whom).await;
        let mut known = self.known();
        known.trouble = looked.as_ref().err().map(ToString::to_string);
        if looked.is_ok() && *whom == Whom::Everyone {
            (known.looked_at, known.advisories) = (Some(self.means.clock.now()), seen);
        }
        looked
    }

    /// How vetting is.
    pub fn view(&self) -> VettingView {
        let (looked_at, trouble) = {
            let known = self.known();
            (known.looked_at.map(|at| at.0), known.trouble.clone())
        };
        let advisories = self.means.advisories.as_ref().map(|advisories| advisories.view(self.means.clock.now()));
        VettingView { looked_at, trouble, advisories }
    }

    async fn looked(&self, whom: &Whom) -> Result<bool, StoreError> {
        let (_revision, servers) = self.means.registry.servers().await?;
        let is_meant = |server: &Arc<Server>| match whom {
            Whom::Everyone => true,
            Whom::Only(name) => server.manifest.name == *name,
            Whom::Changed => {
                let asked = self.known().asked.get(&server.manifest.name).cloned();
                asked.is_none_or(|asked| asked != server.manifest.package)
            }
        };
        self.known().asked.retain(|name, _| servers.iter().any(|server| server.manifest.name == *name));
        let meant: Vec<Arc<Server>> = servers.into_iter().filter(is_meant).collect();
        // Examinations are large, so that only some are held at once.
        let (mut was_read, mut raised) = (false, false);
        for some in meant.chunks(limits::VETTED_AT_ONCE) {
            let done = self.some(some).await?;
            (was_read, raised) = (was_read || done.was_read, raised || done.raised);
        }
        if *whom == Whom::Everyone && !was_read {
            // Whether advisories can be read is known also where nothing is compared with them.
            self.excerpt(Vec::new()).await;
        }
        Ok(raised)
    }

    /// Looks at some servers.
    async fn some(&self, servers: &[Arc<Server>]) -> Result<Done, StoreError> {
        let (mut subjects, mut raised) = (Vec::new(), false);
        for server in servers {
            match self.means.packages.package(&server.manifest.name).await? {
                Some(kept) => subjects.push(Subject { server: Arc::clone(server), kept }),
                None => raised |= self.unexamined(server).await?,
            }
        }
        let components: Vec<Component> = subjects.iter().flat_map(Subject::components).cloned().collect();
        let was_read = !components.is_empty();
        let excerpt = if was_read { self.excerpt(components).await } else { None };
        for Subject { server, kept } in subjects {
            let (excerpt, package) = (excerpt.clone(), server.manifest.package.clone());
            let (of, before) = (kept.digest, kept.examination.clone());
            let found = tokio::task::spawn_blocking(move || examined(kept, excerpt.as_deref(), package.as_ref())).await;
            let Ok(found) = found else {
                let source = "the task that looks at packages ended early".into();
                return Err(StoreError::Storage { doing: "look at a package", source });
            };
            raised |= self.raise(&server, &found).await?;
            if found.now != before {
                match self.means.packages.refresh_package(&server.manifest.name, of, found.now).await {
                    Ok(_) | Err(StoreError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            self.known().asked.insert(server.manifest.name.clone(), server.manifest.package.clone());
        }
        Ok(Done { was_read, raised })
    }

    /// A server of whose package nothing is kept, though its manifest may ask for something.
    async fn unexamined(&self, server: &Server) -> Result<bool, StoreError> {
        let asked = server.manifest.package.as_ref();
        let mut raised = false;
        if let Some(why) = asked.and_then(|asked| unmet(Some(asked), None)) {
            raised = self.open_again(server, not_asked_for(&why)).await?;
        }
        self.known().asked.insert(server.manifest.name.clone(), asked.cloned());
        Ok(raised)
    }

    /// What the advisories say of these components; none where settings name no advisories, or they cannot be read.
    async fn excerpt(&self, components: Vec<Component>) -> Option<Arc<Excerpt>> {
        let advisories = self.means.advisories.as_ref()?.clone();
        let now = self.means.clock.now();
        let read = tokio::task::spawn_blocking(move || advisories.read(&components, now)).await;
        read.ok()?.map(Arc::new)
    }

    async fn raise(&self, server: &Server, found: &Found) -> Result<bool, StoreError> {
        let mut raised = false;
        if !found.advisories.is_empty() {
            let advisories = found.advisories.iter().map(advisory).collect();
            raised |= self.open_again(server, Reopening::advisories(advisories)).await?;
        }
        for why in &found.lost {
            raised |= self.open_again(server, Reopening::of(Cause::Signature, why.clone())).await?;
        }
        if let Some(why) = &found.unmet {
            raised |= self.open_again(server, not_asked_for(why)).await?;
        }
        Ok(raised)
    }

    /// Opens the approval of a server again, if it has one; says whether that is news.
    async fn open_again(&self, server: &Server, reopening: Reopening) -> Result<bool, StoreError> {
        // What nobody approved yet is read when somebody does.
        if server.pins.is_none() || !matches!(server.standing, Standing::Approved | Standing::Suspended) {
            return Ok(false);
        }
        let name = &server.manifest.name;
        let (cause, about) = (reopening.cause, reopening.about.clone());
        let reason = match cause {
            Cause::Advisory => "an advisory about something that it is made of",
            Cause::Signature => "who made it is not shown any more",
            Cause::Expired => "its approval is over",
        };
        let change = Change {
            actor: Actor::Gate,
            expected: Expected::Any,
            at: self.means.clock.now(),
            reason: Some(reason.to_owned()),
        };
        match self.means.registry.reopen(name, reopening, change).await {
            Ok((_, Consequence::Suspended)) => {
                tracing::warn!(server = %name, %about, "{reason}: it is suspended until somebody approves it again");
            }
            Ok((_, Consequence::Warned)) => {
                tracing::warn!(server = %name, %about, "{reason}: it goes on, and waits for somebody to look at it");
            }
            Ok((_, Consequence::Nothing)) | Err(StoreError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn seen(&self) -> Seen {
        self.means.advisories.as_ref().map(Advisories::seen).unwrap_or_default()
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subject {
    /// What runs with the package, kept and approved.
    fn components(&self) -> impl Iterator<Item = &Component> {
        let approved = self.kept.approved.iter().flat_map(|approved| &approved.components);
        self.kept.examination.components.iter().chain(approved)
    }
}

/// What is known of a package now, and what of that the approval did not know.
fn examined(kept: KeptPackage, excerpt: Option<&Excerpt>, asked: Option<&PackageManifest>) -> Found {
    let KeptPackage { examination: mut now, approved, .. } = kept;
    let mut approved = approved.unwrap_or_else(|| now.clone());
    let lost = approved.verify_again();
    let _told_by_the_approved = now.verify_again();
    let mut advisories = Vec::new();
    if let Some(excerpt) = excerpt {
        let index = excerpt.index();
        advisories = approved.compare(&index);
        let _of_the_approved = now.compare(&index);
    }
    let unmet = asked.and_then(|asked| unmet(Some(asked), Some(&approved)));
    Found { now, advisories, lost, unmet }
}

fn not_asked_for(why: &str) -> Reopening {
    Reopening::of(Cause::Signature, format!("its package is not what its manifest asks for: {why}"))
}

fn advisory(one: &Vulnerability) -> Advisory {
    Advisory {
        id: one.id.clone(),
        component: one.purl.clone(),
        severity: one.severity.word().to_owned(),
        mended: one.mended.clone(),
        malice: one.is_malice(),
    }
}
