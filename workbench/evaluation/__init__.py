"""Lanes become a comparison."""
