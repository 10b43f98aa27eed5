"""Text to syntax tree and back: grammar, parser, canonical formatting."""
