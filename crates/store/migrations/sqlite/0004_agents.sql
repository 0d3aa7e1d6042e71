-- Registered agents: who may call, as which OAuth clients, and where.

CREATE TABLE agents (
    name TEXT PRIMARY KEY,
    manifest TEXT NOT NULL
) STRICT;
