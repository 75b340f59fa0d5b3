"""Pixels for tests that only need an answer, whichever digit it is."""

# 784 bytes that could be a picture; bytes(784) could not.
SOME_PIXELS = bytes(range(196)) * 4
