//! Revisions of the protocol.

/// A revision of MCP that the gate speaks; a later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revision {
    /// The last one with a handshake, and with sessions that servers may ask questions in.
    V2025_11_25,
    /// The stateless core: every request carries its own version, capabilities and identity.
    V2026_07_28,
}

impl Revision {
    /// Every revision the gate speaks, the newest first.
    pub const SUPPORTED: &'static [Self] = &[Self::V2026_07_28, Self::V2025_11_25];

    /// The revision of that name, if the gate speaks it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::SUPPORTED.iter().find(|revision| revision.as_str() == name).copied()
    }

    /// The revision's name, as messages carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Do clients begin with `initialize` and then keep a session, on whose streams servers may send requests?
    pub fn has_sessions(self) -> bool {
        match self {
            Self::V2025_11_25 => true,
            Self::V2026_07_28 => false,
        }
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
