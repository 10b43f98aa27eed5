-- What `pipeline deploy` remembers. It belongs to the command, not to the project: it must be there before anything is.
CREATE SCHEMA IF NOT EXISTS deployment;

-- One row: a deployment, with all its files; outcome is null while it runs, and for ever if it was killed.
CREATE TABLE IF NOT EXISTS deployment.history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    os_user text NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    files jsonb NOT NULL,
    outcome text CHECK (outcome IN ('deployed', 'failed'))
);

-- One row: an object as it was deployed last; observed is how its server rendered it then. Only what was created by a
-- deployment may be deleted by one.
CREATE TABLE IF NOT EXISTS deployment.objects (
    kind text NOT NULL,
    name text NOT NULL,
    path text NOT NULL,
    content text NOT NULL,
    observed text,
    created boolean NOT NULL,
    deployment bigint NOT NULL REFERENCES deployment.history,
    PRIMARY KEY (kind, name)
);

-- One row: a migration that has run here, or need not because the database is newer than it.
CREATE TABLE IF NOT EXISTS deployment.migrations (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    ran boolean NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    os_user text NOT NULL
);
