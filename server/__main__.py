"""Runs the gRPC server: `python -m server`."""

import gc
import logging
import os
import sys

import uvloop

from digits.errors import Misconfigured
from digits.security import listener_policy
from digits.settings import Settings
from digits.signals import logs, traces
from server.app import serve
from server.freed_memory import share_one_arena

if __name__ == "__main__":
    share_one_arena()
    settings = Settings()
    logs.configure(settings)
    # What was imported stays: the collector need not walk it under load.
    gc.freeze()
    try:
        listener_policy.check(settings, "grpc_host")
        traces.configure(settings, "server")
        uvloop.run(serve(settings))
    except Misconfigured as error:
        sys.exit(f"server: {error}")
    traces.shut_down()
    logging.shutdown()
    # Python would wait for every thread of its pools, and one of them may hang in a read that never ends.
    os._exit(0)
