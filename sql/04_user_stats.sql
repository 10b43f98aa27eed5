-- One row: what a user did so far, as ksqlDB last computed it; user_stats_live adds what depends on the clock.
CREATE TABLE IF NOT EXISTS user_stats (
    user_id text PRIMARY KEY,
    total_events bigint NOT NULL CHECK (total_events >= 0),
    total_purchases bigint NOT NULL CHECK (total_purchases BETWEEN 0 AND total_events),
    total_spent numeric(12, 2) NOT NULL CHECK (total_spent >= 0),
    last_active timestamptz NOT NULL,
    last_purchase timestamptz CHECK (last_purchase <= last_active),
    avg_session_seconds double precision NOT NULL CHECK (avg_session_seconds >= 0),
    engagement_score double precision NOT NULL CHECK (engagement_score BETWEEN 0 AND 100),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Connect may deliver again what it delivered before; a row never goes back to what it was.
CREATE OR REPLACE FUNCTION user_stats_skip_stale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER user_stats_1_skip_stale
    BEFORE UPDATE ON user_stats FOR EACH ROW
    WHEN ((NEW.last_active, NEW.total_events) < (OLD.last_active, OLD.total_events))
    EXECUTE FUNCTION user_stats_skip_stale();

CREATE OR REPLACE FUNCTION user_stats_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER user_stats_2_touch
    BEFORE UPDATE ON user_stats FOR EACH ROW
    EXECUTE FUNCTION user_stats_touch();

-- Churn risk: 0 while active, 0.5 after 14 idle days, 0.75 after 28; see docs/decisions/0001-churn-risk.md.
CREATE OR REPLACE FUNCTION churn_risk(last_active timestamptz, at timestamptz) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT round(1 - power(0.5, greatest(extract(epoch FROM at - last_active), 0) / (14 * 86400)), 4)
$$;

CREATE OR REPLACE VIEW user_stats_live AS
SELECT user_stats.*, churn_risk(last_active, now()) AS churn_risk
FROM user_stats;
