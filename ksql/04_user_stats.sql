-- One row a user, in a compacted topic. Money of different currencies is never added: total_spent counts purchases in
-- USD, the currency of the reports. A session's length is what its logout event states.
-- The cache is on here: of a user's updates between two commits only the last is written, so under load the topic and
-- its sink have a fraction of the rows. Commits are frequent, so that a row is not held back for long.
SET 'auto.offset.reset' = 'earliest';
SET 'ksql.streams.cache.max.bytes.buffering' = '10485760';
SET 'ksql.streams.commit.interval.ms' = '50';
CREATE TABLE user_stats WITH (
  KAFKA_TOPIC = 'user-stats',
  KEY_FORMAT = 'KAFKA',
  VALUE_FORMAT = 'AVRO',
  PARTITIONS = 4
) AS
SELECT
  user_id,
  COUNT(*) AS total_events,
  SUM(CASE WHEN event_type = 'purchase' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS total_purchases,
  SUM(CASE
    WHEN event_type = 'purchase' AND currency = 'USD' THEN CAST(amount AS DECIMAL(18, 2))
    ELSE CAST(0 AS DECIMAL(18, 2))
  END) AS total_spent,
  MAX(occurred_at) AS last_active,
  MAX(CASE WHEN event_type = 'purchase' THEN occurred_at END) AS last_purchase,
  AVG(CASE WHEN event_type = 'logout' THEN duration_seconds END) AS avg_session_seconds,
  LEAST(
    100.0E0,
    0.5E0 * COUNT(*)
      + 5.0E0 * SUM(CASE WHEN event_type = 'purchase' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END)
  ) AS engagement_score
FROM events
WHERE user_id IS NOT NULL
GROUP BY user_id
EMIT CHANGES;
