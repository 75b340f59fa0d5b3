"""Processes that are killed, stopped and cut off, and what holds all the same: `make test-faults`."""
