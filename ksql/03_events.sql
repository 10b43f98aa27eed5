-- Each event once. Declared without key and window: grouping a windowed stream gives a table that pull queries refuse.
CREATE STREAM events (
  id STRING,
  user_id STRING,
  session_id STRING,
  event_type STRING,
  occurred_at TIMESTAMP,
  device STRING,
  country STRING,
  page STRING,
  duration_seconds INT,
  product_id STRING,
  category STRING,
  amount DECIMAL(12, 2),
  currency STRING
) WITH (
  KAFKA_TOPIC = 'first-events',
  VALUE_FORMAT = 'AVRO',
  TIMESTAMP = 'occurred_at'
);
