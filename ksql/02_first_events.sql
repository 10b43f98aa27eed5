-- Deduplication: one row an event_id, for as long as it is the only one seen. What was counted once stays counted:
-- the second sight of an event turns its row into a tombstone, which readers of the topic as a stream skip.
-- The cache must be off: it merges the first and the second sight into one update, and the event is lost.
-- The grace period is as long as the oldest event that may still come. An event more than an hour ahead of the clock
-- would end all earlier windows at once, so it is left out here, as the producer and the table refuse it.
SET 'auto.offset.reset' = 'earliest';
SET 'ksql.streams.cache.max.bytes.buffering' = '0';
CREATE TABLE first_events WITH (
  KAFKA_TOPIC = 'first-events',
  KEY_FORMAT = 'KAFKA',
  VALUE_FORMAT = 'AVRO',
  PARTITIONS = 4
) AS
SELECT
  event_id,
  AS_VALUE(event_id) AS id,
  EARLIEST_BY_OFFSET(user_id) AS user_id,
  EARLIEST_BY_OFFSET(session_id) AS session_id,
  EARLIEST_BY_OFFSET(event_type) AS event_type,
  EARLIEST_BY_OFFSET(occurred_at) AS occurred_at,
  EARLIEST_BY_OFFSET(device) AS device,
  EARLIEST_BY_OFFSET(country) AS country,
  EARLIEST_BY_OFFSET(page) AS page,
  EARLIEST_BY_OFFSET(duration_seconds) AS duration_seconds,
  EARLIEST_BY_OFFSET(product_id) AS product_id,
  EARLIEST_BY_OFFSET(category) AS category,
  EARLIEST_BY_OFFSET(amount) AS amount,
  EARLIEST_BY_OFFSET(currency) AS currency,
  COUNT(*) AS seen
FROM user_events
WINDOW TUMBLING (SIZE 1 DAY, RETENTION 120 DAYS, GRACE PERIOD 119 DAYS)
WHERE occurred_at < FROM_UNIXTIME(UNIX_TIMESTAMP() + 3600000)
GROUP BY event_id
HAVING COUNT(*) = 1
EMIT CHANGES;
