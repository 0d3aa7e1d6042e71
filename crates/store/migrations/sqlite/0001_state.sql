-- The governed state, and the outbox through which its changes become receipts.
-- Documents are JSON, written and read by the rooms that own them; columns exist for what the store itself decides on.

CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL CHECK (revision >= 0)
) STRICT;
INSERT INTO state (one, revision) VALUES (1, 0);

CREATE TABLE zones (
    name TEXT PRIMARY KEY,
    manifest TEXT NOT NULL
) STRICT;

CREATE TABLE servers (
    name TEXT PRIMARY KEY,
    manifest TEXT NOT NULL,
    -- Standing, and who submitted, approved and suspended it.
    status TEXT NOT NULL,
    -- The two big documents stand apart, so that what is not read is not parsed and what is not changed is not written.
    pins TEXT,
    observed TEXT,
    -- When the definitions were last seen, in milliseconds since the epoch. It changes every minute; `observed` rarely.
    observed_at INTEGER
) STRICT;

CREATE TABLE endpoints (
    name TEXT PRIMARY KEY,
    manifest TEXT NOT NULL
) STRICT;

CREATE TABLE policies (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE halts (
    -- The canonical JSON of the scope.
    scope TEXT PRIMARY KEY,
    halt TEXT NOT NULL
) STRICT;

CREATE TABLE outbox (
    -- AUTOINCREMENT: an id that was settled is never given again.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    revision INTEGER NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
