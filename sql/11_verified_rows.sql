-- One row: which rows of user_events `pipeline verify` found right, so that it need not compare them; there is one only.
CREATE TABLE IF NOT EXISTS verified_rows (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    before xid8,
    columns text,
    newest timestamptz,
    storage text,
    held bigint,
    unproven bigint,
    unread_letters bigint,
    sums text,
    first_events text
);

COMMENT ON COLUMN verified_rows.before IS 'rows that no transaction since this one has touched are right';
COMMENT ON COLUMN verified_rows.columns IS 'what the fingerprints are made of';
COMMENT ON COLUMN verified_rows.newest IS 'the newest occurred_at read so far that was not ahead of the clock';
COMMENT ON COLUMN verified_rows.storage IS 'the server and the files that held the rows: elsewhere they are others';
COMMENT ON COLUMN verified_rows.held IS 'how many rows there were then: as many of them now, and none that accounts for a record is gone';
COMMENT ON COLUMN verified_rows.unproven IS 'how many rows had no record, as retention had removed it unread';
COMMENT ON COLUMN verified_rows.unread_letters IS 'how many dead letters of dead_letter_queue retention had removed from Kafka unread';
COMMENT ON COLUMN verified_rows.sums IS 'what verified_totals and verified_statistics are made of';
COMMENT ON COLUMN verified_rows.first_events IS 'Kafka''s id of first-events: another one may hold what ksqlDB had left out';
