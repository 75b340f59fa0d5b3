"""What is measured of the session with ZooKeeper."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

CONNECTED = Gauge("digits_zookeeper_connected", "1 while ZooKeeper is connected.")
SESSIONS_LOST = Counter("digits_zookeeper_sessions_lost", "Sessions that ended with what was held by them.")
