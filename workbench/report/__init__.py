"""Results become one self-contained page."""
