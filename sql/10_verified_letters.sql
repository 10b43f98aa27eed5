-- One row: a record of dlq.user-events or of the retry topic as `pipeline verify` read it, and the record it stems from.
CREATE TABLE IF NOT EXISTS verified_letters (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    sent_at timestamptz NOT NULL,
    erased boolean NOT NULL,
    origin_topic text NOT NULL,
    origin_partition integer NOT NULL,
    origin_offset bigint NOT NULL,
    attempt integer NOT NULL,
    event_id uuid,
    fingerprint uuid,
    PRIMARY KEY (topic, partition, "offset")
);

COMMENT ON COLUMN verified_letters.attempt IS 'the number of the replay, 0 for the first failure';

CREATE INDEX IF NOT EXISTS verified_letters_event_id ON verified_letters (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS verified_letters_origin
    ON verified_letters (origin_topic, origin_partition, origin_offset, topic);
