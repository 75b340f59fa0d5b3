"""Runs the gRPC server: `python -m server`."""

import gc
import logging

import uvloop

from digits.settings import Settings
from server.app import serve

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("kazoo.client").setLevel(logging.WARNING)
    # What was imported stays: the collector need not walk it under load.
    gc.freeze()
    uvloop.run(serve(Settings()))
