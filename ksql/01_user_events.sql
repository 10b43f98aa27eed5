-- The topic of events as it is: duplicates included. Value columns come from the registry.
CREATE STREAM user_events (event_key STRING KEY) WITH (
  KAFKA_TOPIC = 'user-events',
  KEY_FORMAT = 'KAFKA',
  VALUE_FORMAT = 'AVRO',
  TIMESTAMP = 'occurred_at'
);
