-- One row: what `pipeline verify` or its canary found; the exporter tells the last of each kind.
CREATE TABLE IF NOT EXISTS pipeline_checks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('verify', 'canary')),
    ended_at timestamptz NOT NULL DEFAULT now(),
    ok boolean NOT NULL,
    seconds jsonb NOT NULL,
    differences jsonb NOT NULL
);

COMMENT ON COLUMN pipeline_checks.seconds IS 'stage → how long it took';
COMMENT ON COLUMN pipeline_checks.differences IS 'what differs → how many';

CREATE INDEX IF NOT EXISTS pipeline_checks_last ON pipeline_checks (kind, ended_at DESC);
