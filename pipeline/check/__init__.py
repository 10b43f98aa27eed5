"""Whether the declarations are sound and agree with each other; no server is asked."""
