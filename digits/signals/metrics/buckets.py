"""The buckets of the histograms."""

from __future__ import annotations

# A lone Classify takes 2 ms, a crowded one 20, one whose queue is away a second and more.
CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# A micro-batch aims at DIGITS_TARGET_BATCH_SECONDS, 5 by default.
TRAINING_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
# Up to DIGITS_CLASSIFY_MAX_BATCH, 256 by default.
PICTURES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024)
