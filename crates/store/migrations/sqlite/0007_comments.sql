-- What people say of servers. Evidence beside the governed state: no revision counts it.

CREATE TABLE comments (
    id INTEGER PRIMARY KEY,
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    by TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX comments_by_server ON comments (server, id);
