-- One row: what a person did to some dead letters: who, when, how, to which, and what came of it.
CREATE TABLE IF NOT EXISTS dead_letter_actions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action text NOT NULL CHECK (action IN ('replay', 'discard', 'export')),
    actor text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    arguments jsonb NOT NULL,
    letters bigint[] NOT NULL,
    failures jsonb NOT NULL DEFAULT '{}',
    connector text,
    retry_topic text,
    retry_starts jsonb,
    retry_ends jsonb,
    settled boolean NOT NULL DEFAULT false
);

COMMENT ON COLUMN dead_letter_actions.letters IS 'ids in dead_letter_queue, of letters that were changed or shown';
COMMENT ON COLUMN dead_letter_actions.failures IS 'id → why the letter stayed as it was';
COMMENT ON COLUMN dead_letter_actions.retry_starts IS 'partition → where the retry topic ended before the replay';
COMMENT ON COLUMN dead_letter_actions.retry_ends IS 'the same after it; null while it runs or if it was interrupted';
COMMENT ON COLUMN dead_letter_actions.settled IS 'whether the outcome of every letter is known';

CREATE INDEX IF NOT EXISTS dead_letter_actions_open ON dead_letter_actions (id) WHERE action = 'replay' AND NOT settled;
