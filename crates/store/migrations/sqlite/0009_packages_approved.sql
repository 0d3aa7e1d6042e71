-- What was known of a server's package when it was approved. What becomes known later is held against it, and looking at another
-- package meanwhile changes nothing of it.
ALTER TABLE packages ADD COLUMN approved TEXT;
UPDATE packages SET approved = examination
    WHERE server IN (SELECT name FROM servers WHERE pins IS NOT NULL);
