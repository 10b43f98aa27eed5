"""Typed functions: scalar, table and aggregate, with their registry."""
