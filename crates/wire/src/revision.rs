//! Revisions of the protocol.

/// A revision of MCP that the gate speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revision {
    /// The stateless core: every request carries its own version, capabilities and identity.
    V2026_07_28,
}

impl Revision {
    /// Every revision the gate speaks, the newest first.
    pub const SUPPORTED: &'static [Self] = &[Self::V2026_07_28];

    /// The revision of that name, if the gate speaks it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::SUPPORTED.iter().find(|revision| revision.as_str() == name).copied()
    }

    /// The revision's name, as messages carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2026_07_28 => "2026-07-28",
        }
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
