-- `pipeline verify` remembers how far all is accounted for: what it has read stays, all of it is compared once more.
DO $$
BEGIN
    IF to_regclass('verified_topics') IS NOT NULL THEN
        ALTER TABLE verified_topics ADD COLUMN accounted_offset bigint;
        UPDATE verified_topics SET accounted_offset = first_offset;
        ALTER TABLE verified_topics
            ALTER COLUMN accounted_offset SET NOT NULL,
            ADD CHECK (accounted_offset BETWEEN first_offset AND next_offset),
            ADD COLUMN unread bigint NOT NULL DEFAULT 0 CHECK (unread >= 0);
    END IF;
    IF to_regclass('verified_rows') IS NOT NULL THEN
        ALTER TABLE verified_rows
            ADD COLUMN storage text,
            ADD COLUMN held bigint,
            ADD COLUMN unproven bigint,
            ADD COLUMN unread_letters bigint,
            ADD COLUMN sums text,
            ADD COLUMN first_events text;
        UPDATE verified_rows SET before = NULL;
    END IF;
END $$;
