-- One row: how far `pipeline verify` has read a partition; what it read is in verified_records and verified_letters.
CREATE TABLE IF NOT EXISTS verified_topics (
    topic text NOT NULL,
    partition integer NOT NULL,
    topic_id text NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= first_offset),
    accounted_offset bigint NOT NULL CHECK (accounted_offset BETWEEN first_offset AND next_offset),
    unread bigint NOT NULL DEFAULT 0 CHECK (unread >= 0),
    PRIMARY KEY (topic, partition)
);

COMMENT ON COLUMN verified_topics.topic_id IS 'Kafka''s own id: a topic that was created again has another';
COMMENT ON COLUMN verified_topics.first_offset IS 'not 0 if retention had removed records before they were read';
COMMENT ON COLUMN verified_topics.accounted_offset IS 'of user-events: records before it are accounted for, and in the sums';
COMMENT ON COLUMN verified_topics.unread IS 'how many offsets behind the first one retention had removed before they were read';
