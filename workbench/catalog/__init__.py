"""Models: what there is, what fits this machine, fetch and verify."""
