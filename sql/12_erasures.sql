-- One row: a person who was erased, known by a salted hash, and up to where the topics hold records of theirs.
CREATE TABLE IF NOT EXISTS erasures (
    person bytea PRIMARY KEY,
    salt bytea NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT now(),
    erased_by text NOT NULL,
    ends jsonb NOT NULL
);

COMMENT ON COLUMN erasures.ends IS 'topic → partition → offset before which records of the person do not count';
