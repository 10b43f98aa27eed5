-- One row: a record that a sink could not write, with its original bytes; fed by the dead-letters connector only.
CREATE TABLE IF NOT EXISTS dead_letter_queue (
    source_topic text NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    connector text NOT NULL,
    stage text NOT NULL,
    error_type text NOT NULL,
    error_message text,
    event_data bytea,
    first_seen timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source_topic, source_partition, source_offset, connector)
);
