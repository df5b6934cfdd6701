"""Chunks become vectors and words on disk."""
