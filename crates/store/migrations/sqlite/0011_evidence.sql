-- What was seen of servers that live. Evidence beside the governed state: no revision counts it.

CREATE TABLE evidence (
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    identity TEXT NOT NULL,
    found TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (server, kind)
) STRICT;
