"""A prompt becomes an answer, in several variants side by side."""
