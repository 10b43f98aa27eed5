-- One row: a version of a declaration that `pipeline deploy` applied, with its text, when and by whom.
CREATE TABLE IF NOT EXISTS deployed_files (
    path text NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    content text NOT NULL,
    deployed_at timestamptz NOT NULL DEFAULT now(),
    deployed_by text NOT NULL,
    PRIMARY KEY (path, deployed_at)
);
