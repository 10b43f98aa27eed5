-- One row: what the records of a user that `pipeline verify` has accounted for add up to, so that none is added again.
CREATE TABLE IF NOT EXISTS verified_statistics (
    user_key bytea PRIMARY KEY,
    user_id text NOT NULL,
    total_events bigint NOT NULL,
    total_purchases bigint NOT NULL,
    total_spent numeric NOT NULL,
    last_active timestamptz NOT NULL,
    last_purchase timestamptz,
    session_seconds numeric NOT NULL,
    sessions bigint NOT NULL
);

COMMENT ON COLUMN verified_statistics.user_key IS 'SHA-256 of user_id, which may be longer than an index can hold';
