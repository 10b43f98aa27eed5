"""Proof: what went in, what came out, and which events or users differ."""
