"""The five servers: how each is prepared, started, and asked whether it is ready."""
