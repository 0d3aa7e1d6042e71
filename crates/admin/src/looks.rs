//! Looks that take their time: one at a server, some at once, and how far each is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{ServerName, limits};

use crate::fault::{Code, Fault};
use crate::view::LookRow;

/// The looks that go on now.
#[derive(Debug, Default)]
pub struct Looks {
    under_way: Mutex<BTreeMap<ServerName, LookRow>>,
}

/// A look that goes on. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Look {
    looks: Arc<Looks>,
    server: ServerName,
}

impl Looks {
    /// Begins one, unless there is one at that server or there are too many.
    pub(crate) fn begin(self: &Arc<Self>, server: &ServerName, doing: &str, of: usize) -> Result<Look, Fault> {
        let mut under_way = self.under_way();
        if under_way.contains_key(server) {
            let message = format!("somebody has server `{server}` looked at already");
            return Err(
                Fault::new(Code::Refused, message).with_next("wait until that is over; it takes a minute or two")
            );
        }
        if under_way.len() >= limits::LOOKS_MAX {
            let message = format!("{} servers are looked at already", limits::LOOKS_MAX);
            return Err(Fault::new(Code::Refused, message).with_next("wait until one of those looks is over"));
        }
        under_way.insert(server.clone(), LookRow { doing: doing.to_owned(), done: 0, of, now: String::new() });
        Ok(Look { looks: Arc::clone(self), server: server.clone() })
    }

    /// How far the look at a server is, if there is one.
    pub(crate) fn at(&self, server: &ServerName) -> Option<LookRow> {
        self.under_way().get(server).cloned()
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<ServerName, LookRow>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Look {
    /// So much is done, and this is next.
    pub(crate) fn tell(&self, done: usize, now: &str) {
        if let Some(row) = self.looks.under_way().get_mut(&self.server) {
            row.done = done;
            now.clone_into(&mut row.now);
        }
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.looks.under_way().remove(&self.server);
    }
}
