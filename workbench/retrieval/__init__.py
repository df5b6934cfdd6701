"""A question becomes a prompt."""
