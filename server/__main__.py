"""Runs the gRPC server: `python -m server`."""

import asyncio
import logging

from digits.settings import Settings
from server.app import serve

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("kazoo.client").setLevel(logging.WARNING)
    asyncio.run(serve(Settings()))
