-- The façade: who is on the way to sign in, what was agreed to, what was given out.
-- States, codes, tokens and device codes are digests: whoever reads this file can use none of them. Times are in
-- milliseconds since the epoch; a row whose time is over is as good as gone, and goes when another comes.

CREATE TABLE facade_sign_ins (
    state TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX facade_sign_ins_by_end ON facade_sign_ins (expires);

CREATE TABLE facade_codes (
    code TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX facade_codes_by_end ON facade_codes (expires);

CREATE TABLE facade_consents (
    user TEXT NOT NULL,
    client TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (user, client, endpoint)
) STRICT;

CREATE TABLE facade_families (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    -- The code that it began with, so that the code is known when it comes again.
    code TEXT UNIQUE,
    -- The refresh token: the half that stays, and the half that each use changes.
    chain TEXT NOT NULL UNIQUE,
    link TEXT NOT NULL,
    client TEXT NOT NULL,
    user TEXT,
    issuer TEXT,
    subject TEXT,
    session TEXT,
    begun INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER
) STRICT;
CREATE INDEX facade_families_by_end ON facade_families (expires);
CREATE INDEX facade_families_by_person ON facade_families (user, client, begun);
CREATE INDEX facade_families_by_subject ON facade_families (issuer, subject);
CREATE INDEX facade_families_by_session ON facade_families (issuer, session);
CREATE INDEX facade_families_by_revocation ON facade_families (revoked) WHERE revoked IS NOT NULL;

CREATE TABLE facade_devices (
    device TEXT PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    -- Null while nobody has decided.
    granted INTEGER,
    polled INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX facade_devices_by_end ON facade_devices (expires);

CREATE TABLE facade_spent (
    once TEXT PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX facade_spent_by_end ON facade_spent (expires);

CREATE TABLE facade_clients (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;

CREATE TABLE facade_keys (
    id TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    made INTEGER NOT NULL
) STRICT;
