"""One module a server: its whole API as we use it, its errors translated."""
