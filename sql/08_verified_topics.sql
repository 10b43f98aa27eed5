-- One row: how far `pipeline verify` has read a partition; what it read is in verified_records and verified_letters.
CREATE TABLE IF NOT EXISTS verified_topics (
    topic text NOT NULL,
    partition integer NOT NULL,
    topic_id text NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= first_offset),
    PRIMARY KEY (topic, partition)
);

COMMENT ON COLUMN verified_topics.topic_id IS 'Kafka''s own id: a topic that was created again has another';
COMMENT ON COLUMN verified_topics.first_offset IS 'not 0 if retention had removed records before they were read';
