-- One row: how many records of a partition `pipeline verify` has accounted for, by what became of them.
CREATE TABLE IF NOT EXISTS verified_totals (
    partition integer PRIMARY KEY,
    records bigint NOT NULL,
    distinct_events bigint NOT NULL,
    unreadable bigint NOT NULL,
    erased bigint NOT NULL,
    refused_by_ksqldb bigint NOT NULL
);
