//! Invitations to connect a server: what a page begins with that nobody can guess.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use model::{Actor, Timestamp, limits};

use super::{Holder, Outgoing, Source, locked};
use crate::secrets::opened;

/// An invitation as it is remembered.
pub(super) struct Invite {
    ticket: String,
    source: Arc<Source>,
    by: Actor,
    expires: Timestamp,
}

/// Somebody who was invited.
pub struct Invited {
    /// What they connect.
    pub source: Arc<Source>,
    /// Whose credential it will be.
    pub holder: Holder,
    /// Who invited them, for the receipt.
    pub by: Actor,
}

impl Outgoing {
    /// Invites a person to connect a server for a holder: a ticket, good for [`limits::CONNECTING_MILLISECONDS_MAX`]. Who is
    /// invited again meanwhile by the same person gets the same; another's invitation takes its place. `None` while too many
    /// are invited.
    pub fn invite(&self, source: &Arc<Source>, holder: &Holder, by: &Actor) -> Option<String> {
        let now = self.clock.now();
        let key = (source.server.clone(), holder.clone());
        let mut invites = locked(&self.invites);
        let expires = Timestamp(now.0.saturating_add(limits::CONNECTING_MILLISECONDS_MAX));
        if let Some(invite) = invites.get_mut(&key).filter(|invite| now < invite.expires && invite.by == *by) {
            (invite.source, invite.expires) = (Arc::clone(source), expires);
            return Some(invite.ticket.clone());
        }
        if invites.len() >= limits::CONNECTING_MAX {
            invites.retain(|_, invite| now < invite.expires);
        }
        if invites.len() >= limits::CONNECTING_MAX {
            return None;
        }
        let ticket = opened(&self.unguessable()).clone();
        let invite = Invite { ticket: ticket.clone(), source: Arc::clone(source), by: by.clone(), expires };
        invites.insert(key, invite);
        Some(ticket)
    }

    /// Takes an invitation back: what it was for has been done.
    pub(super) fn uninvite(&self, server: &model::ServerName, holder: &Holder) {
        locked(&self.invites).remove(&(server.clone(), holder.clone()));
    }

    /// Who was invited with a ticket, while it is good.
    pub fn invited(&self, ticket: &str) -> Option<Invited> {
        let now = self.clock.now();
        let invites = locked(&self.invites);
        let is_it = |invite: &Invite| {
            now < invite.expires && verify_slices_are_equal(invite.ticket.as_bytes(), ticket.as_bytes()).is_ok()
        };
        let ((_, holder), invite) = invites.iter().find(|(_, invite)| is_it(invite))?;
        Some(Invited { source: Arc::clone(&invite.source), holder: holder.clone(), by: invite.by.clone() })
    }
}
