//! The first way in: a token in a file that only its owner can read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use admin::Manifests;
use admin::requests::{Apply, PlanRequest};
use admin::view::{Applied, PlanView};
use anyhow::Context as _;
use arc_swap::ArcSwap;
use identity::{read_secret, write_private};
use model::{Entropy, Revision, Role, SecretReference};

use crate::cli::client::Client;
use crate::cli::connection::Connection;
use crate::settings::{Bootstrap, Known, Loaded};
use crate::system::SystemEntropy;

/// Everyone with a token for the admin side: those in settings, and the bootstrap token, which is made if there is none, where
/// settings do not say that there is another way.
///
/// # Errors
/// When a token cannot be made or read, or others may read its file.
pub(crate) fn people(loaded: &Loaded, entropy: &dyn Entropy) -> anyhow::Result<admin::People> {
    let mut people = loaded.people()?;
    if loaded.settings.admin.bootstrap == Bootstrap::Token {
        people.push(bootstrap(&loaded.bootstrap_file(), entropy)?);
    }
    if people.is_empty() && loaded.settings.people.is_some() {
        return Ok(admin::People::nobody());
    }
    Ok(admin::People::new(people).map_err(|error| loaded.wrong_people(&error))?)
}

/// The token in a file, which is made if it is not there.
fn bootstrap(file: &Path, entropy: &dyn Entropy) -> anyhow::Result<Known> {
    make(file, entropy)?;
    let token = read_secret(&SecretReference::File(file.to_owned()), Path::new("")).context("the bootstrap token")?;
    Ok(("bootstrap".to_owned(), vec![Role::Admin], token))
}

/// Writes a new token, unless there is one.
fn make(file: &Path, entropy: &dyn Entropy) -> anyhow::Result<()> {
    let shown = file.display();
    if file.try_exists().with_context(|| format!("cannot look for the bootstrap token `{shown}`"))? {
        return Ok(());
    }
    write_private(file, format!("portcullis-admin-{:032x}{:032x}", entropy.bits(), entropy.bits()).as_bytes())
        .with_context(|| format!("cannot make the bootstrap token `{shown}`"))
}

/// Applies a directory of manifests to the gate that just started, as `portcullis apply --yes` would. Where there is no
/// bootstrap token, there is one for that moment.
///
/// # Errors
/// What `apply` refuses.
pub(crate) async fn apply(
    loaded: &Loaded,
    admin: SocketAddr,
    people: &ArcSwap<admin::People>,
    directory: &Path,
) -> anyhow::Result<()> {
    if loaded.settings.admin.bootstrap == Bootstrap::Token {
        return apply_with(loaded, admin, loaded.bootstrap_file(), directory).await;
    }
    let file = loaded.data().join("apply.token");
    // One that a crash left is another's.
    drop(std::fs::remove_file(&file));
    let mut known = loaded.people()?;
    known.push(bootstrap(&file, &SystemEntropy::default())?);
    let before = people.swap(Arc::new(admin::People::new(known).map_err(|error| loaded.wrong_people(&error))?));
    let applied = apply_with(loaded, admin, file.clone(), directory).await;
    people.store(before);
    std::fs::remove_file(&file).context("the token that the manifests were applied with is still there")?;
    applied
}

async fn apply_with(loaded: &Loaded, admin: SocketAddr, token: PathBuf, directory: &Path) -> anyhow::Result<()> {
    let connection = Connection::to(loaded, admin, token);
    let client = Client::new(&connection)?;
    let manifests = Manifests::read(directory)?;
    let plan: PlanView = client.post("/plan", &PlanRequest { manifests: manifests.clone() }).await?;
    let expected = Revision(plan.revision);
    let reason = Some("serve --apply".to_owned());
    let applied: Applied = client.post("/apply", &Apply { manifests, expected, reason }).await?;
    tracing::info!(changes = applied.changes.len(), revision = applied.revision, "the manifests were applied");
    Ok(())
}
