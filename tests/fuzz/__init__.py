"""Bytes of strangers, thought up by Hypothesis: every reader answers or refuses them, and nothing else.

`make fuzz SECONDS=600` goes on for so long at each target; a short run of each is in tests/unit/test_fuzz.py,
and what was found has a test of its own beside the reader's others.
"""
