"""Queries on Kafka: transactions, changelogs, the command topic."""
