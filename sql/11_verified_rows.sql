-- One row: which rows of user_events `pipeline verify` found right, so that it need not compare them; there is one only.
CREATE TABLE IF NOT EXISTS verified_rows (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    before xid8,
    columns text,
    newest timestamptz
);

COMMENT ON COLUMN verified_rows.before IS 'rows that no transaction since this one has touched are right';
COMMENT ON COLUMN verified_rows.columns IS 'what the fingerprints are made of';
COMMENT ON COLUMN verified_rows.newest IS 'the newest occurred_at read so far that was not ahead of the clock';
