-- What is in the packages of servers. Evidence beside the governed state: no revision counts it.

CREATE TABLE packages (
    server TEXT PRIMARY KEY REFERENCES servers (name) ON DELETE CASCADE,
    examination TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
