-- Another number each time that a row is written, so that what was read of it before is known to be what it says. The index
-- answers it without the documents.
ALTER TABLE servers ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX servers_by_version ON servers (name, version);
