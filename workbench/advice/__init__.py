"""A comparison becomes a decision."""
