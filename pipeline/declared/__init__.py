"""The project on disk: every declaration, read and checked for form."""
