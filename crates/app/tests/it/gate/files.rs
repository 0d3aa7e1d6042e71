//! The files of a gate under test: its settings, its callers' tokens, and the state that is applied to it.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::Setup;

/// A caller: the name of its token, its agent, and its user with a group, if it has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) name: &'static str,
    agent: &'static str,
    user: Option<(&'static str, &'static str)>,
}

const fn delegated(name: &'static str, agent: &'static str, user: &'static str, group: &'static str) -> Caller {
    Caller { name, agent, user: Some((user, group)) }
}

const fn autonomous(name: &'static str, agent: &'static str) -> Caller {
    Caller { name, agent, user: None }
}

/// Ana of support, through the help desk's agent: the one who may.
pub(crate) const ANA: Caller = delegated("ana", "helpdesk", "ana", "support");
/// Ana again, through another agent with the same rights.
pub(crate) const ANA_AT_DESKTOP: Caller = delegated("ana-at-desktop", "desktop", "ana", "support");
/// Ana again, through an agent that may only look.
pub(crate) const ANA_WITH_SCOUT: Caller = delegated("ana-with-scout", "scout", "ana", "support");
/// Bob, an intern who may only look, through the agent that may.
pub(crate) const BOB: Caller = delegated("bob", "helpdesk", "bob", "interns");
/// An agent that works for nobody and may read tickets.
pub(crate) const RECONCILER: Caller = autonomous("reconciler", "reconciler");
/// An agent that took the name of a user.
pub(crate) const NAMESAKE: Caller = autonomous("namesake", "ana");
/// Somebody whom no policy knows.
pub(crate) const OUTSIDER: Caller = delegated("outsider", "visitor", "carl", "guests");
/// Ana once more, for tests that use a session up.
pub(crate) const CROWD: Caller = delegated("crowd", "crowd", "ana", "support");

pub(crate) const CALLERS: [Caller; 8] =
    [ANA, ANA_AT_DESKTOP, ANA_WITH_SCOUT, BOB, RECONCILER, NAMESAKE, OUTSIDER, CROWD];

/// People on the admin side beside the bootstrap token, by their one role.
pub(crate) const ROLES: [&str; 7] = ["reporter", "viewer", "auditor", "reviewer", "approver", "responder", "admin"];

/// The credential that the gate gives the desk, when it is asked for one.
pub(crate) const DESK_CREDENTIAL: &str = "credential-of-the-desk-6f1d2c";

/// A caller's development token.
pub(crate) fn caller_token(name: &str) -> String {
    format!("token-of-caller-{name}-0123456789abcdef")
}

/// The token of somebody on the admin side.
pub(crate) fn person_token(role: &str) -> String {
    format!("token-of-person-{role}-0123456789abcdef0123456789abcdef")
}

