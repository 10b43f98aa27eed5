"""What a person reads: tables and summaries, and the same as JSON."""
