//! What the story plays on: the company's servers, the gate's files, the gate, and people's approvals.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use drill::Company;
use model::{Entropy as _, Secret};
use serde_json::{Value, json};

use crate::cli::client::Client;
use crate::cli::connection::Connection;
use crate::serve::{self, Serving};
use crate::system::SystemEntropy;

/// The endpoints, and the server behind each.
pub(super) const ENDPOINTS: [(&str, &str, &str); 4] = [
    ("customers", "crm", "Customer records, for support"),
    ("orders", "erp", "Orders and refunds, for support"),
    ("invoices", "billing", "Invoices, for the nightly reconciliation"),
    ("web", "web-search", "Searching the web"),
];

/// The local server, a program that the gate starts, and what it is for.
pub(super) const LOCAL: (&str, &str) = ("notes", "The support team's notebook");

/// The endpoint that has the local server beside one on the network.
const BOTH: (&str, &str) = ("support", "Customers and notes, for the helpdesk");

/// A caller of the story.
struct Caller {
    agent: &'static str,
    kind: &'static str,
    /// The user, with a group.
    user: Option<(&'static str, &'static str)>,
}

const CALLERS: [Caller; 2] = [
    Caller { agent: "helpdesk", kind: "delegated", user: Some(("ana", "support")) },
    Caller { agent: "reconciler", kind: "autonomous", user: None },
];

const POLICIES: [(&str, &str); 3] = [
    ("agents.cedar", include_str!("policies/agents.cedar")),
    ("people.cedar", include_str!("policies/people.cedar")),
    ("limits.cedar", include_str!("policies/limits.cedar")),
];

/// How long the gate may take to see what a server said it changed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long until what was recorded is under a signed root.
const CHECKPOINT: Duration = Duration::from_millis(1_500);

/// Everything, running.
pub(super) struct Stage {
    /// Where its files are.
    pub directory: PathBuf,
    /// The sample company.
    pub company: Company,
    /// The gate.
    pub gate: Serving,
    /// The admin API, as its bootstrap person.
    pub desk: Client,
    /// Milliseconds the gate took to be ready.
    pub ready_milliseconds: u128,
}

impl Stage {
    /// Starts the company, writes the gate's files, starts the gate, applies them, and approves all but `web-search`.
    pub(super) async fn set(directory: &Path) -> anyhow::Result<Self> {
        make_private(directory)?;
        for folder in
            ["tokens", "secrets", "state/servers", "state/endpoints", "state/zones", "state/policies", "notebook"]
        {
            make_private(&directory.join(folder))?;
        }
        let company = start_company(directory).await?;
        write_settings(directory)?;
        write_state(directory, &company)?;

        let began = Instant::now();
        let loaded = super::settings(directory)?;
        let gate = serve::start(&loaded).await?;
        let ready_milliseconds = began.elapsed().as_millis();
        let connection = Connection::to(&loaded, gate.admin, loaded.bootstrap_file());
        let desk = Client::new(&connection)?;
        let stage = Self { directory: directory.to_owned(), company, gate, desk, ready_milliseconds };
        stage.apply().await?;
        for server in ["crm", "erp", "billing"] {
            stage.approve(server).await?;
        }
        // Applying starts no program: somebody who read the command has it started, once, to see what it offers.
        let (notes, _) = LOCAL;
        stage.order(&format!("/servers/{notes}/check"), &json!({})).await?;
        stage.approve(notes).await?;
        Ok(stage)
    }

    /// Ends everything: the gate, then the company.
    pub(super) async fn strike(self) {
        self.gate.stop().await;
        self.company.stop().await;
    }

    /// Where agents reach an endpoint.
    pub(super) fn url(&self, endpoint: &str) -> String {
        format!("http://{}/{endpoint}/mcp", self.gate.agents)
    }

    /// A client that calls an endpoint as one of the callers.
    pub(super) fn client(&self, agent: &str, endpoint: &str) -> anyhow::Result<drill::mcp::Client> {
        Ok(drill::mcp::Client::new(&self.url(endpoint), Some(&self.token(agent)?))?)
    }

