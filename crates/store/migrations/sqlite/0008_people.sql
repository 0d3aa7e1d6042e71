-- Sessions of people on the admin side. Their ids are digests: whoever reads this file is in nobody's session. Times are in
-- milliseconds since the epoch; a row whose time is over is as good as gone, and goes when another comes.

CREATE TABLE people_sessions (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- What the identity provider calls its own session.
    session TEXT,
    begun INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    checked INTEGER NOT NULL,
    ends INTEGER NOT NULL
) STRICT;
CREATE INDEX people_sessions_by_end ON people_sessions (ends);
CREATE INDEX people_sessions_by_subject ON people_sessions (issuer, subject, begun);
CREATE INDEX people_sessions_by_session ON people_sessions (issuer, session);
