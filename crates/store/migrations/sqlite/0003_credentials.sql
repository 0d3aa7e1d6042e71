-- Credentials towards servers. `sealed` opens in the vault alone, at this very place and with this very `about`.

CREATE TABLE credentials (
    -- What it opens: `server NAME`, or `issuer URL` where the gate is a client.
    owner TEXT NOT NULL,
    -- Who may use it: `shared`, `user NAME`, `agent NAME`, `client`.
    holder TEXT NOT NULL,
    -- What is known of it and is no secret.
    about TEXT NOT NULL,
    sealed TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (owner, holder)
) STRICT;
