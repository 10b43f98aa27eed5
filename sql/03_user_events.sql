-- One row: an event, once, however often it was sent.
CREATE TABLE IF NOT EXISTS user_events (
    event_id uuid PRIMARY KEY,
    user_id text NOT NULL CHECK (user_id <> ''),
    session_id text NOT NULL,
    event_type text NOT NULL CHECK (event_type IN (
        'login', 'logout', 'page_view', 'click', 'purchase', 'video_watch', 'search', 'cart_add', 'cart_remove', 'share'
    )),
    occurred_at timestamptz NOT NULL,
    device text NOT NULL CHECK (device IN ('web', 'mobile', 'tablet', 'desktop')),
    country text CHECK (country ~ '^[A-Z]{2}$'),
    ip_address text,
    page text,
    referrer text,
    duration_seconds integer CHECK (duration_seconds >= 0),
    metadata jsonb CHECK (jsonb_typeof(metadata) = 'object'),
    product_id text,
    quantity integer CHECK (quantity > 0),
    category text,
    amount numeric(12, 2) CHECK (amount > 0),
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    video_id text,
    watched_percent integer CHECK (watched_percent BETWEEN 0 AND 100),
    video_duration_seconds integer CHECK (video_duration_seconds > 0),
    element_id text,
    element_type text,
    x integer,
    y integer,
    query text,
    results_count integer CHECK (results_count >= 0),
    channel text,
    ingested_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT purchase_states_amount_and_currency
        CHECK (event_type <> 'purchase' OR (amount IS NOT NULL AND currency IS NOT NULL)),
    CONSTRAINT occurred_at_most_an_hour_ahead CHECK (occurred_at < ingested_at + interval '1 hour'),
    CONSTRAINT metadata_has_at_most_one_megabyte CHECK (pg_column_size(metadata) <= 1000000)
);

CREATE INDEX IF NOT EXISTS user_events_user_id_occurred_at ON user_events (user_id, occurred_at);
