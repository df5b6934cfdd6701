"""A folder becomes chunks of text."""
