"""What is measured of jobs as they come."""

from __future__ import annotations

from prometheus_client import Counter

ACCEPTED = Counter("digits_jobs_accepted", "Jobs that this process recorded.")