    /// A caller's development token.
    pub(super) fn token(&self, agent: &str) -> anyhow::Result<String> {
        let file = self.directory.join("tokens").join(agent);
        fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))
    }

    /// Asks the admin API.
    pub(super) async fn ask(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.desk.get(path).await?)
    }

    /// Has the admin API do something.
    pub(super) async fn order(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(self.desk.post(path, body).await?)
    }

    /// Waits until the gate has seen that a server's definitions are not the approved ones.
    pub(super) async fn drift_seen(&self, server: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let drift = self.ask(&format!("/servers/{server}/difference")).await?;
            let seen = drift.get("changes").and_then(Value::as_array).is_some_and(|changes| !changes.is_empty());
            // Recorded and in effect are two things: calls are decided by the snapshot.
            let at = self.ask("/revision").await?;
            if seen && at.get("revision") == at.get("in_effect") {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the gate did not see within {PATIENCE:?} that `{server}` changed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Verifies the journal as an auditor would: from its files, with the gate's public key.
    pub(super) async fn verify(&self) -> anyhow::Result<audit::Report> {
        // A checkpoint is signed about once a second; this is the only time the story waits for one.
        tokio::time::sleep(CHECKPOINT).await;
        let journal = self.directory.join("data/journal");
        let verify = move || audit::verify(&journal, &audit::Trusted::default(), &mut |_progress| {});
        Ok(tokio::task::spawn_blocking(verify).await??)
    }

    async fn apply(&self) -> anyhow::Result<()> {
        let manifests = admin::Manifests::read(&self.directory.join("state"))?;
        let plan = self.order("/plan", &json!({ "manifests": manifests })).await?;
        let expected = plan.get("revision").cloned().unwrap_or_default();
        let order = json!({ "manifests": manifests, "expected": expected, "reason": "quickstart" });
        self.order("/apply", &order).await.map(drop)
    }

    async fn approve(&self, server: &str) -> anyhow::Result<()> {
        let dossier = self.ask(&format!("/servers/{server}")).await?;
        let seen = dossier.pointer("/observed/digest").cloned().with_context(|| format!("`{server}` was not seen"))?;
        let order = json!({ "seen": seen, "reason": "read for the quickstart" });
        self.order(&format!("/servers/{server}/approve"), &order).await.map(drop)
    }
}

/// Starts the servers. The ERP and the billing system want credentials of their own, which only the gate has.
async fn start_company(directory: &Path) -> anyhow::Result<Company> {
    let mut credentials = BTreeMap::new();
    for server in ["erp", "billing"] {
        let credential = random("server");
        write_private(&directory.join("secrets").join(server), &credential)?;
        credentials.insert(server, Secret::new(credential));
    }
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Company::start_guarded(loopback, credentials).await.context("cannot start the sample company")
}

fn write_settings(directory: &Path) -> anyhow::Result<()> {
    let mut settings = String::from(
        "# A gate for one machine. `portcullis serve --config portcullis.toml` runs it.\n\n\
         [agents]\nlisten = \"127.0.0.1:0\"\n\n[admin]\nlisten = \"127.0.0.1:0\"\n\n\
         [data]\ndirectory = \"data\"\n",
    );
    for Caller { agent, kind, user } in CALLERS {
        write_private(&directory.join("tokens").join(agent), &random("dev"))?;
        settings.push_str(&format!(
            "\n[[development.token]]\ntoken = \"file:tokens/{agent}\"\nagent = \"{agent}\"\nkind = \"{kind}\"\n"
        ));
        if let Some((user, group)) = user {
            settings.push_str(&format!("user = \"{user}\"\ngroups = [\"{group}\"]\n"));
        }
    }
    write(&directory.join("portcullis.toml"), &settings)
}

fn write_state(directory: &Path, company: &Company) -> anyhow::Result<()> {
    let state = directory.join("state");
    let zone = "name = \"company\"\naddresses = [\"127.0.0.1/32\"]\npurpose = \"The sample company, on loopback\"\n";
    write(&state.join("zones/company.toml"), zone)?;
    for (endpoint, server, purpose) in ENDPOINTS {
        let running = company.server(server).with_context(|| format!("there is no server `{server}`"))?;
        let mut manifest = format!(
            "name = \"{server}\"\nurl = \"{}\"\nzone = \"company\"\nowner = \"platform team\"\npurpose = \"{purpose}\"\n",
            running.url()
        );
        let secret = directory.join("secrets").join(server);
        if secret.exists() {
            manifest.push_str(&format!("\n[credential]\nsecret = \"file:secrets/{server}\"\n"));
        }
        write(&state.join(format!("servers/{server}.toml")), &manifest)?;
        let manifest = format!("name = \"{endpoint}\"\nserver = \"{server}\"\npurpose = \"{purpose}\"\n");
        write(&state.join(format!("endpoints/{endpoint}.toml")), &manifest)?;
    }
    let (notes, purpose) = LOCAL;
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let notebook = directory.join("notebook");
    let manifest = format!(
        "name = \"{notes}\"\nowner = \"support team\"\npurpose = \"{purpose}\"\n\n\
         [command]\nprogram = {program:?}\narguments = [\"sample-server\", \"{notes}\", {notebook:?}]\n"
    );
    write(&state.join(format!("servers/{notes}.toml")), &manifest)?;
    let (endpoint, purpose) = BOTH;
    let manifest = format!(
        "name = \"{endpoint}\"\npurpose = \"{purpose}\"\n\n\
         [[servers]]\nname = \"crm\"\ntools = [\"find_customer\", \"get_customer\"]\n\n\
         [[servers]]\nname = \"{notes}\"\nresources = [\"notes://team/\"]\n"
    );
    write(&state.join(format!("endpoints/{endpoint}.toml")), &manifest)?;
    for (file, text) in POLICIES {
        write(&state.join("policies").join(file), text)?;
    }
    Ok(())
}

fn random(kind: &str) -> String {
    format!("{kind}-{:032x}", SystemEntropy::default().bits())
}

fn make_private(directory: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(directory).with_context(|| format!("cannot make the directory `{}`", directory.display()))
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))
}

fn write_private(file: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let written = made.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write `{}`", file.display()))
}
