//! The routes, all of them. Nothing is served that has no row here, and every row says who may use it.

use model::{Role, limits};

use crate::resources::{
    about, apply, halts, inventories, lifecycle, lists, looks, packages, people, receipts, servers, vault, vetting,
};
use crate::route::Route;
use crate::route::Verb::{Delete, Get, Post};

/// Everyone with a role reads the state, but for those who only report.
const READ: &[Role] = &[Role::Viewer, Role::Auditor, Role::Reviewer, Role::Approver, Role::Responder];
/// Who one is, and which of one's own connections are approved, is for everyone with a role.
const ANYBODY: &[Role] = &Role::ALL;
const REPORT: &[Role] = &[Role::Reporter, Role::Reviewer];
const AUDIT: &[Role] = &[Role::Auditor];
/// Those who read receipts, and those who look after what they tell of.
const JUDGE: &[Role] = &[Role::Auditor, Role::Reviewer, Role::Approver, Role::Responder];
const REVIEW: &[Role] = &[Role::Reviewer, Role::Approver];
const APPROVE: &[Role] = &[Role::Approver];
const RESPOND: &[Role] = &[Role::Responder];
/// Who else is in is for those who stop people, and those who ask afterwards.
const WATCH: &[Role] = &[Role::Auditor, Role::Responder];
/// Taking a server out of service is safe, so those who may stop it may, and those who may put it back.
const SUSPEND: &[Role] = &[Role::Approver, Role::Responder];
/// Whoever takes part in approving servers, or reads what came of it, may say something of them.
const COMMENT: &[Role] = &[Role::Auditor, Role::Reviewer, Role::Approver, Role::Responder];
/// An admin may do everything; this is what only an admin may.
const ADMIN: &[Role] = &[Role::Admin];

/// The table. Built when asked for: once for the router, and for each look at the document.
#[rustfmt::skip]
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::public("/healthz", "Whether the process answers.", about::healthz),
        Route::public("/readyz", "Whether the gate carries calls.", about::readyz),
        Route::plain("/metrics", "The metrics, in the Prometheus text format.", READ, about::metrics),

        Route::new(Get, "/api/v1/openapi.json", "This document.", READ, about::openapi),
        Route::new(Get, "/api/v1/whoami", "Who sent the request, and how they are known.", ANYBODY, about::whoami),
        Route::new(Post, "/api/v1/sign-out", "Ends the session of the request.", ANYBODY, about::sign_out),
        Route::new(Get, "/api/v1/status", "How the gate is.", READ, about::status),
        Route::new(Get, "/api/v1/revision", "The revision of the state, durable and in effect.", READ, about::revision),

        Route::new(Get, "/api/v1/servers", "Every server.", READ, servers::list),
        Route::new(Post, "/api/v1/servers", "Submits a server and looks at it.", REVIEW, servers::submit),
        Route::new(Get, "/api/v1/servers/{name}", "All that is known of a server.", READ, servers::show),
        Route::new(Delete, "/api/v1/servers/{name}", "Removes a server that no endpoint names.", ADMIN, servers::remove),
        Route::new(Get, "/api/v1/servers/{name}/difference", "What changed since the approval.", READ, servers::drift),
        Route::new(Post, "/api/v1/servers/{name}/check", "Looks at a server now.", REVIEW, servers::check),
        Route::new(Post, "/api/v1/servers/{name}/approve", "Pins what was read.", APPROVE, lifecycle::approve),
        Route::new(Post, "/api/v1/servers/{name}/connect", "Invites to connect a server.", APPROVE, servers::connect),
        Route::new(Post, "/api/v1/servers/{name}/disconnect", "Forgets a credential.", SUSPEND, servers::disconnect),
        Route::new(Post, "/api/v1/servers/{name}/suspend", "Takes a server out of service.", SUSPEND, lifecycle::suspend),
        Route::new(Post, "/api/v1/servers/{name}/resume", "Puts a suspended server back.", APPROVE, lifecycle::resume),
        Route::new(Post, "/api/v1/servers/{name}/quarantine", "Takes a server out of everything.", SUSPEND, lifecycle::quarantine),
        Route::new(Post, "/api/v1/servers/{name}/release", "Ends a server's quarantine.", APPROVE, lifecycle::release),
        Route::new(Post, "/api/v1/servers/{name}/retire", "Ends a server, for good.", APPROVE, lifecycle::retire),
        Route::new(Post, "/api/v1/servers/{name}/comments", "Says something of a server.", COMMENT, lifecycle::comment),

        Route::new(Post, "/api/v1/servers/{name}/vet", "Vets a server now.", REVIEW, vetting::vet),
        Route::new(Post, "/api/v1/servers/{name}/accept", "Accepts what vetting found.", APPROVE, vetting::accept),
        Route::new(Post, "/api/v1/servers/{name}/package", "Keeps what is in its package.", REVIEW, packages::keep),
        Route::new(Post, "/api/v1/servers/{name}/probe", "Asks it what strangers ask.", REVIEW, looks::probe),
        Route::new(Post, "/api/v1/servers/{name}/try", "Tries its program in a jail.", APPROVE, looks::attempt).with_body_of(limits::TRIAL_BODY_BYTES_MAX),
        Route::new(Get, "/api/v1/servers/{name}/progress", "How far a look at it is.", READ, looks::progress),

        Route::new(Get, "/api/v1/inventory", "Every host that was reported.", READ, inventories::list),
        Route::new(Post, "/api/v1/inventory", "Keeps what a host's clients connect to.", REPORT, inventories::keep),
        Route::new(Post, "/api/v1/inventory/compare", "Judges it, and keeps nothing.", ANYBODY, inventories::compare),
        Route::new(Get, "/api/v1/inventory/{name}", "What was reported of a host.", READ, inventories::show),

        Route::new(Get, "/api/v1/endpoints", "Every endpoint.", READ, lists::endpoints),
        Route::new(Get, "/api/v1/zones", "Every declared zone.", READ, lists::zones),
        Route::new(Get, "/api/v1/agents", "Every registered agent.", READ, lists::agents),
        Route::new(Get, "/api/v1/inspection", "Findings that are not told, and who else looks.", READ, about::inspection),
        Route::new(Get, "/api/v1/policies", "Every policy.", READ, lists::policies),
        Route::new(Post, "/api/v1/plan", "What applying some files would do.", READ, apply::plan),
        Route::new(Post, "/api/v1/apply", "Applies files, whole or not at all.", ADMIN, apply::apply),

        Route::new(Get, "/api/v1/halts", "Every halt in force.", READ, halts::list),
        Route::new(Post, "/api/v1/halts", "Halts something, now.", RESPOND, halts::halt),
        Route::new(Post, "/api/v1/halts/end", "Ends a halt.", RESPOND, halts::resume),

        Route::new(Get, "/api/v1/people", "Who is signed in here.", WATCH, people::list),
        Route::new(Post, "/api/v1/people/sign-out", "Ends a person's sessions.", RESPOND, people::send_out),

        Route::new(Post, "/api/v1/vault/rewrap", "Wraps what is sealed anew.", ADMIN, vault::rewrap),

        Route::new(Get, "/api/v1/receipts", "Searches the receipts, the newest first.", AUDIT, receipts::search),
        Route::new(Get, "/api/v1/receipts/{id}", "One receipt, with the outcome of its call.", AUDIT, receipts::show),
        Route::new(Post, "/api/v1/receipts/{id}/feedback", "Says what inspection got wrong.", JUDGE, receipts::feedback),
        Route::new(Get, "/api/v1/journal", "How the journal is.", AUDIT, receipts::journal),
    ]
}

#[cfg(test)]
mod tests;
