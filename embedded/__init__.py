"""The servers without Docker: Kafka, Schema Registry, Connect, PostgreSQL and the ksql engine as local processes."""
