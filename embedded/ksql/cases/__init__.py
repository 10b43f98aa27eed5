"""Recorded cases, replayed in process: statements, input records, expected records or the expected error."""
