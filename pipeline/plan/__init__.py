"""Declared and deployed → changes: pure comparison, and what the servers say to it before anything changes."""
