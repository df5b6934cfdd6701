"""Workbench: measure what prompting, retrieval and fine-tuning each change, on one's own data and machine."""

__version__ = "0.1.0"
