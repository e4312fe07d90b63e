"""Models that live outside of transformers: another environment, the same chunks."""
