"""Erasure: one person removed everywhere, and what cannot be removed said out loud."""
