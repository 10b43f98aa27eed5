-- One row: a record of user-events as `pipeline verify` read it: what a row of it must be, and what ksqlDB counts of it.
CREATE TABLE IF NOT EXISTS verified_records (
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    sent_at timestamptz NOT NULL,
    erased boolean NOT NULL,
    event_id uuid,
    odd_id text,
    fingerprint uuid,
    first_sight boolean NOT NULL,
    differs boolean NOT NULL,
    counted boolean,
    user_id text,
    event_type text,
    occurred_at timestamptz,
    amount numeric,
    currency text,
    duration_seconds bigint,
    PRIMARY KEY (partition, "offset")
);

COMMENT ON COLUMN verified_records.erased IS 'of a person that `pipeline erase` removed: only the coordinates are kept';
COMMENT ON COLUMN verified_records.odd_id IS 'the text of event_id where it is not how PostgreSQL writes a UUID';
COMMENT ON COLUMN verified_records.fingerprint IS 'of the row that it becomes; null if no row can hold it';
COMMENT ON COLUMN verified_records.first_sight IS 'whether no earlier record has the same event_id';
COMMENT ON COLUMN verified_records.differs IS 'whether an earlier record has the same event_id and other content';
COMMENT ON COLUMN verified_records.counted IS 'whether ksqlDB counts it; null while only its clock knows';

CREATE INDEX IF NOT EXISTS verified_records_event_id ON verified_records (event_id);
CREATE INDEX IF NOT EXISTS verified_records_odd_id ON verified_records (md5(odd_id)) WHERE event_id IS NULL;
CREATE INDEX IF NOT EXISTS verified_records_differs ON verified_records (event_id) WHERE differs;
CREATE INDEX IF NOT EXISTS verified_records_undecided ON verified_records (sent_at) WHERE counted IS NULL;
