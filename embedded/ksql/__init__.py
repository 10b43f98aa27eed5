"""The embedded engine: executes ksqlDB statements on one machine, behind ksqlDB's REST API."""
