"""Lies on PYTHONPATH during the tests, so that child processes keep off the network too (see no_network.py)."""

import no_network

no_network.install()
