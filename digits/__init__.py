"""The core that every process of DigitService shares: rooms by concept, and ports to the systems around it.

The modules beside the rooms (ports, errors, settings, pixels, offsets, envelope, …) are what several rooms
speak of; they import no room, except bootstrap.py, which builds what the settings name. Nothing here knows
of gRPC servers, Flask, Celery tasks or Spark jobs.
"""

__version__ = "0.1.0"
