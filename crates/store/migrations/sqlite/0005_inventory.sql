-- What hosts reported of the clients on them. Evidence beside the governed state: no revision counts it.

CREATE TABLE inventory (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    user TEXT NOT NULL,
    -- Who reported it: nobody replaces the report of another.
    by TEXT NOT NULL,
    report TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (host, user, by)
) STRICT;

CREATE INDEX inventory_at ON inventory (at);
