"""Lies on PYTHONPATH during the tests, so that child processes keep off the network too (see no_network.py)."""

import os

import no_network

no_network.install()
os.environ.pop("ONEDNN_MAX_CPU_ISA", None)  # for the process of the tests alone, which sets it