/// Everything but the gate's own data.
pub(super) fn write_all(directory: &Path, setup: &Setup, desk: &str) {
    for folder in
        ["tokens", "secrets", "state/servers", "state/endpoints", "state/zones", "state/policies", "state/agents"]
    {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory.join(folder)).unwrap();
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(directory.join("portcullis.toml"), settings(directory, setup)).unwrap();
    let state = directory.join("state");
    let zone = "name = \"here\"\naddresses = [\"127.0.0.1/32\"]\npurpose = \"This machine\"\n";
    fs::write(state.join("zones/here.toml"), zone).unwrap();
    let credential = setup.guard.as_ref().map_or("", |(_, credential)| credential);
    let manifest = format!("{}{credential}", server("desk", desk, setup.guarded));
    fs::write(state.join("servers/desk.toml"), manifest).unwrap();
    fs::write(state.join("endpoints/desk.toml"), endpoint("desk", "desk")).unwrap();
    fs::write(state.join("policies/desk.cedar"), policies()).unwrap();
    for (file, text) in &setup.state {
        fs::write(state.join(file), text).unwrap();
    }
    for (name, secret) in &setup.secrets {
        write_private(&directory.join("secrets").join(name), secret);
    }
    if setup.guarded {
        write_private(&directory.join("secrets/desk"), DESK_CREDENTIAL);
    }
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(file: &Path, text: &str) {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(file).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn settings(directory: &Path, setup: &Setup) -> String {
    let mut text = format!("[agents]\nlisten = \"127.0.0.1:0\"\n{}\n", setup.listener);
    write!(text, "[admin]\nlisten = \"127.0.0.1:0\"\n{}\n", setup.admin).unwrap();
    text.push_str("[data]\ndirectory = \"data\"\n");
    for role in ROLES {
        write_private(&directory.join("tokens").join(role), &person_token(role));
        write!(text, "\n[[admin.token]]\nname = \"{role}\"\nroles = [\"{role}\"]\ntoken = \"file:tokens/{role}\"\n")
            .unwrap();
    }
    for Caller { name, agent, user } in CALLERS {
        write_private(&directory.join("tokens").join(name), &caller_token(name));
        let kind = if user.is_some() { "delegated" } else { "autonomous" };
        write!(text, "\n[[development.token]]\ntoken = \"file:tokens/{name}\"\n").unwrap();
        writeln!(text, "agent = \"{agent}\"\nkind = \"{kind}\"").unwrap();
        if let Some((user, group)) = user {
            writeln!(text, "user = \"{user}\"\ngroups = [\"{group}\"]").unwrap();
        }
    }
    text.push_str(&setup.settings);
    text
}

/// A server's manifest.
pub(crate) fn server(name: &str, url: &str, guarded: bool) -> String {
    let mut text = format!(
        "name = \"{name}\"\nurl = \"{url}\"\nzone = \"here\"\nowner = \"the desk\"\npurpose = \"A help desk\"\n"
    );
    if guarded {
        text.push_str("\n[credential]\nsecret = \"file:secrets/desk\"\n");
    }
    text
}

/// An endpoint's manifest.
pub(crate) fn endpoint(name: &str, server: &str) -> String {
    format!("name = \"{name}\"\nserver = \"{server}\"\npurpose = \"A help desk\"\n")
}

/// Who may do at another place what they may do at the desk, where the same things go by the same names.
pub(crate) fn policies_at(place: &str) -> String {
    let moved = policies().replace("\"desk\"", &format!("\"{place}\"")).replace("\"desk/", &format!("\"{place}/"));
    moved.replace("desk://", &format!("{place}://")).replace("@id(\"", &format!("@id(\"{place}-"))
}

/// Who may do what at the desk.
fn policies() -> String {
    let mut text = String::from(POLICIES);
    // Agents with all the rights there are.
    for agent in ["helpdesk", "desktop", "crowd"] {
        permit(&mut text, &format!("{agent}-connects"), &format!("principal == Agent::\"{agent}\""), "connect");
        for place in WORKPLACE {
            permit_at(&mut text, &format!("principal == Agent::\"{agent}\""), "use", place);
        }
    }
    // Agents and people who may look, and read tickets.
    let lookers =
        ["principal == Agent::\"scout\"", "principal == Agent::\"reconciler\"", "principal in Group::\"interns\""];
    for (number, who) in lookers.into_iter().enumerate() {
        permit(&mut text, &format!("looker-{number}-connects"), who, "connect");
        permit_at(&mut text, who, "list", "resource is Tool in Server::\"desk\"");
        permit_at(&mut text, who, "use", "resource == Tool::\"desk/read_ticket\"");
    }
    text
}

/// What those with all the rights may use; hidden things are taken out of it by `forbid`, as people do.
const WORKPLACE: [&str; 6] = [
    "resource is Tool in Server::\"desk\"",
    "resource is Prompt in Server::\"desk\"",
    "resource is Template in Server::\"desk\"",
    "resource == Resource::\"desk/desk://tickets/1\"",
    "resource == Resource::\"desk/desk://escalated/1\"",
    "resource == Server::\"desk\"",
];

fn permit(text: &mut String, id: &str, who: &str, action: &str) {
    let action = format!("action == Action::\"{action}\"");
    writeln!(text, "@id(\"{id}\")\npermit ({who}, {action}, resource == Endpoint::\"desk\");").unwrap();
}

fn permit_at(text: &mut String, who: &str, action: &str, place: &str) {
    let verb = if action == "use" { "in" } else { "==" };
    writeln!(text, "permit ({who}, action {verb} Action::\"{action}\", {place});").unwrap();
}

const POLICIES: &str = r#"
@id("support-connects")
permit (principal in Group::"support", action == Action::"connect", resource == Endpoint::"desk");
@id("support-tools")
permit (principal in Group::"support", action in Action::"use", resource is Tool in Server::"desk");
@id("support-prompts")
permit (principal in Group::"support", action in Action::"use", resource is Prompt in Server::"desk");
@id("support-templates")
permit (principal in Group::"support", action in Action::"use", resource is Template in Server::"desk");
@id("support-resources")
permit (principal in Group::"support", action in Action::"use", resource == Resource::"desk/desk://tickets/1");
@id("support-escalated-resources")
permit (principal in Group::"support", action in Action::"use", resource == Resource::"desk/desk://escalated/1");
@id("support-server")
permit (principal in Group::"support", action in Action::"use", resource == Server::"desk");
// A right that a person has by name, for an agent that takes the name.
@id("ana-connects")
permit (principal == User::"ana", action == Action::"connect", resource == Endpoint::"desk");

// Nobody may even know of these.
@id("purge-is-hidden")
forbid (principal, action in Action::"use", resource == Tool::"desk/purge");
@id("sweep-is-hidden")
forbid (principal, action in Action::"use", resource == Tool::"desk/sweep");
@id("minutes-are-hidden")
forbid (principal, action in Action::"use", resource == Prompt::"desk/minutes");
@id("vault-is-hidden")
forbid (principal, action in Action::"use", resource == Template::"desk/desk://vault/{id}");

// These are seen, and not called.
@id("escalations-are-for-managers")
@message("escalations are for managers")
forbid (principal, action == Action::"call", resource == Tool::"desk/escalate");
@id("escalation-prompts-are-for-managers")
forbid (principal, action == Action::"call", resource == Prompt::"desk/escalation");
@id("escalated-tickets-are-for-managers")
forbid (principal, action == Action::"call", resource == Resource::"desk/desk://escalated/1");
@id("escalated-templates-are-for-managers")
forbid (principal, action == Action::"call", resource == Template::"desk/desk://escalated/{id}");

// And these only within limits.
@id("refund-limit")
@message("refunds above 500 are made by finance")
forbid (principal, action == Action::"call", resource == Tool::"desk/refund")
when { context.arguments.amount.greaterThan(decimal("500.00")) };
@id("credit-limit")
forbid (principal, action == Action::"call", resource == Tool::"desk/credit")
when { context.arguments has amount && context.arguments.amount.greaterThan(decimal("500.00")) };
@id("annotation-limit")
forbid (principal, action == Action::"call", resource == Tool::"desk/annotate")
when { context.arguments.amount.greaterThan(decimal("500.00")) };
@id("assign-to-the-first-line")
forbid (principal, action == Action::"call", resource == Tool::"desk/assign")
unless { context.arguments.to == "first-line" };
"#;
