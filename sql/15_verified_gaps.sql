-- One row: a partition of user-events of which retention had removed records before `pipeline verify` read them.
CREATE TABLE IF NOT EXISTS verified_gaps (
    partition integer PRIMARY KEY,
    removed bigint NOT NULL,
    next_offset bigint NOT NULL,
    passed_at timestamptz
);

COMMENT ON COLUMN verified_gaps.removed IS 'how many offsets retention had removed unread';
COMMENT ON COLUMN verified_gaps.next_offset IS 'how far was read when that was noticed: they are all before it';
COMMENT ON COLUMN verified_gaps.passed_at IS 'when the sink was seen behind that: rows written later are of others';
