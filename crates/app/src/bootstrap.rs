//! The first way in: a token in a file that only its owner can read.

use std::net::SocketAddr;
use std::path::Path;

use admin::Manifests;
use admin::requests::{Apply, PlanRequest};
use admin::view::{Applied, PlanView};
use anyhow::Context as _;
use identity::{read_secret, write_private};
use model::{Entropy, Revision, Role, SecretReference};

use crate::cli::client::Client;
use crate::cli::connection::Connection;
use crate::settings::Loaded;

/// Everyone who may use the admin side: the bootstrap token, made if there is none, and those in settings.
///
/// # Errors
/// When a token cannot be made or read, or others may read its file.
pub(crate) fn people(loaded: &Loaded, entropy: &dyn Entropy) -> anyhow::Result<admin::People> {
    let file = loaded.bootstrap_file();
    make(&file, entropy)?;
    let token = read_secret(&SecretReference::File(file), Path::new("")).context("the bootstrap token")?;
    let mut people = loaded.people()?;
    people.push(("bootstrap".to_owned(), vec![Role::Admin], token));
    Ok(admin::People::new(people).map_err(|error| loaded.wrong_people(&error))?)
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

/// Applies a directory of manifests to the gate that just started, as `portcullis apply --yes` would.
///
/// # Errors
/// What `apply` refuses.
pub(crate) async fn apply(loaded: &Loaded, admin: SocketAddr, directory: &Path) -> anyhow::Result<()> {
    let connection = Connection::to(loaded, admin, loaded.bootstrap_file());
    let client = Client::new(&connection)?;
    let manifests = Manifests::read(directory)?;
    let plan: PlanView = client.post("/plan", &PlanRequest { manifests: manifests.clone() }).await?;
    let expected = Revision(plan.revision);
    let reason = Some("serve --apply".to_owned());
    let applied: Applied = client.post("/apply", &Apply { manifests, expected, reason }).await?;
    tracing::info!(changes = applied.changes.len(), revision = applied.revision, "the manifests were applied");
    Ok(())
}
