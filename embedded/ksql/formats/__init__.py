"""Serialisation formats: KAFKA, JSON, AVRO, DELIMITED, and windowed keys."""
