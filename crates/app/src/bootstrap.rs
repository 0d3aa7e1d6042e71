//! The first way in: a token in a file that only its owner can read.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use admin::Manifests;
use admin::requests::{Apply, PlanRequest};
use admin::view::{Applied, PlanView};
use anyhow::Context as _;
use identity::read_secret;
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
    make_private(file, &format!("portcullis-admin-{:032x}{:032x}", entropy.bits(), entropy.bits()))
        .with_context(|| format!("cannot make the bootstrap token `{shown}`"))
}

/// Makes a file that only its owner can read. It is whole, or not there: a gate that is killed here must be able to start
/// the next time.
pub(crate) fn make_private(file: &Path, text: &str) -> std::io::Result<()> {
    let beside = file.with_added_extension("new");
    write_new(&beside, text)?;
    std::fs::rename(&beside, file)
}

/// Writes a file that only its owner can read. It is made anew: whoever put one there first does not choose its
/// readers.
fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    created.write_all(text.as_bytes())?;
    created.sync_data()
}

/// Applies a directory of manifests to the gate that just started, as `portcullis apply --yes` would.
///
/// # Errors
/// What `apply` refuses.
pub(crate) async fn apply(loaded: &Loaded, admin: SocketAddr, directory: &Path) -> anyhow::Result<()> {
    let connection = Connection { url: format!("http://{admin}"), token_file: loaded.bootstrap_file() };
    let client = Client::new(&connection)?;
    let manifests = Manifests::read(directory)?;
    let plan: PlanView = client.post("/plan", &PlanRequest { manifests: manifests.clone() }).await?;
    let expected = Revision(plan.revision);
    let reason = Some("serve --apply".to_owned());
    let applied: Applied = client.post("/apply", &Apply { manifests, expected, reason }).await?;
    tracing::info!(changes = applied.changes.len(), revision = applied.revision, "the manifests were applied");
    Ok(())
}
