"""The operators that execute a plan, and their state."""
