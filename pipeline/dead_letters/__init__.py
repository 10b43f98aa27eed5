"""Dead letters: looking at them, repairing them, and giving them back to the one sink that failed."""
