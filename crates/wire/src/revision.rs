//! Revisions of the protocol, and what each of them has.

/// A revision of MCP that the gate speaks; a later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revision {
    /// The first one. Over HTTP a client keeps one event stream open and posts beside it.
    V2024_11_05,
    /// Streamable HTTP: every message is posted to one address. The only one with batches.
    V2025_03_26,
    /// Servers may ask the client's user, and every message after the handshake names its revision in a header.
    V2025_06_18,
    /// The last one with a handshake, and with sessions that servers may ask questions in.
    V2025_11_25,
    /// The stateless core: every request carries its own version, capabilities and identity.
    V2026_07_28,
}

impl Revision {
    /// Every revision the gate speaks, the newest first.
    pub const SUPPORTED: &'static [Self] =
        &[Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26, Self::V2024_11_05];

    /// Those that begin with a handshake and keep a session, the newest first.
    pub const LEGACY: &'static [Self] = &[Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26, Self::V2024_11_05];

    /// The newest revision with sessions.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;

    /// The revision of that name, if the gate speaks it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::SUPPORTED.iter().find(|revision| revision.as_str() == name).copied()
    }

    /// The revision's name, as messages carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Do clients begin with `initialize` and then keep a session, on whose streams servers may send requests?
    pub fn has_sessions(self) -> bool {
        self <= Self::NEWEST_LEGACY
    }

    /// May several messages be sent as one JSON array (2025-03-26, basic/transports)?
    pub fn batches(self) -> bool {
        self == Self::V2025_03_26
    }

    /// Does every message over HTTP name its revision in `MCP-Protocol-Version`, the handshake apart (since 2025-06-18,
    /// basic/transports)?
    pub fn has_version_header(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// May a server ask the client's user (since 2025-06-18, client/elicitation)?
    pub fn elicits(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// May a server ask the user at a page of its own, and refuse a call until that was done (since 2025-11-25,
    /// client/elicitation)?
    pub fn elicits_by_url(self) -> bool {
        self >= Self::V2025_11_25
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
