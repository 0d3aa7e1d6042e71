-- What vetting found of servers, the last time. Evidence beside the governed state: no revision counts it.

CREATE TABLE vettings (
    server TEXT PRIMARY KEY REFERENCES servers (name) ON DELETE CASCADE,
    report TEXT NOT NULL
) STRICT;
