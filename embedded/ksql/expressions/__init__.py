"""Expressions: types inferred, then compiled once to Python code."""
